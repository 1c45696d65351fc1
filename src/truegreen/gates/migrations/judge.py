"""From facts to hazards: what each pending migration would do, and how bad that is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from truegreen.config.model import Migrations
from truegreen.gates.migrations import contract
from truegreen.gates.migrations.contract import Uses
from truegreen.gates.migrations.facts import Change, Facts, Failure, Pending, Traced
from truegreen.gates.migrations.lint import Warned
from truegreen.gates.migrations.rules import RULES, at_least
from truegreen.gates.migrations.stall import BLOCKS_READS, Cost, Sizes, Stall, costs, stalls

_LOSES = re.compile(r"\A\s*(TRUNCATE|DELETE\s+FROM)\b", re.IGNORECASE)
NOT_NULL_VIOLATION = "23502"
# What this Postgres has not, rather than what the migration does wrong: extensions, their types and
# functions, rights. https://www.postgresql.org/docs/current/errcodes-appendix.html
MISSING_HERE = ("58P01", "0A000", "42501", "42883", "42704")
_RULE_OF = {"rewrite": "table-rewrite", "index": "index-build", "scan": "blocking-scan"}


@dataclass(frozen=True, slots=True)
class Hazard:
    """One thing that a revision would do. ``stall``: seconds, None where not known or not meant.

    ``allowed``: the reason, where ``[[migrations.allow]]`` accepts it.
    """

    rule: str
    severity: str
    revision: str
    file: str
    table: str
    text: str
    statement: str = ""
    stall: float | None = None
    allowed: str = ""

    @property
    def advice(self) -> str:
        return RULES[self.rule].advice

    def shuts(self, least: str) -> bool:
        """Whether it shuts a gate that refuses from ``least`` on."""
        return not self.allowed and at_least(self.severity, least)


def judge(
    facts: Facts,
    settings: Migrations,
    today: date,
    *,
    sizes: Sizes | None = None,
    warned: Mapping[str, Sequence[Warned]] | None = None,
    serving: Uses | None = None,
    rollback: Uses | None = None,
) -> tuple[Hazard, ...]:
    """The hazards of the pending revisions, in their order. ``warned``: squawk's, by revision."""
    found: list[Hazard] = []
    for pending in facts.pending:
        traced = facts.trace.of(pending.revision) if facts.trace else None
        if traced is not None:
            found += _of_trace(pending, traced, settings, sizes)
            found += _of_contract(pending, traced.changes, serving, "breaks-serving", "serves now")
            back = "would be rolled back to"
            found += _of_contract(pending, traced.changes, rollback, "breaks-rollback", back)
        if traced is None or traced.error is not None:
            found += _of_lint(pending, (warned or {}).get(pending.revision, ()))
        found += _of_file(pending)
    return tuple(_weighed(found, settings, today))


def missing_here(facts: Facts) -> str:
    """Why the trace says nothing about the service, though it failed; "" when it does."""
    trace = facts.trace
    if trace is None:
        return ""
    if trace.error:
        return f"the schema that is there could not be built here: {trace.error}"
    for one in trace.revisions:
        if one.error is not None and one.error.state in MISSING_HERE:
            return f"{one.revision} could not be tried here: {one.error.text}"
    return ""


def _of_trace(
    pending: Pending, traced: Traced, settings: Migrations, sizes: Sizes | None
) -> Iterator[Hazard]:
    statements = traced.statements
    blocked: list[int] = []
    for stall in stalls(statements, sizes):
        index, rule, text = _cause(stall)
        blocked += [at for at, _ in stall.costs]
        severity = RULES[rule].severity
        if rule != "brief-lock" and _short(stall.seconds, settings):
            severity = "low"
        shown = statements[index].sql
        yield _hazard(pending, rule, stall.table, text, shown, stall.seconds, severity)
    for index, statement in enumerate(statements):
        for cost in costs(statement, sizes):
            if cost.kind == "rows" and index not in blocked:
                small = _short(cost.seconds, settings)
                severity = "low" if small else RULES["backfill"].severity
                text = f"rows of {cost.table} are changed, and stay locked till the end"
                args = (pending, "backfill", cost.table, text, statement.sql, cost.seconds)
                yield _hazard(*args, severity)
        if _LOSES.match(statement.sql):
            for table in sorted({*statement.changed, *statement.rewritten}):
                text = f"rows of {table} are deleted"
                yield _hazard(pending, "data-loss", table, text, statement.sql)
    for change in traced.changes:
        if change.kind in ("drop-table", "drop-column"):
            text = f"{contract.told(change)}, with what is in it"
            yield _hazard(pending, "data-loss", change.table, text)
    yield from _failures(pending, traced)


def _short(seconds: float | None, settings: Migrations) -> bool:
    return seconds is not None and seconds <= settings.max_stall


def _failures(pending: Pending, traced: Traced) -> Iterator[Hazard]:
    error, on_rows = traced.error, traced.failed_on_rows
    if error is not None:
        if error.state not in MISSING_HERE:
            yield _hazard(pending, "fails", "", f"it fails: {error.text}")
    elif on_rows is not None:
        yield _on_rows(pending, on_rows)


def _on_rows(pending: Pending, failure: Failure) -> Hazard:
    if failure.state == NOT_NULL_VIOLATION:
        text = f"it fails on a table that has a row: {failure.text}"
        return _hazard(pending, "fails", "", text)
    text = f"with a dummy row in every table it fails, without rows it does not: {failure.text}"
    return _hazard(pending, "data-dependent", "", text)


def _cause(stall: Stall) -> tuple[int, str, str]:
    """The statement to blame, the rule, and the sentence."""
    who = "readers and writers" if stall.mode in BLOCKS_READS else "writers"
    mode = stall.mode.removesuffix("Lock")
    if not stall.costs:
        return stall.first, "brief-lock", f"{who} of {stall.table} wait for a moment ({mode})"
    index, cost = max(stall.costs, key=lambda item: _weight(item[1], stall.table))
    doing = {
        "rewrite": f"{cost.table} is written anew",
        "index": f"an index of {cost.table} is built",
        "scan": f"{cost.table} is read from end to end",
        "rows": f"rows of {cost.table} are changed",
    }[cost.kind]
    own = cost.table == stall.table and cost.kind in _RULE_OF
    rule = _RULE_OF[cost.kind] if own else "lock-held"
    return index, rule, f"{who} of {stall.table} wait while {doing} ({mode})"


def _weight(cost: Cost, table: str) -> tuple[float, bool, bool]:
    seconds = float("inf") if cost.seconds is None else cost.seconds
    return seconds, cost.table == table, cost.kind == "rewrite"


def _of_contract(
    pending: Pending, changes: Iterable[Change], uses: Uses | None, rule: str, which: str
) -> Iterator[Hazard]:
    if uses is None:
        return
    for one in contract.broken(changes, uses):
        text = (
            f"{contract.told(one.change)}, and the code that {which} ({uses.commit[:8]}): {one.why}"
        )
        severity = RULES[rule].severity if one.sure else "medium"
        yield _hazard(pending, rule, one.change.table, text, severity=severity)


def _of_lint(pending: Pending, warned: Iterable[Warned]) -> Iterator[Hazard]:
    for one in warned:
        text = f"squawk {one.name}: {one.message}"
        yield _hazard(pending, one.rule, "", text, one.statement)


def _of_file(pending: Pending) -> Iterator[Hazard]:
    if pending.downgrade != "there":
        how = {"missing": "there is no downgrade", "empty": "its downgrade does nothing"}
        text = how.get(pending.downgrade, "its downgrade raises")
        yield _hazard(pending, "no-downgrade", "", text)


def _hazard(
    pending: Pending,
    rule: str,
    table: str,
    text: str,
    statement: str = "",
    stall: float | None = None,
    severity: str = "",
) -> Hazard:
    severity = severity or RULES[rule].severity
    where = (pending.revision, pending.file, table)
    return Hazard(rule, severity, *where, text, statement, stall)


def _weighed(found: Iterable[Hazard], settings: Migrations, today: date) -> Iterator[Hazard]:
    """With the configuration's own severities, and without what it switches off."""
    for one in found:
        severity = settings.severity.get(one.rule)
        # what turned out small stays so: the configuration says how bad the rule's bad case is
        if severity is not None and (severity == "off" or not _lowered(one)):
            if severity == "off":
                continue
            one = replace(one, severity=severity)
        for allow in settings.allow:
            meant = allow.revision == one.revision and allow.rule in ("*", one.rule)
            if meant and today < allow.expires:
                one = replace(one, allowed=f"{allow.reason} ({allow.owner}, until {allow.expires})")
        yield one


def _lowered(hazard: Hazard) -> bool:
    return hazard.stall is not None and hazard.severity == "low" != RULES[hazard.rule].severity
