"""What the Platform API v3 says, as frozen values. No I/O and no httpx here.

Each ``from_json`` is strict: a missing or wrong field raises UnexpectedAnswer that names it, and
fields that nobody here needs are not looked at. ``raw_digest`` is the SHA-256 of the canonical
JSON that a value was read from. Field names and statuses: Heroku's published schema (v6); null
slugs are container releases; ``edge_url`` is the embedded platform's own extension.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from truegreen.heroku.fields import Fields, UnexpectedAnswer, kind
from truegreen.model import digest_of

BUILD_STATUSES = ("pending", "succeeded", "failed")
RELEASE_STATUSES = ("pending", "succeeded", "failed", "expired")


class Model(Protocol):
    """Anything that is read from one JSON object."""

    @classmethod
    def from_json(cls, raw: Any) -> Self: ...


M = TypeVar("M", bound=Model)


def many(model: type[M], raw: Any) -> tuple[M, ...]:
    """A list of ``model``. Raises UnexpectedAnswer when it is no list, or an entry is wrong."""
    if not isinstance(raw, list):
        raise UnexpectedAnswer(model.__name__.lower() + " list", "", f"is {kind(raw)}, not a list")
    return tuple(model.from_json(item) for item in raw)


class Account(NamedTuple):
    """Whose token this is."""

    id: str
    email: str
    raw_digest: str

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        one = Fields("account", raw)
        return cls(id=one.text("id"), email=one.text("email"), raw_digest=digest_of(raw))


class App(NamedTuple):
    """An app. ``web_url`` is None when it has none yet; ``edge_url`` only on embedded platforms."""

    id: str
    name: str
    web_url: str | None
    edge_url: str | None
    git_url: str | None
    stack: str | None
    owner_email: str | None
    created_at: datetime | None
    raw_digest: str
    released_at: datetime | None = None  # of its newest release

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        one = Fields("app", raw)
        return cls(
            id=one.text("id"),
            name=one.text("name"),
            web_url=one.optional_text("web_url"),
            edge_url=one.optional_text("edge_url"),
            git_url=one.optional_text("git_url"),
            stack=one.reference("stack", "name"),
            owner_email=one.reference("owner", "email"),
            created_at=one.optional_moment("created_at"),
            raw_digest=digest_of(raw),
            released_at=one.optional_moment("released_at"),
        )


class ConfigVars(dict[str, str]):
    """Config vars by name. Its repr shows the names only: the values are often secrets."""

    raw_digest: str

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        found = cls(Fields("config vars", raw).every_text())
        found.raw_digest = digest_of(raw)
        return found

    def __repr__(self) -> str:
        return f"ConfigVars({', '.join(sorted(self))}; values redacted)"


class Addon(NamedTuple):
    """An add-on of an app, e.g. its database. ``state``: provisioning, provisioned, …"""

    id: str
    name: str
    plan: str
    state: str | None
    config_vars: tuple[str, ...]
    raw_digest: str

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        one = Fields("add-on", raw)
        return cls(
            id=one.text("id"),
            name=one.text("name"),
            plan=one.object("plan").text("name"),
            state=one.optional_text("state"),
            config_vars=one.optional_texts("config_vars"),
            raw_digest=digest_of(raw),
        )


@dataclass(frozen=True, slots=True)
class Source:
    """Where a tarball is uploaded to and read from. Who knows the URLs may use them: no repr."""

    put_url: str = field(repr=False)
    get_url: str = field(repr=False)
    raw_digest: str

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        blob = Fields("source", raw).object("source_blob")
        return cls(
            put_url=blob.text("put_url"), get_url=blob.text("get_url"), raw_digest=digest_of(raw)
        )


@dataclass(frozen=True, slots=True)
class Build:
    """An attempt to make a slug. ``release_id`` is null until it released, and may stay so."""

    id: str
    status: str  # one of BUILD_STATUSES
    release_id: str | None
    slug_id: str | None
    output_stream_url: str | None = field(repr=False)
    source_version: str | None
    created_at: datetime
    user_email: str | None
    raw_digest: str

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        one = Fields("build", raw)
        return cls(
            id=one.text("id"),
            status=one.text("status", one_of=BUILD_STATUSES),
            release_id=one.reference("release"),
            slug_id=one.reference("slug"),
            output_stream_url=one.optional_text("output_stream_url"),
            source_version=_source_version(one),
            created_at=one.moment("created_at"),
            user_email=one.reference("user", "email"),
            raw_digest=digest_of(raw),
        )


def _source_version(one: Fields) -> str | None:
    blob = one.optional_object("source_blob")
    return None if blob is None else blob.optional_text("version")


class Slug(NamedTuple):
    """What a build made. ``commit`` is what the source claimed to be; ``process_types`` by name."""

    id: str
    commit: str | None
    process_types: Mapping[str, str]
    stack: str | None
    created_at: datetime | None
    raw_digest: str

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        one = Fields("slug", raw)
        return cls(
            id=one.text("id"),
            commit=one.optional_text("commit"),
            process_types=MappingProxyType(one.object("process_types").every_text()),
            stack=one.reference("stack", "name"),
            created_at=one.optional_moment("created_at"),
            raw_digest=digest_of(raw),
        )


@dataclass(frozen=True, slots=True)
class Release:
    """A numbered attempt to run a slug. ``eligible_for_rollback`` None: the platform is silent."""

    id: str
    version: int
    status: str  # one of RELEASE_STATUSES
    current: bool
    slug_id: str | None
    output_stream_url: str | None = field(repr=False)
    description: str
    created_at: datetime
    user_email: str | None
    eligible_for_rollback: bool | None
    raw_digest: str
    image: bool = False  # it runs a container image, so it has no slug

    @property
    def label(self) -> str:
        """``v154``."""
        return f"v{self.version}"

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        one = Fields("release", raw)
        return cls(
            id=one.text("id"),
            version=one.whole("version", least=1),
            status=one.text("status", one_of=RELEASE_STATUSES),
            current=one.flag("current"),
            slug_id=one.reference("slug"),
            output_stream_url=one.optional_text("output_stream_url"),
            description=one.optional_text("description") or "",
            created_at=one.moment("created_at"),
            user_email=one.reference("user", "email"),
            eligible_for_rollback=one.optional_flag("eligible_for_rollback"),
            raw_digest=digest_of(raw),
            image=one.reference("slug") is None and _has_image(raw),
        )


class FormationEntry(NamedTuple):
    """How many dynos of a process type there should be."""

    type: str
    quantity: int
    size: str | None
    command: str | None
    raw_digest: str

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        one = Fields("formation", raw)
        return cls(
            type=one.text("type"),
            quantity=one.whole("quantity"),
            size=one.optional_text("size"),
            command=one.optional_text("command"),
            raw_digest=digest_of(raw),
        )


class Dyno(NamedTuple):
    """A dyno that is there. ``state``: crashed, down, idle, starting, up; only ``up`` is up."""

    id: str
    name: str
    type: str
    state: str
    release_id: str
    release_version: int
    command: str | None
    size: str | None
    created_at: datetime
    updated_at: datetime
    raw_digest: str

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        one = Fields("dyno", raw)
        release = one.object("release")
        return cls(
            id=one.text("id"),
            name=one.text("name"),
            type=one.text("type"),
            state=one.text("state"),
            release_id=release.text("id"),
            release_version=release.whole("version", least=1),
            command=one.optional_text("command"),
            size=one.optional_text("size"),
            created_at=one.moment("created_at"),
            updated_at=one.moment("updated_at"),
            raw_digest=digest_of(raw),
        )


def _has_image(raw: Any) -> bool:
    """Whether a release's ``artifacts`` name an image. A platform may leave the list out."""
    artifacts = raw.get("artifacts") if isinstance(raw, Mapping) else None
    return isinstance(artifacts, list) and any(
        isinstance(one, Mapping) and one.get("type") == "docker-image" for one in artifacts
    )
