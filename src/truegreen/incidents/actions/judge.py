"""Refuses the gate ``actions`` a ship? Pure: from how each follow-up stands, what its proof says of
the candidate, the day, and the policy."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from truegreen.gates.result import Finding, GateResult
from truegreen.incidents.actions import NAME
from truegreen.incidents.actions.proof import Held
from truegreen.incidents.actions.prove import Proven
from truegreen.incidents.actions.standing import Standing
from truegreen.model import Status


def weighs(one: Standing, now: datetime, grace_days: int) -> str:
    """Why this follow-up is in the way of a ship, before its proof is asked; "" when it is not.

    One that can only be shown live is never in the way: only a ship can show it.
    """
    action = one.followup.action
    if one.closed or (action.proof is not None and action.proof.when == "live"):
        return ""
    if action.required:
        return "is required before the next deploy"
    if one.regressed or (one.problem and action.status == "closed"):
        return "counts as open again"
    if action.due is not None and now.date() > action.due + timedelta(days=grace_days):
        return f"is overdue since {action.due}"
    return ""


def decide(
    standings: Sequence[Standing],
    proven: Mapping[str, Proven],
    *,
    now: datetime,
    grace_days: int,
    folder: str,
    waiver_days: int = 30,
    source: str = "",
    rollback: bool = False,
) -> GateResult:
    """The gate's answer. ``proven`` holds the proofs that were run at the candidate, by name;
    ``folder`` names the service in the commands that clear it. A waiver that runs for longer than
    ``waiver_days`` from now was not made by the rules, and is none. A rollback is never refused."""
    blocking: list[tuple[Finding, Held | None]] = []
    listed: list[Finding] = []
    cleared = 0
    for one in standings:
        why = weighs(one, now, grace_days)
        if not why:
            if one.problem and one.closed:
                listed.append(_finding("not-known", one, one.problem, blocks=False))
            continue
        waiver = one.waiver
        result = proven.get(one.name)
        if result is not None and result.held is Held.HOLDS:
            cleared += 1
            text = f"{why}, and its proof holds at this commit"
            listed.append(_finding("fixed", one, text, blocks=False))
        elif waiver is not None and 0 <= (waiver.until - now.date()).days <= waiver_days:
            text = f"{why}; waived by {waiver.by} until {waiver.until}: {waiver.reason}"
            listed.append(_finding("waived", one, text, blocks=False))
        else:
            finding = _finding("open", one, _told(one, why, result), blocks=not rollback)
            blocking.append((finding, result.held if result else None))
    findings = tuple([one for one, _ in blocking] + listed)
    if rollback or not blocking:
        reason = _open_reason(standings, len(blocking), cleared, rollback=rollback)
        return GateResult(NAME, Status.PASS, reason, now, "", findings, source)
    names = ", ".join(one.where for one, _ in blocking)
    count = len(blocking)
    reason = f"{count} follow-up{'s' if count > 1 else ''} of incidents: {names}"
    clears = "; ".join(clearing(one.where, folder) for one, _ in blocking)
    sure = any(held is not Held.UNKNOWN for _, held in blocking)
    status = Status.FAIL if sure else Status.UNKNOWN
    return GateResult(NAME, status, reason, now, clears, findings, source)


def clearing(name: str, folder: str) -> str:
    """The command that shows whether ``name`` is done, or that lets it wait."""
    at = "" if folder in ("", ".") else f" --dir {shlex.quote(folder)}"
    name = shlex.quote(name)  # it may be copied into a shell, and a review may hold anything
    return (
        f"truegreen action check {name}{at} (then action close), or truegreen action waive "
        f"{name}{at} --by WHO --reason WHY --until DAY"
    )


def _told(one: Standing, why: str, result: Proven | None) -> str:
    problem = f" ({one.problem})" if one.problem else ""
    title = f": {one.followup.action.title}" if one.followup.action.title else ""
    if result is None:
        proof = "it has no proof" if one.followup.action.proof is None else "its proof was not run"
    elif result.held is Held.RED:
        proof = "its proof fails at this commit"
    else:
        proof = f"whether it is done could not be found out: {result.why}"
    over = ""
    if one.waiver is not None:
        over = f"; its waiver until {one.waiver.until} is over, or longer than may be"
    return f"{why}{problem}{over}; {proof}{title}"


def _finding(kind: str, one: Standing, text: str, *, blocks: bool) -> Finding:
    return Finding(kind, one.name, text, blocks=blocks)


def _open_reason(
    standings: Sequence[Standing], blocking: int, cleared: int, *, rollback: bool
) -> str:
    if rollback and blocking:
        return f"{blocking} would refuse a ship; a rollback is never refused"
    if not standings:
        return "no incident has a follow-up"
    closed = sum(one.closed for one in standings)
    told = f"{closed} of {len(standings)} follow-ups closed, none in the way"
    return f"{told}; {cleared} shown to be fixed by this commit" if cleared else told
