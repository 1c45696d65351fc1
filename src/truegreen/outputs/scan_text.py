"""The document of a scan (schema scan.json) for a terminal, as annotations and as SARIF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from truegreen.outputs.annotations import Annotation, workflow_commands
from truegreen.outputs.sarif import Result, Rule, sarif_log

_SHOWN = 50  # findings of one sort on a terminal; --json has all


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The findings, those that block first, and what they come to."""
    blocking = [one for one in document["findings"] if one["blocks"]]
    listed = [one for one in document["findings"] if not one["blocks"]]
    for group in (blocking, listed):
        for one in group[:_SHOWN]:
            yield _line(one)
        if len(group) > _SHOWN:
            yield f"and {len(group) - _SHOWN} more: --json lists all"
    yield f"{document['status']}: {document['reason']} ({document['source']})"
    if document["clears"]:
        yield f"to clear it: {document['clears']}"


def _line(one: Mapping[str, Any]) -> str:
    where = f"{one['path']}:{one['line']}:{one['column']}" if one["line"] else one["path"]
    mark = f"  [{one['fingerprint']}]" if one["fingerprint"] else ""
    return f"{where}  {one['kind']}: {one['text']}{mark}"


def annotate(document: Mapping[str, Any]) -> Iterator[str]:
    """A workflow command for each finding that blocks."""
    return workflow_commands(
        Annotation("error", one["path"], max(1, one["line"]), f"scan: {one['kind']}", one["text"])
        for one in document["findings"]
        if one["blocks"]
    )


def sarif(document: Mapping[str, Any], *, version: str) -> dict[str, Any]:
    """A result for each hit and for each file that could not be read; what somebody suppressed
    carries its suppression. ``version`` is TrueGreen's."""
    told = [one for one in document["findings"] if one["line"] or one["state"] == "unreadable"]
    kinds = sorted({one["kind"] for one in told})
    rules = [Rule(kind, f"{kind.replace('-', ' ')} in what would be shipped") for kind in kinds]
    return sarif_log(rules, (_result(one) for one in told), version=version)


def _result(one: Mapping[str, Any]) -> Result:
    file, inner = _taken_apart(one["path"])
    # a line within an archive's member or a notebook's cell is none of the file itself
    line, column = (1, 0) if inner else (max(1, one["line"]), one["column"])
    return Result(
        one["kind"],
        "error" if one["blocks"] else "note",
        f"{one['kind']} in {one['path']}: {one['text']}",
        file,
        line,
        column=column,
        fingerprint=one["fingerprint"],
        suppressed=one["text"] if one["state"] == "suppressed" else "",
    )


def _taken_apart(path: str) -> tuple[str, str]:
    for mark in ("#cell-", "!"):
        file, found, inner = path.partition(mark)
        if found and file:
            return file, inner
    return path, ""
