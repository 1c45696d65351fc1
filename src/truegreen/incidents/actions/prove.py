"""Proves a follow-up: seen red at the incident's state, then asked at a commit. What was found out
once about the same proof and the same commit is taken from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truegreen.incidents.actions.checkout import Repository
from truegreen.incidents.actions.proof import Followup, Held
from truegreen.incidents.actions.run import Outcome, run_proof
from truegreen.incidents.actions.trusted import proof_digest
from truegreen.ledger import Ledger

KIND = "action"  # of the ledger's records


@dataclass(frozen=True, slots=True)
class Proven:
    """``red``: its run at the incident's state (None: recorded as seen before). ``green``: its run
    at the candidate. ``proof``: the digest of what was run. ``problem``: why it is no proof yet."""

    name: str
    proof: str
    red: Outcome | None
    green: Outcome | None
    problem: str = ""

    @property
    def held(self) -> Held:
        """``holds`` only when it was seen red and is green now."""
        if self.problem or self.green is None:
            return Held.UNKNOWN
        return self.green.held

    @property
    def why(self) -> str:
        return self.problem or (self.green.why if self.green else "")

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "proof": self.proof,
            "held": str(self.held),
            "why": self.why,
            "red": self.red.as_json() if self.red else None,
            "green": self.green.as_json() if self.green else None,
        }


def see_red(repository: Repository, one: Followup, trusted: str) -> tuple[Outcome | None, str]:
    """Runs the proof at the incident's state: its commit, or where the review names a state, the
    trusted revision with that state laid over it. The outcome, and why it is no red one ("")."""
    commit = repository.commit(one.commit) if one.commit else None
    state = ""
    if one.state:
        folder = one.review.rpartition("/")[0]
        state = f"{folder}/{one.state}" if folder else one.state
        commit = commit or trusted
        if repository.object_id(trusted, state) is None:
            return None, f"the incident's state {one.state} is not in the trusted revision"
    if commit is None:
        missing = f"its commit {one.commit[:12]} is not here" if one.commit else "it names none"
        return None, f"the incident's state is not known: {missing}"
    outcome = run_proof(repository, one.proof, commit=commit, trusted=trusted, state=state)
    if outcome.held is Held.RED:
        return outcome, ""
    if outcome.held is Held.HOLDS:
        return outcome, "it passes at the incident's state, so it proves nothing"
    return outcome, f"it could not be seen failing at the incident's state: {outcome.why}"


def prove(
    repository: Repository,
    one: Followup,
    *,
    commit: str,
    trusted: str,
    ledger: Ledger | None = None,
    red_again: bool = False,
    extra: Mapping[str, str] | None = None,
) -> Proven:
    """Proves ``one`` at ``commit``; the proof and its files are those of the commit ``trusted``.

    That it was seen red is believed when the review records it for this very proof, or the ledger
    does, unless ``red_again``. Raises UsageError for a proof that is none.
    """
    told = proof_digest(repository, one, trusted)
    recorded = one.proof.red
    red: Outcome | None = None
    known = recorded is not None and recorded.proof == told
    if red_again or not (known or _seen(ledger, one, told, "red")):
        red, problem = see_red(repository, one, trusted)
        if problem:
            return Proven(one.name, told, red, None, problem)
        _note(ledger, one, told, "red", red)
    green = run_proof(repository, one.proof, commit=commit, trusted=trusted, extra=extra)
    _note(ledger, one, told, "check", green)
    return Proven(one.name, told, red, green)


def _seen(ledger: Ledger | None, one: Followup, proof: str, event: str) -> bool:
    if ledger is None:
        return False
    return any(
        record.body.get("event") == event
        and record.body.get("action") == one.name
        and record.body.get("proof") == proof
        for record in ledger.records(kind=KIND, newest_first=True)
    )


def _note(
    ledger: Ledger | None, one: Followup, proof: str, event: str, outcome: Outcome | None
) -> None:
    if ledger is None or outcome is None:
        return
    where = f"{outcome.commit[:8]}{' with ' + outcome.state if outcome.state else ''}"
    told = f"{one.name}: its proof {outcome.held} at {where}"
    body = {
        "event": event,
        "action": one.name,
        "proof": proof,
        "outcome": outcome.as_json(),
        "sentence": f"{told}: {outcome.why}" if outcome.why else told,
    }
    ledger.append(KIND, app="", commit=outcome.commit, verdict=None, body=body)
