"""The JSON document of ``ship`` and ``verify``, read for a review. Pure; no Markdown here.

Every entry carries its own digest (``ref``): the one of the entry as it stands in the document, so
that a review's citation can be found again, and no other than that entry.

A document may come from an older or newer TrueGreen: what is missing is None or empty, never
guessed, and only what makes it no such document at all is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from truegreen.errors import UsageError
from truegreen.model import digest_of


@dataclass(frozen=True, slots=True)
class Answer:
    """One check's evidence, as recorded. Texts are "" where the record has none."""

    check: str
    status: str
    required: bool
    observed: str
    expected: str
    source: str
    at: datetime | None
    digest: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """One finding of the diagnosis, with the checks that it cites."""

    name: str
    sentence: str
    cites: tuple[str, ...]
    next_step: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the run did, at a time."""

    at: datetime | None
    step: str
    text: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: its verdict and all that it rests on."""

    verdict: str
    sentence: str
    app: str
    commit: str
    release: str  # "v154 (failed, not current)"; "" when the record names none
    serving: str
    baseline: str
    schema: str
    answers: tuple[Answer, ...]
    causes: tuple[Cause, ...]
    events: tuple[Event, ...]
    notes: tuple[str, ...]
    serving_ref: str = ""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> RunRecord:
        """The run that ``document`` describes. UsageError when it has no verdict or no checks."""
        if not isinstance(document.get("verdict"), str) or not isinstance(
            document.get("checks"), list
        ):
            raise UsageError(
                "the record is no document of ship or verify", hint="it needs verdict and checks"
            )
        return cls(
            verdict=_text(document, "verdict"),
            sentence=_text(document, "sentence"),
            app=_text(document, "app"),
            commit=_text(document, "commit"),
            release=_release(document.get("release")),
            serving=_release(document.get("serving")),
            baseline=_release(document.get("baseline")),
            schema=_schema(document.get("schema")),
            answers=tuple(_answer(item) for item in _tables(document, "checks")),
            causes=tuple(_cause(item) for item in _tables(document, "diagnosis")),
            events=tuple(
                Event(
                    moment(item.get("at")),
                    " ".join(filter(None, (_text(item, "step"), _text(item, "state")))),
                    _text(item, "text"),
                    digest_of(dict(item)),
                )
                for item in _tables(document, "events")
            ),
            notes=_texts(document, "notes"),
            serving_ref=digest_of({"serving": document.get("serving")}),
        )

    def of(self, check: str) -> Answer | None:
        """The worst answer to ``check``; None when it was not asked."""
        order = {"fail": 0, "unknown": 1}
        found = [answer for answer in self.answers if answer.check == check]
        return min(found, key=lambda answer: order.get(answer.status, 2), default=None)

    def with_status(self, status: str) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.status == status)

    @property
    def began(self) -> datetime | None:
        """The first time that the record names."""
        times = [*(event.at for event in self.events), *(answer.at for answer in self.answers)]
        return min((at for at in times if at is not None), default=None)


def moment(text: Any) -> datetime | None:
    """The UTC time that ``text`` says (RFC 3339, with an offset); None when it says none."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def slug(text: str) -> str:
    """``text`` as part of a file name: a–z, 0–9 and single hyphens, at most 60 of them."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return "" if value is None else str(value)


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _tables(table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = table.get(key)
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, Mapping)]


def _answer(item: Mapping[str, Any]) -> Answer:
    detail = item.get("detail")
    return Answer(
        check=_text(item, "name"),
        status=_text(item, "status"),
        required=item.get("required") is True,
        observed=_text(item, "observed"),
        expected=_text(item, "expected"),
        source=_text(item, "source"),
        at=moment(item.get("at")),
        digest=_text(item, "digest"),
        detail=detail if isinstance(detail, Mapping) else {},
        ref=digest_of(dict(item)),
    )


def _cause(item: Mapping[str, Any]) -> Cause:
    return Cause(
        _text(item, "name"),
        _text(item, "sentence"),
        _texts(item, "cites"),
        _text(item, "next_step"),
        digest_of(dict(item)),
    )


def _release(value: Any) -> str:
    """``v153 (3c1a…; succeeded, current)``; "" when the record does not name a version."""
    if not isinstance(value, Mapping) or value.get("version") is None:
        return ""
    version = str(value["version"])
    name = version if version.startswith("v") else f"v{version}"
    told = [str(value[key]) for key in ("commit", "status") if value.get(key)]
    if isinstance(value.get("current"), bool):
        told.append("current" if value["current"] else "not current")
    return f"{name} ({', '.join(told)})" if told else name


def _schema(value: Any) -> str:
    if not isinstance(value, Mapping) or not value.get("current"):
        return ""
    heads = value.get("heads")
    known = ", ".join(str(head) for head in heads) if isinstance(heads, list) else ""
    return (
        f"database at {value['current']}; the code that serves has {known or 'no head'} "
        f"({value.get('relation') or 'relation not known'})"
    )
