"""What doctor found: as lines for a person, and as SARIF. Made from its JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from truegreen.outputs.sarif import Result, Rule, sarif_log

_MARKS = {"error": "✘", "warning": "!", "note": "·"}


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Each finding with why it matters, what mends it, where it leads; then what was not seen."""
    for one in document["findings"]:
        yield f"{_MARKS[one['level']]} {one['path']}:{one['line']}  {one['rule']}: {one['told']}"
        yield f"    why    {one['why']}"
        yield f"    fix    {one['fix']}"
        yield f"    leads to  {one['leads_to']}"
    for one in document["ignored"]:
        yield f"- {one['path']}:{one['line']}  {one['rule']}, ignored: {one['reason']}"
    for gap in document["not_looked_into"]:
        yield f"? {gap['path']} {gap['why']}: not looked into"
    count = len(document["findings"])
    told = "nothing found" if not count else f"{count} finding{'s' if count > 1 else ''}"
    yield f"{document['files']} files: {told}"


def doctor_sarif(document: Mapping[str, Any]) -> str:
    """The findings as a SARIF log; ignored ones are in it as suppressed."""
    rules: dict[str, Rule] = {}
    results: list[Result] = []
    for one in (*document["findings"], *document["ignored"]):
        name = one["rule"]
        rules.setdefault(name, Rule(name, one.get("why", one["told"])))
        results.append(
            Result(
                name,
                one["level"],
                one["told"],
                one["path"],
                one["line"],
                fingerprint=f"{name}/{one['path']}",
                suppressed=one.get("reason", ""),
            )
        )
    return json.dumps(sarif_log(rules.values(), results), indent=2, ensure_ascii=False) + "\n"
