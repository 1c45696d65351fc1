"""A ship that a test moves on by hand, as a board sees it."""

from __future__ import annotations

from board_service import COMMIT, check, event

from truegreen.ship.holder import Holder
from truegreen.ship.leases import Claim, Leases, Taken
from truegreen.ship.underway import Beginning, Progress, UnderwayRuns
from truegreen.state import Location

API = "https://api.example/apps/"
BODY = {
    "events": [
        event("00", "gates", "done"),
        event("01", "build", "done", "slug 1"),
        event("02", "release", "running", "v7"),
    ],
    "checks": [check("build.succeeded", "pass", at="19:35:02")],
    "output": {"step": "release", "heard": 3, "lines": ["0045 -> 0046", "<b>late</b>"]},
}
RELEASE = Progress("release", "running", "2026-06-21T19:35:02.000Z", "v7", BODY)


class Ship:
    """It is in its release; ``after`` is the ledger's last record."""

    def __init__(self, where: Location, app: str, after: int, kind: str = "ship") -> None:
        self._leases, self._runs = Leases.open(where), UnderwayRuns.open(where)
        taken = self._leases.take(API + app, Holder.here(), COMMIT, seconds=3600, wait=False)
        assert isinstance(taken, Taken)
        self.claim: Claim = taken.lease
        commit = COMMIT if kind == "ship" else ""
        self._runs.begin(
            Beginning(API + app, self.claim.holder, "kim@laptop", kind, commit,
                      "truegreen ship --env production", after)
        )  # fmt: skip
        self.tell(RELEASE)

    def tell(self, progress: Progress, *, ended: bool = False) -> None:
        assert self._runs.tell(self.claim.app, self.claim.holder, progress, ended=ended)

    def give_back(self) -> None:
        """Without a word before: what is left of a ship that was killed."""
        self._leases.give_back(self.claim.app, self.claim.holder)

    def end(self) -> None:
        self.tell(RELEASE, ended=True)
        self.give_back()

    def close(self) -> None:
        self._leases.close()
        self._runs.close()
