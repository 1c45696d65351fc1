"""What the verbs of ``truegreen action`` do: one value that knows the repository, the trusted
revision, the candidate and the ledger, and a method a verb."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from truegreen.config import Config
from truegreen.errors import Refused, TrueGreenError, UsageError
from truegreen.incidents.actions.checkout import Repository
from truegreen.incidents.actions.proof import Followup, Held
from truegreen.incidents.actions.prove import KIND, Proven, prove
from truegreen.incidents.actions.standing import Standing, last_day, read_standings
from truegreen.incidents.actions.trusted import Base, find_base, proof_digest
from truegreen.incidents.document import Action, Closed, Red, Waiver, write
from truegreen.incidents.folder import find_review, write_text
from truegreen.ledger import Ledger
from truegreen.state import locate


@dataclass(frozen=True, slots=True)
class Checked:
    """A follow-up with what its proof said; ``proven`` is None when there was nothing to run."""

    standing: Standing
    proven: Proven | None

    @property
    def regressed(self) -> bool:
        """It counts as closed, or did, and does not hold."""
        if self.standing.followup.action.status != "closed":
            return False
        held = self.proven.held if self.proven else None
        if self.standing.regressed and held is Held.HOLDS:
            return False  # what was the matter with it is over
        return held is Held.RED or (bool(self.standing.problem) and self.standing.sure)

    @property
    def unknown(self) -> bool:
        """It should be known, and could not be found out."""
        closed = self.standing.followup.action.status == "closed"
        asked = self.proven is not None and self.proven.held is Held.UNKNOWN
        return closed and (asked or (bool(self.standing.problem) and not self.standing.sure))

    def as_json(self, today: date) -> dict[str, Any]:
        proven = self.proven.as_json() if self.proven else None
        return {**self.standing.as_json(today), "proven": proven}


@dataclass(frozen=True, slots=True)
class Desk:
    """``candidate`` is the commit that proofs are asked about: HEAD, unless told otherwise."""

    config: Config
    repository: Repository
    base: Base
    candidate: str
    ledger: Ledger

    def standings(self) -> tuple[Standing, ...]:
        return read_standings(self.repository, self.config, self.base, self.candidate, self.ledger)

    def find(self, name: str, among: Sequence[Standing] | None = None) -> Standing:
        """The follow-up ``INCIDENT/ACTION``, or the only one called ``ACTION``. UsageError."""
        listed = self.standings() if among is None else among
        found = [one for one in listed if name in (one.name, one.followup.action.id)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(one.name for one in (found or listed)) or "there is none"
        told = "names several follow-ups" if found else "is no follow-up in a commit"
        raise UsageError(f"{name!r} {told}", hint=known)

    def check(
        self,
        chosen: Sequence[Standing],
        *,
        when: str = "candidate",
        red_again: bool = False,
        extra: Mapping[str, str] | None = None,
    ) -> Iterator[Checked]:
        """Runs the proofs of ``chosen`` at the candidate, one after the other; a closed one that
        fails counts as open from now on, one that holds again does not."""
        for one in chosen:
            proof = one.followup.action.proof
            if proof is None or proof.when != when:
                yield Checked(one, None)
                continue
            proven = self._proven(one, red_again=red_again, extra=extra)
            if one.followup.action.status == "closed" and proven.held is not Held.UNKNOWN:
                self.note(
                    one.followup, "ratchet", f"closed, and its proof {proven.held}",
                    held=str(proven.held), proof=proven.proof,
                )  # fmt: skip
            yield Checked(one, proven)

    def _proven(self, one: Standing, *, red_again: bool, extra: Mapping[str, str] | None) -> Proven:
        try:
            return prove(
                self.repository,
                one.followup,
                commit=self.candidate,
                trusted=self.trusted(one),
                ledger=self.ledger,
                red_again=red_again,
                extra=extra,
            )
        except UsageError as error:
            return Proven(one.name, "", None, None, str(error))

    def trusted(self, one: Standing) -> str:
        """The commit whose word on the proof counts: the candidate's own only for a new one."""
        return self.candidate if one.new else self.base.commit

    def close(self, name: str, now: datetime, extra: Mapping[str, str] | None = None) -> Proven:
        """Closes a follow-up whose proof was red and holds, in the review's file.

        Refused when the proof is not on the trusted revision yet, was changed since, or does not
        hold; UsageError for one that is closed, or whose file is not there.
        """
        one = self.find(name)
        action = self._in_folder(one)
        if action.status == "closed" and not one.problem:
            raise UsageError(f"{one.name} is closed already")
        if one.new:
            raise Refused(
                f"{one.name}: its proof is not on the trusted revision {self.base.name}",
                hint="merge it first, seen red; close the action in a later change",
            )
        self._same_proof(one, action)
        seen = one.followup.proof.red
        told = proof_digest(self.repository, one.followup, self.base.commit)
        again = seen is None or seen.proof != told
        proven = self._proven(one, red_again=again, extra=extra)
        if proven.held is not Held.HOLDS:
            why = proven.why or "it fails at this commit"
            said = proven.green.output.strip().splitlines()[-1:] if proven.green else []
            raise Refused(
                f"{one.name} is not shown to be done: {why}", hint=said[0] if said else ""
            )
        proof = action.proof
        assert proof is not None
        if proven.red is not None:
            proof = replace(proof, red=_red(proven, now))
        closed = Closed(now, self.candidate, proven.proof)
        self._write(one.followup, status="closed", closed=closed, proof=proof)
        self.note(
            one.followup, "close", "closed: its proof holds", held="holds", proof=proven.proof
        )
        return proven

    def _same_proof(self, one: Standing, action: Action) -> None:
        trusted = one.followup.action.proof
        if trusted is None:
            raise Refused(
                f"{one.name} has no proof on the trusted revision {self.base.name}",
                hint="add one, merge it, and close the action in a later change",
            )
        there = action.proof
        changed = there is None or replace(there, red=None) != replace(trusted, red=None)
        if not changed:
            at_base = proof_digest(self.repository, one.followup, self.base.commit)
            changed = proof_digest(self.repository, one.followup, self.candidate) != at_base
        if changed:
            raise Refused(
                f"{one.name}: its proof is not as the trusted revision {self.base.name} has it",
                hint="merge the proof first, and close the action in a later change",
            )

    def reopen(self, name: str, reason: str) -> Standing:
        """Opens a closed follow-up again, in the review's file."""
        one = self.find(name)
        action = self._in_folder(one)
        if action.status != "closed":
            raise UsageError(f"{one.name} is open")
        self._write(one.followup, status="open", closed=None, note=reason)
        self.note(one.followup, "reopen", f"reopened: {reason}")
        return one

    def waive(self, name: str, waiver: Waiver, today: date) -> Standing:
        """Lets a follow-up wait until a day: in the review's file, and in the ledger.

        UsageError for a day that is over, or later than the policy allows.
        """
        last = last_day(today, self.config.incidents.waiver_days)
        if not today <= waiver.until <= last:
            raise UsageError(
                f"--until {waiver.until} is {'over' if waiver.until < today else 'too late'}",
                hint=f"a day from {today} to {last} (incidents.waiver_days)",
            )
        if not waiver.by.strip() or not waiver.reason.strip():
            raise UsageError("a waiver has a name and a reason", hint="--by WHO --reason WHY")
        one = self.find(name)
        if one.closed:
            raise UsageError(f"{one.name} is closed: there is nothing to waive")
        self._in_folder(one)
        self._write(one.followup, waiver=waiver)
        self.note(
            one.followup, "waive", f"waived by {waiver.by} until {waiver.until}: {waiver.reason}",
            waiver={"by": waiver.by, "reason": waiver.reason, "until": waiver.until.isoformat()},
        )  # fmt: skip
        return one

    def _in_folder(self, one: Standing) -> Action:
        review = find_review(self.config, one.followup.incident)
        action = review.document.incident.action(one.followup.action.id)
        if action is None:
            raise UsageError(f"{review.path} in the folder has no {one.followup.action.id}")
        return action

    def _write(self, one: Followup, **changes: Any) -> None:
        """Writes these changes of one follow-up. The file is read again for it: two who change
        different follow-ups of one review at once both find theirs written."""
        with _alone(self.config):
            review = find_review(self.config, one.incident)
            actions = tuple(
                replace(there, **changes) if there.id == one.action.id else there
                for there in review.document.incident.actions
            )
            text = write(review.document.replace(actions=actions))
            write_text(self.config.root / review.path, text)

    def note(self, one: Followup, event: str, told: str, **more: object) -> None:
        """Appends what was done to the ledger."""
        body = {"event": event, "action": one.name, "sentence": f"{one.name}: {told}", **more}
        self.ledger.append(KIND, app="", commit=self.candidate, verdict=None, body=body)


def _red(proven: Proven, now: datetime) -> Red:
    red = proven.red
    assert red is not None
    assert red.exit is not None
    return Red(red.commit, now, red.exit, red.digest, proven.proof, red.state)


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Nobody else of this machine writes a review of the service meanwhile."""
    folder = config.root / ".truegreen"
    folder.mkdir(exist_ok=True)
    with (folder / "reviews.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def open_desk(config: Config, *, base: str | None = None, commit: str = "HEAD") -> Iterator[Desk]:
    """The desk of a service. UsageError where git has no such commit or revision."""
    repository = Repository.of(config.root)
    candidate = repository.commit(commit)
    if candidate is None:
        raise UsageError(f"there is no commit {commit!r}", hint="git add and git commit first")
    found = find_base(repository, config, base)
    try:
        with Ledger.open(locate(config.root)) as ledger:
            yield Desk(config, repository, found, candidate, ledger)
    except OSError as error:
        raise TrueGreenError(f"the ledger cannot be written: {error}") from error


def today() -> date:
    return datetime.now(UTC).date()
