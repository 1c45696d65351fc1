"""Overrides: a shut gate is passed on purpose, by somebody, for a reason, until a time. Pure.

An override is of one gate and one commit of one app. It opens the way to a deploy and nothing
else: the verdict afterwards rests on the evidence alone, and evidence cannot be overridden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from truegreen.errors import UsageError
from truegreen.gates.result import GateResult
from truegreen.model import BY_NAME, stamp

KIND = "gate"  # beside the other overrides of a run, in its document
LONGEST = timedelta(days=7)
_TEXT = 500  # characters of a reason


class Override(NamedTuple):
    """``by`` gave it at ``at``, it holds until ``until`` (both with zones)."""

    gate: str
    app: str
    commit: str
    reason: str
    ticket: str
    by: str
    at: datetime
    until: datetime

    def opens(self, result: GateResult, app: str, commit: str, now: datetime) -> bool:
        """Whether it lets ``commit`` of ``app`` pass the gate of ``result`` at ``now``."""
        return (
            self.gate == result.name
            and self.app == app
            and self.commit == commit
            and self.at <= now < self.until
        )

    @property
    def told(self) -> str:
        return (
            f"{self.gate} overridden by {self.by} until {stamp(self.until)}: "
            f"{self.reason} ({self.ticket})"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": KIND,
            "gate": self.gate,
            "app": self.app,
            "commit": self.commit,
            "reason": self.reason,
            "ticket": self.ticket,
            "by": self.by,
            "at": stamp(self.at),
            "until": stamp(self.until),
        }


def given(
    gates: Sequence[str],
    known: Iterable[str],
    *,
    app: str,
    commit: str,
    reason: str,
    ticket: str,
    until: datetime | None,
    by: str,
    now: datetime,
) -> tuple[Override, ...]:
    """The overrides that a call asks for. Raises UsageError, before anything is done, for a gate
    that is not there, a check (evidence is never overridden), a missing part, or an ``until`` that
    is past or further away than a week."""
    if not gates:
        if reason or ticket or until is not None:
            raise UsageError(
                "--reason, --ticket and --until belong to an override", hint="add --override GATE"
            )
        return ()
    names = tuple(known)
    for gate in gates:
        if gate in BY_NAME:
            raise UsageError(
                f"{gate} is a check, and evidence cannot be overridden",
                hint="only gates can: " + ", ".join(names),
            )
        if gate not in names:
            raise UsageError(f"--override {gate}: no such gate", hint="one of " + ", ".join(names))
    reason, ticket = " ".join(reason.split())[:_TEXT], " ".join(ticket.split())[:_TEXT]
    for name, value in (("--reason", reason), ("--ticket", ticket), ("--until", until)):
        if not value:
            raise UsageError(
                f"--override needs {name}",
                hint='--override freeze --reason "fix for INC-7" --ticket INC-7 --until 2026-…Z',
            )
    assert until is not None
    if until <= now:
        raise UsageError(f"--until: {stamp(until)} is past", hint="a time to come")
    if until - now > LONGEST:
        raise UsageError(
            f"--until: {stamp(until)} is further away than {LONGEST.days} days",
            hint="an override is for this release, not for ever",
        )
    return tuple(
        Override(gate, app, commit, reason, ticket, by, now, until) for gate in dict.fromkeys(gates)
    )


def from_json(told: Mapping[str, Any]) -> Override | None:
    """An override as it was recorded; None for what is none (or of another kind)."""
    if told.get("kind") != KIND:
        return None
    try:
        return Override(
            gate=str(told["gate"]),
            app=str(told["app"]),
            commit=str(told["commit"]),
            reason=str(told["reason"]),
            ticket=str(told["ticket"]),
            by=str(told["by"]),
            at=_moment(told["at"]),
            until=_moment(told["until"]),
        )
    except (KeyError, ValueError):
        return None


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).astimezone(UTC)


class Weighed(NamedTuple):
    """The gates' answers with what overrides them: ``used`` are the overrides that opened a gate
    that was shut, ``shut`` the answers that still are."""

    results: tuple[GateResult, ...]
    used: tuple[Override, ...]
    shut: tuple[GateResult, ...]

    @property
    def told(self) -> str:
        """Each gate in a word or two."""

        return ", ".join(f"{one.name} {self._state(one)}" for one in self.results)

    def _state(self, result: GateResult) -> str:
        if result.open:
            return "open"
        return "OVERRIDDEN" if result not in self.shut else "shut"

    @property
    def refusal(self) -> str:
        return "; ".join(f"gate {one.name}: {one.reason}" for one in self.shut)


def weigh(
    results: Sequence[GateResult],
    overrides: Sequence[Override],
    *,
    app: str,
    commit: str,
    now: datetime,
) -> Weighed:
    """What the answers come to for ``commit`` of ``app`` at ``now``, given the overrides. A gate
    that is open needs none, and uses none up."""
    used: list[Override] = []
    shut: list[GateResult] = []
    for result in results:
        if result.open:
            continue
        mine = [one for one in overrides if one.opens(result, app, commit, now)]
        if mine:
            used.append(max(mine, key=lambda one: one.at))
        else:
            shut.append(result)
    return Weighed(tuple(results), tuple(used), tuple(shut))
