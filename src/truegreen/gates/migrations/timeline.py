"""The pending migrations as a person reads them: by statement, with lock and stall. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from truegreen.gates.migrations.facts import Facts, Pending, Statement
from truegreen.gates.migrations.judge import Hazard
from truegreen.gates.migrations.lint import Warned
from truegreen.gates.migrations.stall import BLOCKS_READS, BLOCKS_WRITES, Sizes, costs

WIDTH = 62  # characters of a statement
_STRONGEST = (*BLOCKS_WRITES, "ShareUpdateExclusiveLock", "RowExclusiveLock", "RowShareLock")


def timeline(
    facts: Facts,
    hazards: Sequence[Hazard],
    *,
    base: str,
    sizes: Sizes | None = None,
    warned: Mapping[str, Sequence[Warned]] | None = None,
    notes: Sequence[str] = (),
) -> tuple[str, ...]:
    """A line each; the hazards under the statement or the revision that they are about."""
    lines = [f"from {base}"]
    for pending in facts.pending:
        lines += ["", f"{pending.revision}  {pending.doc}  ({pending.file})".rstrip()]
        lines += _revision(facts, pending, hazards, sizes)
        for one in (warned or {}).get(pending.revision, ()):
            lines.append(f"      squawk, line {one.line}: {one.name}")
    lines += ["", *(f"note: {note}" for note in notes)] if notes else []
    return tuple(lines)


def seconds(value: float | None) -> str:
    """``~ 40 ms``, ``~ 3 s``, ``~ 5 min``, or ``?``."""
    if value is None:
        return "?"
    if value < 1:
        return f"~ {max(1, round(value * 1000))} ms"
    return f"~ {value:.0f} s" if value < 120 else f"~ {value / 60:.0f} min"


def _revision(
    facts: Facts, pending: Pending, hazards: Sequence[Hazard], sizes: Sizes | None
) -> Iterator[str]:
    own = [hazard for hazard in hazards if hazard.revision == pending.revision]
    traced = facts.trace.of(pending.revision) if facts.trace else None
    shown: list[Hazard] = []
    if traced is None:
        yield "      not tried here"
    else:
        for number, statement in enumerate(traced.statements, 1):
            yield f"  {number:>2}  {_cut(statement.sql)}"
            for line in _effects(statement, sizes):
                yield f"        {line}"
            for hazard in own:
                if hazard.statement == statement.sql and hazard not in shown:
                    shown.append(hazard)
                    yield f"      ! {_hazard(hazard)}"
        if not traced.statements:
            yield "      no statement"
    for hazard in own:
        if hazard not in shown:
            yield f"      ! {_hazard(hazard)}"


def _effects(statement: Statement, sizes: Sizes | None) -> Iterator[str]:
    strongest: dict[str, str] = {}
    for table, mode in statement.locks:
        if mode in _STRONGEST and _rank(mode) < _rank(strongest.get(table, "")):
            strongest[table] = mode
    for table, mode in sorted(strongest.items()):
        blocks = "blocks writes"
        if mode in BLOCKS_READS:
            blocks = "blocks reads and writes"
        elif mode not in BLOCKS_WRITES:
            blocks = "blocks nobody"
        yield f"{mode.removesuffix('Lock')} on {table}: {blocks}"
    doing = {"rewrite": "writes anew", "index": "builds an index of", "scan": "reads all of"}
    for cost in costs(statement, sizes):
        what = doing.get(cost.kind, "changes rows of")
        yield f"{what} {cost.table}: {seconds(cost.seconds)}"


def _rank(mode: str) -> int:
    return _STRONGEST.index(mode) if mode in _STRONGEST else len(_STRONGEST)


def _hazard(hazard: Hazard) -> str:
    stall = "" if hazard.stall is None else f", {seconds(hazard.stall)}"
    told = f"{hazard.severity} {hazard.rule}: {hazard.text}{stall}"
    if hazard.allowed:
        return f"{told} (allowed: {hazard.allowed})"
    return told if hazard.severity == "low" else f"{told}; {hazard.advice}"


def _cut(sql: str) -> str:
    return sql if len(sql) <= WIDTH else sql[: WIDTH - 1] + "…"
