"""The draft of an incident review, in Markdown, from the document of one red run. Pure.

It may say only what evidence says. Everything else is written as not known, or left to a person in
so many words; nothing is inferred here that the diagnosis does not already state and cite.
Sections are those of the SRE book's postmortem, with status, trigger, and where we got lucky.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from truegreen.errors import UsageError
from truegreen.incidents.document import Answer, Cause, RunRecord, slug
from truegreen.incidents.markdown import plain, table

UNKNOWN = "Not known from the evidence."
PERSON = "_To be written by a person._"
MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the document was read: the ledger's record, its time (UTC) and its hash."""

    record: int
    kind: str
    at: datetime
    hash: str
    chain_holds: bool = True


def incident_id(document: Mapping[str, Any], provenance: Provenance | None = None) -> str:
    """``DATE-SLUG``: the day (UTC) that the record begins, and the first finding's name."""
    return _id(RunRecord.read(document), provenance)


def draft(document: Mapping[str, Any], provenance: Provenance | None = None) -> str:
    """The review's Markdown, ending in a newline. ``document`` is the JSON of ``ship`` or
    ``verify``, and its verdict must be red: UsageError otherwise."""
    run = RunRecord.read(document)
    if run.verdict != "red":
        raise UsageError(
            f"the verdict is {run.verdict}: only a red run is an incident",
            hint="an unverified one is asked again: truegreen verify",
        )
    parts = [
        [f"# {_id(run, provenance)}"],
        _header(run, provenance),
        ["## Summary", "", plain(run.sentence) or UNKNOWN],
        _impact(run),
        _timeline(run),
        _trigger(run),
        _causes(run),
        _detection(run),
        _unknown(run, provenance),
        ["## What went well", "", PERSON],
        ["## Where we got lucky", "", PERSON],
        ["## What surprised us", "", PERSON],
        _actions(run),
        _appendix(run),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _id(run: RunRecord, provenance: Provenance | None) -> str:
    began = run.began or (provenance.at if provenance else None)
    day = began.date().isoformat() if began else "undated"
    failed = run.with_status("fail")
    name = slug(run.causes[0].name) if run.causes else ""
    return f"{day}-{name or (slug(failed[0].check) if failed else '') or 'red-run'}"


def _header(run: RunRecord, provenance: Provenance | None) -> list[str]:
    rows = [
        ("Status", "draft, made from the record alone; nobody has reviewed it"),
        ("Severity", PERSON),
        ("Author", PERSON),
        ("App", plain(run.app)),
        ("Commit", plain(run.commit)),
        ("Release", plain(run.release)),
        ("Serving when asked", plain(run.serving)),
        ("Before the run", plain(run.baseline)),
        ("Schema", plain(run.schema)),
    ]
    if provenance:
        told = f"{provenance.record} ({provenance.kind}, {_time(provenance.at)})"
        rows.append(("Ledger record", plain(f"{told}, sha256:{provenance.hash}")))
    return table(("", ""), ((key, value or UNKNOWN) for key, value in rows))


def _impact(run: RunRecord) -> list[str]:
    lines = ["## Impact", ""]
    for check in ("health.edge", "code.served", "health.origin_blocked"):
        answer = run.of(check)
        if answer is not None:
            lines.append(f"- {_quoted(answer)}")
    if run.serving:
        lines.append(f"- The platform named {plain(run.serving)} as the release that serves.")
    lines += [
        f"- Users affected: {UNKNOWN.lower()}",
        f"- Data harmed: {UNKNOWN.lower()}",
        f"- How long: {UNKNOWN.lower()}",
    ]
    return lines


def _timeline(run: RunRecord) -> list[str]:
    told = [
        (event.at, plain(": ".join(filter(None, (event.step, event.text))))) for event in run.events
    ]
    told += [(answer.at, _quoted(answer)) for answer in run.answers if answer.status != "pass"]
    dated = sorted(((at, text) for at, text in told if at is not None), key=lambda one: one[0])
    lines = ["## Timeline", "", "All times UTC.", ""]
    if not dated:
        return [*lines, UNKNOWN]
    lines += table(
        ("time", "what the record says"), ((_time(at), text) for at, text in dated[:MOST_EVENTS])
    )
    left = len(told) - min(len(dated), MOST_EVENTS)
    if left:
        lines += ["", f"{left} more stand in the record without a time, or beyond this table."]
    return lines


def _trigger(run: RunRecord) -> list[str]:
    lines = ["## Trigger", ""]
    if run.events and run.commit:
        release = f", as release {plain(run.release)}" if run.release else ""
        lines.append(f"The run was of commit {plain(run.commit)}{release}.")
    lines.append("What set it off beyond that: not known from the evidence.")
    return lines


def _causes(run: RunRecord) -> list[str]:
    lines = ["## Root cause candidates", ""]
    if not run.causes:
        return [*lines, f"The diagnosis names none. {UNKNOWN}"]
    lines.append(
        "Each as the diagnosis states it, with the evidence that it cites. A person decides."
    )
    for number, cause in enumerate(run.causes, start=1):
        lines += ["", f"### {number}. {plain(cause.name)}", "", plain(cause.sentence), ""]
        lines += _cited(run, cause)
    return lines


def _cited(run: RunRecord, cause: Cause) -> list[str]:
    if not cause.cites:
        return ["It cites no evidence: treat it as a guess."]
    rows: list[tuple[str, ...]] = []
    for name in cause.cites:
        answer = run.of(name)
        if answer is None:
            rows.append((plain(name), "cited, and not in the record", "", "", ""))
        else:
            rows.append(_row(answer, with_expected=False))
    return table(("evidence", "status", "observed", "source", "digest"), rows)


def _detection(run: RunRecord) -> list[str]:
    failed = run.with_status("fail")
    lines = ["## Detection", ""]
    if not failed:
        return [*lines, UNKNOWN]
    names = ", ".join(dict.fromkeys(plain(answer.check) for answer in failed))
    lines.append(f"Found by the checks {names}.")
    times = [answer.at for answer in failed if answer.at is not None]
    if times:
        lines.append(f"The first of them answered at {_time(min(times))}.")
    lines.append("How long it had been so before: not known from the evidence.")
    return lines


def _unknown(run: RunRecord, provenance: Provenance | None) -> list[str]:
    lines = ["## What is not known", ""]
    lines += [f"- {_quoted(answer)}" for answer in run.with_status("unknown")]
    missing = {name for cause in run.causes for name in cause.cites if run.of(name) is None}
    lines += [f"- {plain(name)}: cited, and never answered" for name in sorted(missing)]
    if provenance is None:
        lines.append("- Where this document came from: it was not read from a ledger.")
    elif not provenance.chain_holds:
        lines.append(
            "- Whether this record is as it was written: **the ledger's chain is broken** "
            "(`truegreen ledger`)."
        )
    lines += [f"- Note of the run: {plain(note)}" for note in run.notes]
    lines.append("- Who was affected, for how long, and what set it off.")
    return lines


def _actions(run: RunRecord) -> list[str]:
    rows = [
        (plain(cause.next_step), plain(cause.name), "", "", "", "")
        for cause in run.causes
        if cause.next_step
    ]
    return [
        "## Action items",
        "",
        "Suggested by the diagnosis; none is agreed. A proof is a command that fails now, and "
        "passes when the item is done.",
        "",
        *table(("action", "because of", "owner", "due", "issue", "proof"), rows or [("",) * 6]),
    ]


def _appendix(run: RunRecord) -> list[str]:
    heads = ("check", "status", "observed", "expected", "source", "at", "digest")
    rows = [_row(answer, with_expected=True) for answer in run.answers]
    lines = ["## Appendix: the evidence", ""]
    return lines + (table(heads, rows) if rows else ["The record holds no evidence."])


def _row(answer: Answer, *, with_expected: bool) -> tuple[str, ...]:
    status = answer.status + ("" if answer.required else " (optional)")
    begin = (plain(answer.check), plain(status), plain(answer.observed))
    if not with_expected:
        return (*begin, plain(answer.source), plain(answer.digest))
    at = _time(answer.at) if answer.at else ""
    return (*begin, plain(answer.expected), plain(answer.source), at, plain(answer.digest))


def _quoted(answer: Answer) -> str:
    observed = plain(answer.observed) or "no text"
    return f"{plain(answer.check)} is {plain(answer.status)}: {observed}"


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%SZ")
