"""``truegreen flags``: its JSON documents and its plain text. No terminal, no colours: it also runs
on a dyno, where only click is installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from truegreen.flags.explain import Difference, Explanation, FlagState, told
from truegreen.flags.values import shown

CONSTANT = "for the life of a process: a change holds once the service is started again"


def explanation_document(app: str, found: Explanation, *, stale: bool = False) -> dict[str, Any]:
    """``stale``: only the flags that have expired."""
    return {
        "app": app,
        "holds": not found.stale if stale else found.holds,
        "constant": CONSTANT,
        "flags": [_row(one) for one in (found.stale if stale else found.flags)],
        "other_problems": []
        if stale
        else [
            {"variable": one.variable, "value": one.value, "problem": one.problem, "fix": one.fix}
            for one in found.others
        ],
    }


def difference_document(one: str, other: str, found: Sequence[Difference]) -> dict[str, Any]:
    """The flags of two apps, those that do not differ too."""
    return {
        "apps": [one, other],
        "holds": not any(row.what for row in found),
        "flags": [
            {"name": row.name, "difference": row.what, "one": row.one, "other": row.other}
            for row in found
        ],
    }


def explanation_text(app: str, found: Explanation) -> str:
    """A line a flag, then everything that is wrong."""
    rows = [("flag", "holds", "from", "default", "owner", "expires")]
    rows += [
        (
            one.name,
            told(one) if one.state != "absent" else shown(one.value),
            one.source if one.present and not one.problem else one.state,
            shown(one.default),
            one.owner or "-",
            (f"{one.expires}{' EXPIRED' if one.expired else ''}" if one.expires else "-"),
        )
        for one in found.flags
    ]
    lines = [f"flags of {app}, constant {CONSTANT}", *_columns(rows)]
    for flag in found.flags:
        if flag.problem:
            ends = "no process starts with it" if flag.stops else "fails open: its default holds"
            lines.append(f"{flag.name}: {flag.problem} ({flag.fix}); {ends}")
    lines += [str(problem) for problem in found.others]
    lines += [_expiry(one) for one in found.stale]
    return "\n".join(lines)


def stale_text(app: str, found: Explanation) -> str:
    """A line for each flag that has expired."""
    return "\n".join(_expiry(one) for one in found.stale) or f"no flag of {app} has expired"


def difference_text(one: str, other: str, found: Sequence[Difference]) -> str:
    """A line for each flag that differs."""
    rows = [(row.name, row.one, row.other, row.what) for row in found if row.what]
    if not rows:
        return f"the flags of {one} and {other} are the same"
    return "\n".join(_columns([("flag", one, other, "difference"), *rows]))


def _row(one: FlagState) -> dict[str, Any]:
    row = one._asdict()
    row["expires"] = one.expires.isoformat() if one.expires else None
    for name in ("value", "default"):
        row[name] = list(row[name]) if isinstance(row[name], tuple) else row[name]
    return row


def _expiry(one: FlagState) -> str:
    who = one.owner or "nobody named"
    return (
        f"{one.name}: expired on {one.expires} ({who}), {told(one)}: take it out, or move the day"
    )


def _columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    table = list(rows)
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
