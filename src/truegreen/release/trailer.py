"""The report trailer: one line ``truegreen-report/1 {json}`` on the release command's output.

Pure functions between ``Report`` and that line, standard library only. A line is written after
each phase too, so that a truncated stream still tells what was finished: the last whole line wins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from truegreen.release.report import Failure, Leak, Phase, Report

PREFIX = "truegreen-report/1 "
LIMIT = 64 * 1024  # bytes; the line, its newline included, stays below

_SMOKE_COUNTS = ("total", "passed", "failed", "errors", "skipped")
_decoder = json.JSONDecoder()

__all__ = [
    "LIMIT",
    "PREFIX",
    "Failure",
    "Leak",
    "Phase",
    "Report",
    "format_trailer",
    "parse_trailer",
]


def format_trailer(report: Report) -> str:
    """``report`` as one line without its newline: ASCII, below LIMIT.

    When it would be longer, texts and then lists are cut, and the phase says ``truncated``.
    """
    line = _line(report)
    texts, items = 300, 50
    while len(line) >= LIMIT:
        line = _line(report._replace(phases=tuple(_cut(p, texts, items) for p in report.phases)))
        texts, items = max(20, texts // 2), items // 2
    return line


def parse_trailer(text: str) -> Report | None:
    """The last whole trailer in ``text``, or None when there is none.

    Tolerates what streams do to it: a log prefix before it, ``\\r``, a last line cut in the
    middle, lines that only look like a trailer.
    """
    at = text.rfind(PREFIX)
    while at >= 0:
        report = _read(text, at + len(PREFIX))
        if report is not None:
            return report
        at = text.rfind(PREFIX, 0, at)
    return None


def as_json(report: Report) -> dict[str, Any]:
    """The trailer's JSON document. Keys are a contract."""
    return {
        "complete": report.complete,
        "exit": report.exit,
        "commit": report.commit,
        "release": report.release,
        "started_at": report.started_at,
        "phases": [_phase_json(phase) for phase in report.phases],
    }


def _line(report: Report) -> str:
    return PREFIX + json.dumps(as_json(report), separators=(",", ":"), ensure_ascii=True)


def _phase_json(phase: Phase) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": phase.name,
        "status": phase.status,
        "seconds": round(phase.seconds, 3),
    }
    if phase.problems or phase.name == "preflight":
        data["problems"] = list(phase.problems)
    if phase.name == "migrate":
        data["from"] = phase.from_revision
        data["to"] = phase.to_revision
        data["heads"] = list(phase.heads)
        if phase.ahead:
            data["ahead"] = True
    if phase.name == "smoke":
        data["sealed"] = phase.sealed
        data.update({name: getattr(phase, name) for name in _SMOKE_COUNTS})
        data["failures"] = [
            {"test": one.test, "message": one.message, "body": one.body} for one in phase.failures
        ]
        data["leaks"] = [
            {
                "variable": leak.variable,
                "file": leak.file,
                "line": leak.line,
                "present": leak.present,
                "count": leak.count,
            }
            for leak in phase.leaks
        ]
    if phase.truncated:
        data["truncated"] = True
    return data


def _cut(phase: Phase, texts: int, items: int) -> Phase:
    return phase._replace(
        problems=tuple(_short(problem, texts) for problem in phase.problems[:items]),
        heads=tuple(_short(head, texts) for head in phase.heads[:items]),
        failures=tuple(
            Failure(_short(one.test, texts), _short(one.message, texts), _short(one.body, texts))
            for one in phase.failures[:items]
        ),
        leaks=tuple(
            replace(leak, variable=_short(leak.variable, texts), file=_short(leak.file, texts))
            for leak in phase.leaks[:items]
        ),
        truncated=True,
    )


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _read(text: str, start: int) -> Report | None:
    try:
        data, _ = _decoder.raw_decode(text, start)
        return _report(data)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _report(data: Any) -> Report:
    return Report(
        complete=_as(bool, data["complete"]),
        exit=_maybe(int, data["exit"]),
        commit=_maybe(str, data["commit"]),
        release=_maybe(str, data["release"]),
        started_at=_as(str, data["started_at"]),
        phases=tuple(_phase(one) for one in _as(list, data["phases"])),
    )


def _phase(data: Mapping[str, Any]) -> Phase:
    status = _as(str, data["status"])
    if status not in ("pass", "fail"):
        raise ValueError(status)
    seconds = data["seconds"]
    return Phase(
        name=_as(str, data["name"]),
        status=status,
        seconds=float(seconds),
        problems=_texts(data.get("problems", [])),
        from_revision=_maybe(str, data.get("from")),
        to_revision=_maybe(str, data.get("to")),
        heads=_texts(data.get("heads", [])),
        ahead=_as(bool, data.get("ahead", False)),
        sealed=_maybe(bool, data.get("sealed")),
        **{name: _maybe(int, data.get(name)) for name in _SMOKE_COUNTS},
        failures=tuple(
            Failure(_as(str, one["test"]), _as(str, one["message"]), _as(str, one.get("body", "")))
            for one in _as(list, data.get("failures", []))
        ),
        leaks=tuple(_leak(one) for one in _as(list, data.get("leaks", []))),
        truncated=_as(bool, data.get("truncated", False)),
    )


def _leak(data: Mapping[str, Any]) -> Leak:
    return Leak(
        variable=_as(str, data["variable"]),
        file=_as(str, data["file"]),
        line=_as(int, data["line"]),
        present=_as(bool, data["present"]),
        count=_as(int, data.get("count", 1)),
    )


def _as(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not {kind.__name__}")
    return value


def _maybe(kind: type, value: Any) -> Any:
    return None if value is None else _as(kind, value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_as(str, one) for one in _as(list, value))
