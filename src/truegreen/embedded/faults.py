"""Faults of the embedded platform as values: each named, typed, documented. Public, for users' own
tests too:

    with faults.injected(faults.ServerError(path="/apps/*/releases*", rate=0.5), platform=info):
        ...  # the platform answers every other question about releases with 500

The values, how they are written as text, and the context manager live here; what they do to the
platform is `fault_effects`' and `api/fault_layer.py`'s. A fault lasts until it is removed or the
platform ends; none is kept over a restart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

from truegreen.embedded import locate
from truegreen.embedded.locate import PlatformInfo
from truegreen.errors import PlatformUnreachable, UsageError
from truegreen.flags import grammar

PATH = "/truegreen/faults"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Base of all. ``summary`` is what `truegreen platform fault kinds` says of it."""

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "rate" and not 0 < value <= 1:
                raise UsageError(f"{self.name}: rate {value!r} is not 0 < rate <= 1")
            if field.name in ("seconds", "after", "size") and value < 0:
                raise UsageError(f"{self.name}: {field.name} {value!r} is negative")

    def as_text(self) -> dict[str, str]:
        """Every value by its name, as `parse` reads it."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class ApiFault(Fault):
    """Of requests to the API. ``path``: a glob of the request's path, ``*`` also over slashes;
    ``method``: of HTTP, or ``*``; ``rate``: the share of such requests that it hits, evenly spread
    (0.5 is every second one, beginning with the first)."""

    path: str = "*"
    method: str = "*"
    rate: float = 1.0


@dataclass(frozen=True, kw_only=True)
class RateLimited(ApiFault):
    """429. ``headers``: whether RateLimit-Remaining and Retry-After (``seconds``) come along."""

    name: ClassVar[str] = "api-rate-limit"
    summary: ClassVar[str] = "429, with or without headers"
    headers: bool = True
    seconds: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ServerError(ApiFault):
    name: ClassVar[str] = "api-error"
    summary: ClassVar[str] = "500 in the API's JSON form"


@dataclass(frozen=True, kw_only=True)
class BadGateway(ApiFault):
    name: ClassVar[str] = "api-bad-gateway"
    summary: ClassVar[str] = "502 with an HTML page, as proxies give it"


@dataclass(frozen=True, kw_only=True)
class NoAnswer(ApiFault):
    """For ``seconds``, then 504; what was asked for is not done."""

    name: ClassVar[str] = "api-timeout"
    summary: ClassVar[str] = "no answer, for as long as `seconds`"
    seconds: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class Slow(ApiFault):
    name: ClassVar[str] = "api-slow"
    summary: ClassVar[str] = "the right answer, `seconds` late"
    seconds: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Truncated(ApiFault):
    name: ClassVar[str] = "api-truncated"
    summary: ClassVar[str] = "JSON that ends in its middle, as if it were whole"


@dataclass(frozen=True, kw_only=True)
class WrongTypes(ApiFault):
    name: ClassVar[str] = "api-wrong-types"
    summary: ClassVar[str] = "texts as numbers, numbers as texts, lists as objects"


@dataclass(frozen=True, kw_only=True)
class ConnectionReset(ApiFault):
    """What was asked for *is* done: only the answer is lost."""

    name: ClassVar[str] = "api-reset"
    summary: ClassVar[str] = "done, but the connection breaks off in the answer's middle"


@dataclass(frozen=True, kw_only=True)
class StreamNotRegistered(ApiFault):
    name: ClassVar[str] = "stream-not-registered"
    summary: ClassVar[str] = "404 `Channel is not registered` for output streams"
    path: str = "/streams/*"


@dataclass(frozen=True, kw_only=True)
class StreamCut(ApiFault):
    """Clean to HTTP, so that only who asks for the status knows that it was not the end."""

    name: ClassVar[str] = "stream-cut"
    summary: ClassVar[str] = "an output stream ends after `size` bytes, before the status is known"
    path: str = "/streams/*"
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class StreamReset(ApiFault):
    name: ClassVar[str] = "stream-reset"
    summary: ClassVar[str] = "the connection of an output stream breaks off after `size` bytes"
    path: str = "/streams/*"
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class ClockOffset(Fault):
    """Of the times in JSON and of ``Date``; ``offset`` may be below 0."""

    name: ClassVar[str] = "clock-offset"
    summary: ClassVar[str] = "all times that the API tells are `offset` seconds off"
    offset: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class AppFault(Fault):
    """Of one app by its name, or of every app (``*``)."""

    app: str = "*"


@dataclass(frozen=True, kw_only=True)
class ReleaseStuck(AppFault):
    """Those it has caught become ``expired`` when it is removed, and never current."""

    name: ClassVar[str] = "release-stuck"
    summary: ClassVar[str] = "the release command ends, and the release stays `pending`"


@dataclass(frozen=True, kw_only=True)
class DynoCrash(AppFault):
    name: ClassVar[str] = "dyno-crash"
    summary: ClassVar[str] = "dynos of `type` are killed `after` seconds up, again and again"
    type: str = "web"
    after: float = 0.0


@dataclass(frozen=True, kw_only=True)
class StaleDyno(AppFault):
    """From the next release on; the dynos that it kept are stopped when it is removed."""

    name: ClassVar[str] = "dyno-stale"
    summary: ClassVar[str] = "one old web dyno goes on serving beside the new ones, unlisted"


@dataclass(frozen=True, kw_only=True)
class DatabaseDown(Fault):
    name: ClassVar[str] = "database-down"
    summary: ClassVar[str] = "the Postgres of all apps does not run"


@dataclass(frozen=True, kw_only=True)
class EdgeChallenge(AppFault):
    """With ``status`` 200 only the page itself says what it is, as behind a proxy or a cache that
    keeps neither the status nor ``cf-mitigated``."""

    name: ClassVar[str] = "edge-challenge"
    summary: ClassVar[str] = "the edge answers with a challenge page (403, cf-mitigated)"
    status: int = 403

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.status not in (200, 403, 503):
            raise UsageError(f"{self.name}: status {self.status} is not 200, 403 or 503")


@dataclass(frozen=True, kw_only=True)
class EdgeLogin(AppFault):
    name: ClassVar[str] = "edge-login"
    summary: ClassVar[str] = "the edge sends everybody to Access's login page"


@dataclass(frozen=True, kw_only=True)
class EdgeCached(AppFault):
    name: ClassVar[str] = "edge-cache"
    summary: ClassVar[str] = "the edge answers a GET with the 200 that it has stored"


@dataclass(frozen=True, kw_only=True)
class EdgeHidesVisitor(AppFault):
    name: ClassVar[str] = "edge-hide-visitor"
    summary: ClassVar[str] = "no CF-Connecting-IP, and only the edge in X-Forwarded-For"


@dataclass(frozen=True, kw_only=True)
class EdgeOtherZone(AppFault):
    """An attacker's account at the same edge: Cloudflare's headers, none of your rules."""

    name: ClassVar[str] = "edge-other-zone"
    summary: ClassVar[str] = "requests come by somebody else's zone: no secret header is set"


KINDS: Mapping[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        RateLimited, ServerError, BadGateway, NoAnswer, Slow, Truncated, WrongTypes,
        ConnectionReset, StreamNotRegistered, StreamCut, StreamReset, ClockOffset, ReleaseStuck,
        DynoCrash, StaleDyno, DatabaseDown, EdgeChallenge, EdgeLogin, EdgeCached, EdgeHidesVisitor,
        EdgeOtherZone,
    )
}  # fmt: skip
_ID = re.compile(r"f[0-9]+")


def parse(name: str, values: Mapping[str, str]) -> Fault:
    """The fault called ``name`` with ``values`` as text. Raises UsageError, with what there is."""
    kind = KINDS.get(name)
    if kind is None:
        raise UsageError(f"there is no fault `{name}`", hint="there are " + ", ".join(KINDS))
    known = {field.name: field for field in fields(kind)}
    parsed: dict[str, object] = {}
    for key, text in values.items():
        field = known.get(key)
        if field is None:
            has = ", ".join(known) or "none"
            raise UsageError(f"{name} has no `{key}`", hint=f"its values: {has}")
        try:
            parsed[key] = _value(str(field.type), text)
        except ValueError:
            raise UsageError(f"{name}: {key}={text!r} is no {field.type}") from None
    return kind(**parsed)


def _value(kind: str, text: str) -> object:
    if kind == "bool":
        return grammar.parse("bool", text)
    if kind == "int":
        return int(text)
    if kind == "float":
        value = float(text)
        if not abs(value) < 1e9:
            raise ValueError(text)
        return value
    return text


# a running platform


def add(fault: Fault, platform: PlatformInfo) -> str:
    """Puts ``fault`` in; returns its id. Raises PlatformUnreachable, PlatformRefused."""
    answer = locate.ask(platform, "POST", PATH, {"kind": fault.name, **fault.as_text()})
    return str(answer["id"])


def remove(fault_id: str, platform: PlatformInfo) -> None:
    """Takes one out; fine when it is out already. Raises UsageError for what is no id."""
    if not _ID.fullmatch(fault_id):
        raise UsageError(f"{fault_id!r} is no id of a fault", hint="truegreen platform fault list")
    locate.ask(platform, "DELETE", f"{PATH}/{fault_id}", timeout=60)


def active(platform: PlatformInfo) -> dict[str, Fault]:
    """Those that are in, by id."""
    found = locate.ask(platform, "GET", PATH)
    return {
        key: parse(value["kind"], {k: v for k, v in value.items() if k != "kind"})
        for key, value in found.items()
    }


@contextmanager
def injected(*faults: Fault, platform: PlatformInfo | Path) -> Iterator[None]:
    """The faults are in while the context lasts, and out after it, however it ends.

    ``platform``: a running one, or its data folder. Raises PlatformUnreachable when none runs.
    """
    info = platform if isinstance(platform, PlatformInfo) else locate.find_running(platform)
    if info is None:
        raise PlatformUnreachable(
            f"no embedded platform runs on {platform}", hint="truegreen platform serve"
        )
    with ExitStack() as stack:
        for fault in faults:
            stack.callback(remove, add(fault, info), info)
        yield
