"""Rules: every action has an owner, a day, a kind, a strength and a proof that can be run."""

from __future__ import annotations

from collections.abc import Iterator

from truegreen.incidents.document import Action
from truegreen.incidents.lint.finding import Finding, Level
from truegreen.incidents.lint.surroundings import Linted

LONGEST = 3600.0  # seconds that a proof may take
_NEEDED = {
    "title": "say what is to be done",
    "owner": "name one person or agent",
    "due": "give it a day: due: 2026-06-28",
    "kind": "prevent, detect or mitigate",
    "strength": "procedure, warning, check, constraint or elimination",
    "proof": "a command that fails now, and passes when it is done",
}


def actions(review: Linted) -> Iterator[Finding]:
    """``action-…``: each follow-up by itself."""
    incident = review.prose.incident
    for number, action in enumerate(incident.actions):
        line = review.document.line_of("actions", number)
        if not review.document.has_front:
            line = int(action.id.removeprefix("line-"))
        for rule, level, text, fix in _of(action, review):
            yield Finding(rule, level, review.file, line, f"action {action.id}: {text}", fix)
    still = [one.id for one in incident.actions if one.status != "closed"]
    if incident.status == "closed" and still:
        yield Finding(
            "closed-too-early", Level.ERROR, review.file, review.document.line_of("status"),
            f"the incident is closed, and {', '.join(still)} is open", "status: resolved",
        )  # fmt: skip


def _of(action: Action, review: Linted) -> Iterator[tuple[str, Level, str, str]]:
    around, incident = review.around, review.prose.incident
    for name, fix in _NEEDED.items():
        if not getattr(action, name):
            yield f"action-without-{name}", Level.ERROR, f"has no {name}", fix
    if action.owner and around.owners and action.owner not in around.owners:
        known = ", ".join(around.owners)
        yield "owner-unknown", Level.ERROR, f"nobody knows {action.owner}", f"one of {known}"
    if action.due and incident.date and action.due < incident.date:
        yield "due-before", Level.ERROR, f"is due {action.due}, before the incident", ""
    if action.due and action.status == "open" and action.due < around.today:
        text = f"is overdue since {action.due}"
        yield "overdue", Level.WARNING, text, f"truegreen action close {action.id}"
    if action.waiver and action.waiver.until < around.today:
        text = f"its waiver ended {action.waiver.until}"
        yield "waiver-over", Level.WARNING, text, "close it, or decide again"
    yield from _of_proof(action, around.drills)
    if action.status == "closed" and action.closed is None:
        text = "is closed, and nothing says by which proof"
        yield "closed-by-hand", Level.ERROR, text, f"truegreen action close {action.id}"


def _of_proof(
    action: Action, drills: frozenset[str] | None
) -> Iterator[tuple[str, Level, str, str]]:
    proof = action.proof
    if proof is None:
        return
    forms = [name for name in ("run", "test", "drill") if getattr(proof, name)]
    if len(forms) != 1:
        told = " and ".join(forms) or "nothing to run"
        text = f"its proof has {told}"
        yield "proof-form", Level.ERROR, text, "exactly one of run, test and drill"
    if not 0 < proof.timeout <= LONGEST:
        text = f"its proof may take {proof.timeout:g} s"
        yield "proof-timeout", Level.ERROR, text, f"above 0, at most {LONGEST:.0f} s"
    if proof.drill and drills is not None and proof.drill not in drills:
        yield "proof-drill", Level.ERROR, f"there is no drill {proof.drill}", "truegreen drill list"
    if action.required and proof.when == "live":
        text = "is required before the next deploy, and can only be shown after one"
        yield "proof-when", Level.ERROR, text, "give it a proof with when: candidate"
    if action.status == "closed" and proof.red is None:
        text = "is closed, and its proof was never seen failing"
        yield "never-red", Level.ERROR, text, f"truegreen action reopen {action.id}, then close"
