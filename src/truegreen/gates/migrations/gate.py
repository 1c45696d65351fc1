"""The gate itself: puts the question together, asks, and says what it comes to.

It reads git, the platform's word on the schema and the child's answer; what a migration means is
``judge``'s. Nothing is changed anywhere, but for the cache in ``.truegreen``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from truegreen.config.model import Migrations
from truegreen.gates.head_tree import HeadTree
from truegreen.gates.migrations import contract
from truegreen.gates.migrations.code import uses_of
from truegreen.gates.migrations.contract import Uses
from truegreen.gates.migrations.facts import Change, Facts
from truegreen.gates.migrations.inquirer import GraphProblem, Inquirer
from truegreen.gates.migrations.judge import Hazard, judge, missing_here
from truegreen.gates.migrations.lint import LintFailed, Warned, lint
from truegreen.gates.migrations.rules import RULES
from truegreen.gates.migrations.sizes import read_sizes
from truegreen.gates.migrations.stall import Sizes
from truegreen.gates.migrations.timeline import seconds, timeline
from truegreen.gates.question import Question
from truegreen.gates.result import Finding, GateResult
from truegreen.model import Status

NAME = "migrations"


@dataclass(slots=True)
class Asked:
    """What has been found out. ``unknown``: what could not be, each with what would help."""

    base: tuple[str, ...] | None = None
    base_source: str = ""
    facts: Facts | None = None
    sizes: Sizes | None = None
    warned: dict[str, tuple[Warned, ...]] = field(default_factory=dict)
    serving: Uses | None = None
    rollback: Uses | None = None
    merged_with: str = ""
    unknown: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def ask(question: Question) -> GateResult:
    """What the commit's migrations would do to the database that is there.

    fail: not exactly one head on the merge result, revisions that do not hold together, or a hazard
    from ``migrations.refuse`` on. unknown: something could not be asked: where the schema is, the
    merge, a module or an extension that is not here. Raises UsageError where git has no such tree,
    ConfigError for a snapshot of sizes that cannot be read.
    """
    config, now = question.config, question.now
    if config.release.migrate == "none":
        reason = "no migrations are configured (release.migrate)"
        return GateResult(NAME, Status.PASS, reason, now)
    tree = HeadTree.of(config.root, question.commit)
    asked = Asked()
    _read_base(question, asked)
    try:
        with Inquirer(config, tree, question.environ) as inquirer:
            _read_heads(inquirer, asked)
            asked.facts = inquirer.facts(asked.base)
    except GraphProblem as problem:
        return _graph(question, tree.source, problem)
    if len(asked.facts.heads) != 1:
        return _heads(question, tree.source, asked.facts.heads)
    if asked.facts.pending:
        _read_more(question, asked, asked.facts)
    return conclude(question, tree.source, asked, asked.facts)


def _read_base(question: Question, asked: Asked) -> None:
    """Where pending begins."""
    schema = question.schema
    if schema.revisions is not None:
        asked.base, asked.base_source = schema.revisions, schema.source
        return
    serving = question.serving
    if question.config.migrations.base == "serving" and serving.commit:
        try:
            tree = HeadTree.of(question.root, serving.commit)
            with Inquirer(question.config, tree, question.environ) as inquirer:
                heads = inquirer.facts(None).heads
        except GraphProblem as problem:
            asked.notes.append(f"the serving commit's revisions: {problem}")
        else:
            asked.base = tuple(head for head, _ in heads)
            asked.base_source = f"the heads of the serving commit {serving.commit[:8]}, assumed"
            return
    clears = "let /health or the release report say it, or set migrations.base to serving"
    asked.unknown.append((f"where the schema is: {schema.why}", clears))


def _read_heads(inquirer: Inquirer, asked: Asked) -> None:
    """The heads on the merge result, where that is another one than the commit's own."""
    merged = inquirer.merged()
    asked.merged_with = merged.branch
    if merged.error:
        why = f"the merge with {merged.branch} could not be made: {merged.error}"
        asked.unknown.append((why, "fetch the branch, or correct migrations.branch"))
        return
    touched = [path for path in merged.conflicts if inquirer.concerns(path)]
    if touched:
        why = f"it does not merge with {merged.branch}: {', '.join(touched[:3])}"
        asked.unknown.append((why, f"merge {merged.branch} into it"))
        return
    heads = inquirer.heads_of(merged)
    if heads is not None and len(heads) != 1:
        listed = ", ".join(f"{head} ({file})" for head, file in heads)
        why = f"merged with {merged.branch} it has {len(heads)} heads: {listed}"
        clears = f"merge {merged.branch}, then: alembic merge heads (or change down_revision)"
        found = tuple(Finding("head", file, head) for head, file in heads)
        raise GraphProblem(why, "", "fail", clears, found)


def _read_more(question: Question, asked: Asked, facts: Facts) -> None:
    config = question.config
    if config.migrations.table_sizes:
        file = config.root / config.migrations.table_sizes
        asked.sizes, old = read_sizes(file, question.now)
        asked.notes += [old] if old else []
    _lint(asked, facts)
    changes = _breaking(facts)
    if not changes:
        return
    serving = question.serving
    if serving.commit:
        asked.serving = _uses(question, asked, serving.commit, changes, "serves")
    elif not serving.known:
        why = f"whether the code that serves does without what goes: {serving.why}"
        asked.unknown.append((why, "ask where the platform can be reached"))
    rollback = question.schema.rollback
    if rollback and rollback != serving.commit:
        asked.rollback = _uses(question, asked, rollback, changes, "would be rolled back to")


def _breaking(facts: Facts) -> tuple[Change, ...]:
    revisions = facts.trace.revisions if facts.trace else ()
    return contract.breaking(change for one in revisions for change in one.changes)


def _uses(
    question: Question, asked: Asked, commit: str, changes: Sequence[Change], which: str
) -> Uses:
    uses = uses_of(question.config, commit, changes, question.environ)
    if uses.error:
        why = f"what the code that {which} uses ({commit[:8]}): {uses.error}"
        asked.unknown.append((why, "install what it needs beside truegreen, and fetch the commit"))
    return uses


def _lint(asked: Asked, facts: Facts) -> None:
    sql = facts.sql or {}
    for revision, one in sql.items():
        if one.error:
            text = f"{revision} cannot be printed as SQL, the trace has to do: {one.error}"
            asked.notes.append(text)
    try:
        asked.warned = lint({name: one.text for name, one in sql.items() if one.text})
    except LintFailed as error:
        asked.notes.append(f"the SQL was not linted: {error}")


def conclude(question: Question, source: str, asked: Asked, facts: Facts) -> GateResult:
    """The answer, from what was found out. Pure."""
    settings = question.config.migrations
    unknown = list(asked.unknown)
    missing = missing_here(facts)
    if missing:
        clears = "name a server that has it: migrations.postgres; or install it beside truegreen"
        unknown.append((missing, clears))
    elif facts.pending and facts.trace is None:
        asked.notes.append(f"on {settings.database} nothing is linted or traced")
    untried = [] if facts.trace is None else facts.trace.unseeded
    if untried:
        asked.notes.append(f"without a row in them: {', '.join(untried)}")
    hazards = (*_ahead(facts, settings), *_judged(question, asked, facts))
    shut = [one for one in hazards if one.shuts(settings.refuse)]
    reason, clears, status = _reason(facts, asked, hazards), "", Status.PASS
    if shut:
        more = f"; and {len(shut) - 1} more" if len(shut) > 1 else ""
        reason = f"{shut[0].revision}: {shut[0].text}{more}"
        clears = f"{shut[0].advice}; or allow it: [[migrations.allow]]"
        status = Status.FAIL
    elif unknown:
        reason, clears = unknown[0]
        if len(unknown) > 1:
            reason += f"; and {len(unknown) - 1} more"
        reason = f"could not find out {reason}" if reason.startswith(("wh", "what")) else reason
        status = Status.UNKNOWN
    base = ", ".join(asked.base or ()) or ("an empty schema" if asked.base == () else "unknown")
    notes = [*(why for why, _ in unknown), *asked.notes]
    return GateResult(
        NAME,
        status,
        reason,
        question.now,
        clears,
        tuple(_finding(one, settings) for one in hazards if _worth_listing(one, settings)),
        source,
        detail=_detail(facts, asked, hazards, notes),
        explained=timeline(
            facts,
            hazards,
            base=f"{base} ({asked.base_source})" if asked.base_source else base,
            sizes=asked.sizes,
            warned=asked.warned,
            notes=notes,
        ),
    )


def _judged(question: Question, asked: Asked, facts: Facts) -> tuple[Hazard, ...]:
    return judge(
        facts,
        question.config.migrations,
        question.now.date(),
        sizes=asked.sizes,
        warned=asked.warned,
        serving=asked.serving,
        rollback=asked.rollback,
    )


def _ahead(facts: Facts, settings: Migrations) -> tuple[Hazard, ...]:
    """A database that this commit does not know: a rollback, or a branch never merged."""
    if not facts.unknown:
        return ()
    severity = settings.severity.get("schema-ahead", RULES["schema-ahead"].severity)
    names = ", ".join(facts.unknown)
    text = f"the database is at {names}, which this commit does not know: nothing is migrated"
    if severity == "off":
        return ()
    return (Hazard("schema-ahead", severity, names, "", "", text),)


def _reason(facts: Facts, asked: Asked, hazards: Sequence[Hazard]) -> str:
    head = f"one head, {facts.heads[0][0]}"
    if facts.unknown:
        return f"{head}; the database is ahead of it, and is left as it is"
    if asked.base is None:
        return head
    if not facts.pending:
        return f"{head}; nothing is pending"
    names = ", ".join(one.revision for one in facts.pending)
    worst = next((level for level in ("high", "medium") if _has(hazards, level)), "")
    told = f", worst {worst}" if worst else ""
    return f"{head}; {len(facts.pending)} pending ({names}){told}"


def _has(hazards: Sequence[Hazard], severity: str) -> bool:
    return any(one.severity == severity for one in hazards)


def _worth_listing(hazard: Hazard, settings: Migrations) -> bool:
    return hazard.severity != "low" or hazard.shuts(settings.refuse)


def _finding(hazard: Hazard, settings: Migrations) -> Finding:
    stall = "" if hazard.stall is None else f", {seconds(hazard.stall)}"
    allowed = f" (allowed: {hazard.allowed})" if hazard.allowed else f"; {hazard.advice}"
    where = hazard.file or hazard.revision
    text = f"{hazard.severity}: {hazard.text}{stall}{allowed}"
    return Finding(hazard.rule, where, text, blocks=hazard.shuts(settings.refuse))


def _detail(
    facts: Facts, asked: Asked, hazards: Sequence[Hazard], notes: Sequence[str]
) -> dict[str, Any]:
    traced = {one.revision: one for one in facts.trace.revisions} if facts.trace else {}
    pending = [
        {
            **asdict(one),
            "statements": [asdict(s) for s in traced[one.revision].statements]
            if one.revision in traced
            else None,
            "lint": [asdict(warned) for warned in asked.warned.get(one.revision, ())],
        }
        for one in facts.pending
    ]
    told = {
        "heads": [{"revision": head, "file": file} for head, file in facts.heads],
        "merged_with": asked.merged_with,
        "base": None if asked.base is None else list(asked.base),
        "base_source": asked.base_source,
        "pending": pending,
        "hazards": [asdict(one) for one in hazards],
        "notes": list(notes),
    }
    plain: dict[str, Any] = json.loads(json.dumps(told))  # lists for tuples
    return plain


def _graph(question: Question, source: str, problem: GraphProblem) -> GateResult:
    reason = str(problem)
    if problem.kind == "unknown":
        clears = "install what is missing beside truegreen, or run the gate where it is"
        return GateResult(NAME, Status.UNKNOWN, reason, question.now, clears, source=source)
    found = problem.findings or (Finding("revision", problem.file or source, problem.text),)
    clears = problem.clears or "correct it, and commit"
    return GateResult(NAME, Status.FAIL, reason, question.now, clears, found, source)


def _heads(question: Question, source: str, heads: Sequence[tuple[str, str]]) -> GateResult:
    if not heads:
        reason = "migrations are configured, and there is not one revision"
        clears = "commit the revisions, or set release.migrate to none"
        return GateResult(NAME, Status.FAIL, reason, question.now, clears, source=source)
    reason = f"{len(heads)} heads: {', '.join(head for head, _ in heads)}"
    clears = "make them one: alembic merge heads, or give one the other as its down_revision"
    found = tuple(Finding("head", file, head) for head, file in heads)
    return GateResult(NAME, Status.FAIL, reason, question.now, clears, found, source)
