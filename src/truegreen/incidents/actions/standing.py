"""How each follow-up stands: what the trusted revision and the candidate say of it, what the ledger
knows besides (a closed one that was seen failing, a waiver). Decisions are pure; ``read`` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from truegreen.config import Config
from truegreen.incidents.actions import frozen
from truegreen.incidents.actions.checkout import Repository
from truegreen.incidents.actions.proof import Followup
from truegreen.incidents.actions.prove import KIND
from truegreen.incidents.actions.trusted import (
    Base,
    Version,
    followups,
    history,
    proof_digest,
    reviews_at,
)
from truegreen.incidents.document import Waiver
from truegreen.ledger import Ledger, Record


@dataclass(frozen=True, slots=True)
class Standing:
    """``closed``: it counts as closed. ``problem``: why it does not although it says so, or what is
    wrong with it; ``sure``: that is known, and not just not found out. ``regressed``: it was
    closed, and its proof was seen failing since. ``new``: the trusted revision has it not yet."""

    followup: Followup
    closed: bool
    problem: str = ""
    sure: bool = True
    regressed: bool = False
    waiver: Waiver | None = None
    new: bool = False

    @property
    def name(self) -> str:
        return self.followup.name

    def state(self, today: date) -> str:
        """One word: closed, reopened, waived, overdue, required, open."""
        action = self.followup.action
        if self.closed:
            return "closed"
        if self.waiver is not None and self.waiver.until >= today:
            return "waived"
        if self.regressed or self.problem:
            return "reopened"
        if action.due is not None and action.due < today:
            return "overdue"
        return "required" if action.required else "open"

    def as_json(self, today: date) -> dict[str, Any]:
        action = self.followup.action
        return {
            "name": self.name,
            "title": action.title,
            "owner": action.owner,
            "due": action.due.isoformat() if action.due else None,
            "kind": action.kind,
            "strength": action.strength,
            "required": action.required,
            "state": self.state(today),
            "problem": self.problem,
            "when": action.proof.when if action.proof else None,
            "seen_red": action.proof is not None and action.proof.red is not None,
            "waived_until": self.waiver.until.isoformat() if self.waiver else None,
            "issue": action.issue,
        }


def read_standings(
    repository: Repository, config: Config, base: Base, candidate: str, ledger: Ledger | None
) -> tuple[Standing, ...]:
    """How every follow-up of the service stands when ``candidate`` would be shipped.

    One that the trusted revision has is taken from there: a change cannot remove it, or loosen it,
    for itself. ConfigError for a review that cannot be read.
    """
    trusted = followups(reviews_at(repository, config, base.commit))
    ours = followups(reviews_at(repository, config, candidate)) if candidate != base.commit else {}
    records = list(ledger.records(kind=KIND)) if ledger else []
    found: list[Standing] = []
    for name, one in {**ours, **trusted}.items():
        waiver = longest([one.action.waiver, *_waivers(records, name)])
        regressed = _regressed(records, one)
        if one.action.status != "closed":
            found.append(
                Standing(one, closed=False, regressed=regressed, waiver=waiver,
                         new=name not in trusted)
            )  # fmt: skip
            continue
        problem, sure = _how_closed(repository, one, trusted.get(name), base, candidate)
        if regressed:
            problem = "its proof was seen failing since it was closed"
        closed = not problem or (not sure and not regressed)
        found.append(Standing(one, closed, problem, sure, regressed, waiver, name not in trusted))
    for name in sorted(trusted.keys() - ours.keys()) if candidate != base.commit else ():
        gone = next(index for index, one in enumerate(found) if one.name == name)
        if found[gone].followup.action.status == "closed":
            kept = found[gone]
            found[gone] = Standing(kept.followup, closed=False, problem="the change removes it",
                                   waiver=kept.waiver)  # fmt: skip
    return tuple(sorted(found, key=lambda one: one.name))


def _how_closed(
    repository: Repository, one: Followup, trusted: Followup | None, base: Base, candidate: str
) -> tuple[str, bool]:
    if one.action.proof is None:
        return "it is closed without a proof", True
    now = proof_digest(repository, one, candidate)
    red, closed = one.action.proof.red, one.action.closed
    if closed is None or red is None:
        return "it was closed by hand: nothing says that its proof was seen red", True
    if now not in (closed.proof, red.proof) or closed.proof != red.proof:
        return "its proof is not the one that it was closed with", True
    there: Version | None = None
    if candidate != base.commit:
        if trusted is None:
            there = Version(base.commit, there=False, closed=False, proof="")
        else:
            proof = trusted.action.proof
            told = proof_digest(repository, trusted, base.commit) if proof else ""
            there = Version(base.commit, True, trusted.action.status == "closed", told)
    return frozen.problem(history(repository, one, candidate), trusted=there, now=now)


def longest(waivers: Iterable[Waiver | None]) -> Waiver | None:
    """The waiver that holds longest, or None."""
    found = [one for one in waivers if one is not None]
    return max(found, key=lambda one: one.until, default=None)


def _waivers(records: Iterable[Record], name: str) -> list[Waiver]:
    found: list[Waiver] = []
    for record in records:
        told = record.body.get("waiver")
        if record.body.get("action") == name and isinstance(told, Mapping):
            found.append(
                Waiver(str(told["by"]), str(told["reason"]), date.fromisoformat(str(told["until"])))
            )
    return found


def _regressed(records: Iterable[Record], one: Followup) -> bool:
    """Whether its proof failed when it was run last, closing it included. By the ledger's order and
    not by time: a clock that was set closes nothing."""
    newest = ""
    for record in records:
        ours = record.body.get("action") == one.name
        if ours and record.body.get("event") in ("ratchet", "close"):
            newest = str(record.body.get("held"))
    return newest == "red"


def last_day(today: date, days: int) -> date:
    """The last day that a waiver of today may name."""
    return today + timedelta(days=days)
