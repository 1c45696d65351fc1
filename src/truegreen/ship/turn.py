"""Whose turn it is to ship an app: the lease and the queue, as people and programs read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from truegreen.ship.lease import moment
from truegreen.ship.leases import SCHEMA, Claim, Leases
from truegreen.ship.pipeline import lease_key
from truegreen.ship.target import Target
from truegreen.state import Location


@dataclass(frozen=True, slots=True)
class Turn:
    """Who ships ``app`` at this moment, and who waits, in order."""

    app: str
    lease: Claim | None
    queue: tuple[Claim, ...]
    now: float

    @property
    def busy(self) -> bool:
        return self.lease is not None or bool(self.queue)

    def as_json(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "lease": None if self.lease is None else claim_json(self.lease),
            "queue": [claim_json(one) for one in self.queue],
            "now": moment(self.now),
        }

    def lines(self) -> Iterator[str]:
        if self.lease is None:
            yield f"nobody ships {self.app}"
        else:
            since, until = moment(self.lease.taken_at), moment(self.lease.expires_at)
            yield f"{self.lease} ships {self.app} since {since}, until {until}"
        for number, claim in enumerate(self.queue, 1):
            yield f"{number}. {claim} waits since {moment(claim.taken_at)}"


def look_at_turn(location: Location, target: Target) -> Turn:
    """Reads the leases; makes no file where nobody has shipped yet."""
    if not location.shared and not location.file(SCHEMA.name).is_file():
        return Turn(target.app, None, (), 0.0)
    leases = Leases.open(location)
    try:
        found = leases.look(lease_key(target))
    finally:
        leases.close()
    return Turn(target.app, found.lease, found.before, found.now)


def claim_json(claim: Claim) -> dict[str, Any]:
    """A claim as documents have it: who, what, and from when to when."""
    return {
        "owner": claim.owner,
        "pid": claim.pid,
        "commit": claim.commit,
        "since": moment(claim.taken_at),
        "until": moment(claim.expires_at),
    }
