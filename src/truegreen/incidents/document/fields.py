"""How each value of a review stands in its front matter: key, reading, writing.

Reading is strict about what is wrong (an unknown status, a time without a zone) and patient about
what is missing. A key that is not known stays in the file, and is noted.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NoReturn, cast

from truegreen.errors import ConfigError
from truegreen.flags.grammar import Unparseable, parse
from truegreen.incidents.document import times
from truegreen.incidents.document import values as v
from truegreen.incidents.document.tree import Node, Plain


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was read and not understood, or understood with a reservation."""

    line: int
    text: str


@dataclass(slots=True)
class Reading:
    """One file being read: where errors are, and what is noted on the way."""

    file: str
    notes: list[Note] = field(default_factory=list)

    def fail(self, node: Node, key: str, problem: str, fix: str) -> NoReturn:
        raise ConfigError(f"{self.file}:{node.line}", key, problem, fix=fix)


Read = Callable[[Reading, Node, str], Any]
Show = Callable[[Any, Any, Plain], Plain]  # new value, old value, how the old one stands there


@dataclass(frozen=True, slots=True)
class Field:
    """``attr`` of the value stands under ``key``."""

    key: str
    read: Read
    show: Show
    attr: str

    @classmethod
    def of(cls, key: str, kind: tuple[Read, Show], attr: str = "") -> Field:
        return cls(key, *kind, attr or key)


def _text(reading: Reading, node: Node, key: str) -> str:
    if node.value is None:
        return ""
    if not isinstance(node.value, str):
        reading.fail(node, key, "is not a text", f"write {key}: some words")
    return node.value


def _parsed(parse: Callable[[str], Any], fix: str) -> Read:
    def read(reading: Reading, node: Node, key: str) -> Any:
        text = _text(reading, node, key).strip()
        if not text:
            return None
        value = parse(text)
        if value is None:
            reading.fail(node, key, f"{text!r} cannot be read", fix)
        return value

    return read


def _moment(reading: Reading, node: Node, key: str) -> Any:
    at = _parsed(times.read_moment, "a time with its zone: 2026-06-21T19:29:00Z")(
        reading, node, key
    )
    if at is not None and not times.written_in_utc(str(node.value)):
        reading.notes.append(Note(node.line, f"{key}: {node.value} is not written in UTC"))
    return at


def _one_of(choices: Sequence[str], default: str = "") -> Read:
    def read(reading: Reading, node: Node, key: str) -> str:
        text = _text(reading, node, key) or default
        if text and text not in choices:
            near = difflib.get_close_matches(text, choices, n=1, cutoff=0.4)
            fix = f"did you mean {near[0]}? " if near else ""
            reading.fail(node, key, f"{text!r} is not known", f"{fix}one of {', '.join(choices)}")
        return text

    return read


def _texts(reading: Reading, node: Node, key: str) -> tuple[str, ...]:
    if node.value is None:
        return ()
    if isinstance(node.value, str):
        return (node.value,)
    if not isinstance(node.value, tuple):
        reading.fail(node, key, "is not a list", f"write {key}: [one, another]")
    return tuple(_text(reading, item, key) for item in node.value)


def _arguments(reading: Reading, node: Node, key: str) -> tuple[str, ...]:
    if isinstance(node.value, str):
        fix = 'no shell reads it: write run: [pytest, -q, "tests/test_it.py"]'
        reading.fail(node, key, "is one text, not an argument list", fix)
    return _texts(reading, node, key)


def _pairs(reading: Reading, node: Node, key: str) -> Mapping[str, str]:
    if node.value is None:
        return MappingProxyType({})
    if not isinstance(node.value, Mapping):
        reading.fail(node, key, "has no keys", f"write {key}: and below it kind: what happened")
    return MappingProxyType(
        {kind: _text(reading, item, f"{key}.{kind}") for kind, item in node.value.items()}
    )


def _flag(reading: Reading, node: Node, key: str) -> bool:
    text = _text(reading, node, key)
    try:
        return bool(text and parse("bool", text))
    except Unparseable:
        reading.fail(node, key, f"{text!r} is neither true nor false", f"write {key}: true")


def _number(reading: Reading, node: Node, key: str) -> int:
    text = _text(reading, node, key)
    if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit() or len(text) > 9:
        reading.fail(node, key, f"{text!r} is not a whole number", f"write {key}: 1")
    return int(text)


def _plainly(value: Any, _old: Any, _there: Plain) -> Plain:
    return None if value is None else str(value)


def _by(show: Callable[[Any], Plain]) -> Show:
    return lambda value, _old, _there: None if value is None else show(value)


TEXT = (_text, _plainly)
TEXTS = (_texts, _by(list))
ARGUMENTS = (_arguments, _by(list))
MOMENT = (_moment, _by(times.moment_text))
DAY = (_parsed(times.read_day, "a day: 2026-06-21"), _plainly)
SECONDS = (_parsed(times.read_duration, "a duration: 6m, 1h30m, 41s"), _by(times.duration_text))
# A bare number is seconds here, as everywhere in truegreen.toml; of a duration nobody would know.
TIMEOUT = (
    _parsed(
        lambda text: times.read_duration(f"{text}s" if text[-1].isdigit() else text), "90s, 2m"
    ),
    SECONDS[1],
)
PAIRS = (_pairs, _by(lambda value: dict(value) or None))
FLAG = (_flag, _by(lambda value: "true" if value else None))
NUMBER = (_number, _plainly)


def _choice(choices: Sequence[str], default: str = "") -> tuple[Read, Show]:
    return _one_of(choices, default), _plainly


def _record(cls: type, fields: Callable[[], tuple[Field, ...]]) -> tuple[Read, Show]:
    def read(reading: Reading, node: Node, key: str) -> Any:
        return None if node.value is None else read_record(cls, fields(), reading, node, key)

    def show(value: Any, old: Any, there: Plain) -> Plain:
        return None if value is None else show_record(fields(), value, old, there)

    return read, show


def _actions() -> tuple[Read, Show]:
    def read(reading: Reading, node: Node, key: str) -> tuple[v.Action, ...]:
        if node.value is None:
            return ()
        if not isinstance(node.value, tuple):
            reading.fail(node, key, "is not a list", "write each as - id: a-name")
        found: dict[str, v.Action] = {}
        for number, item in enumerate(node.value):
            action: v.Action = read_record(v.Action, ACTION, reading, item, f"{key}[{number}]")
            if not action.id:
                reading.fail(item, f"{key}[{number}].id", "is missing", "add id: a-short-name")
            if action.id in found:
                reading.fail(item, f"{key}[{number}].id", f"{action.id!r} is there twice", "rename")
            found[action.id] = action
        return tuple(found.values())

    def show(value: Any, old: Any, there: Plain) -> Plain:
        before = {one.id: one for one in old or ()}
        stands: dict[str, Plain] = {}
        if isinstance(there, Sequence) and not isinstance(there, str):
            stands = {str(item.get("id")): item for item in there if isinstance(item, Mapping)}
        return [
            show_record(ACTION, one, before.get(one.id), stands.get(one.id)) for one in value
        ] or None

    return read, show


RED = (
    Field.of("commit", TEXT),
    Field.of("state", TEXT),
    Field.of("at", MOMENT),
    Field.of("exit", NUMBER),
    Field.of("output", TEXT),
    Field.of("proof", TEXT),
)
PROOF = (
    Field.of("run", ARGUMENTS),
    Field.of("test", TEXT),
    Field.of("drill", TEXT),
    Field.of("files", TEXTS),
    Field.of("timeout", TIMEOUT),
    Field.of("when", _choice(v.WHEN, "candidate")),
    Field.of("red", _record(v.Red, lambda: RED)),
)
WAIVER = (Field.of("by", TEXT), Field.of("reason", TEXT), Field.of("until", DAY))
CLOSED = (Field.of("at", MOMENT), Field.of("commit", TEXT), Field.of("proof", TEXT))
ACTION = (
    Field.of("id", TEXT),
    Field.of("title", TEXT),
    Field.of("owner", TEXT),
    Field.of("due", DAY),
    Field.of("kind", _choice(v.KINDS)),
    Field.of("strength", _choice(v.STRENGTHS)),
    Field.of("required", FLAG),
    Field.of("status", _choice(v.ACTION_STATUSES, "open")),
    Field.of("issue", TEXT),
    Field.of("proof", _record(v.Proof, lambda: PROOF)),
    Field.of("closed", _record(v.Closed, lambda: CLOSED)),
    Field.of("waiver", _record(v.Waiver, lambda: WAIVER)),
    Field.of("note", TEXT),
)
DETECTION = (Field.of("by", TEXT), Field.of("gap", SECONDS), Field.of("faster", TEXT))
INCIDENT = (
    Field.of("id", TEXT),
    Field.of("title", TEXT),
    Field.of("date", DAY),
    Field.of("severity", _choice(v.SEVERITIES)),
    Field.of("status", _choice(v.STATUSES)),
    Field.of("author", TEXT),
    Field.of("began", MOMENT),
    Field.of("detected", MOMENT),
    Field.of("ended", MOMENT),
    Field.of("duration", SECONDS),
    Field.of("app", TEXT),
    Field.of("release", TEXT),
    Field.of("commit", TEXT),
    Field.of("ci_run", TEXT),
    Field.of("state", TEXT),
    Field.of("trigger", TEXT),
    Field.of("blast_radius", TEXT),
    Field.of("impact", PAIRS),
    Field.of("detection", _record(v.Detection, lambda: DETECTION)),
    Field.of("runbooks", TEXTS),
    Field.of("related", TEXTS),
    Field.of("evidence", TEXTS),
    Field.of("actions", _actions()),
)
_MUST: Mapping[type, tuple[str, ...]] = {
    v.Red: ("commit", "at", "exit", "output", "proof"),
    v.Waiver: ("by", "reason", "until"),
    v.Closed: ("at", "commit", "proof"),
}


def read_record(
    cls: type, fields: tuple[Field, ...], reading: Reading, node: Node, key: str
) -> Any:
    """A value of ``cls`` from the mapping ``node``; ConfigError for what is wrong in it."""
    if not isinstance(node.value, Mapping):
        reading.fail(node, key, "has no keys", "write its keys below it, indented")
    known = {one.key: one for one in fields}
    prefix = f"{key}." if key else ""
    found: dict[str, Any] = {}
    for name, item in node.value.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            mean = f"; did you mean {near[0]}?" if near else ""
            reading.notes.append(Note(item.line, f"{prefix}{name} is not a known key{mean}"))
            continue
        value = known[name].read(reading, item, prefix + name)
        if value is not None:
            found[known[name].attr] = value
    for name in _MUST.get(cls, ()):
        if found.get(name) in (None, ""):
            reading.fail(node, f"{prefix}{name}", "is missing", f"add {name}")
    return cls(**found)


def show_record(fields: tuple[Field, ...], value: Any, old: Any, there: Plain) -> Plain:
    """How ``value`` stands in YAML: as ``there`` says it, wherever it did not change from ``old``,
    keys that we do not know included."""
    told: dict[str, Plain] = dict(cast("Mapping[str, Plain]", there or {}))
    default = type(value)(**{f.name: "" for f in _without_default(type(value))})
    for one in fields:
        now = getattr(value, one.attr)
        before = getattr(old if old is not None else default, one.attr)
        if now == before:
            if old is None and _is_required(type(value), one.attr):
                told[one.key] = one.show(now, None, None)
            continue
        shown = one.show(now, before, told.get(one.key))
        if shown is None or shown == "" or shown == []:
            told.pop(one.key, None)
        else:
            told[one.key] = shown
    return told


def _without_default(cls: type) -> list[dataclasses.Field[Any]]:
    return [
        one
        for one in dataclasses.fields(cls)
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    ]


def _is_required(cls: type, attr: str) -> bool:
    return any(one.name == attr for one in _without_default(cls))
