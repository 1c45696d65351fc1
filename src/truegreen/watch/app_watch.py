"""One app, looked at again and again with as few calls as it takes: two, as a rule answered 304.

Config vars cannot change without a release, so they are read only when the releases have changed;
the formation too, and every tenth look besides, because scaling makes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from truegreen.heroku.client import Unchanged
from truegreen.heroku.models import Dyno, FormationEntry, Release
from truegreen.model.drift import STUCK_AFTER, Change, Snapshot, changes
from truegreen.verify.snapshot import snapshot_of

RELEASES = 10  # of the newest that are looked at
_FORMATION_EVERY = 10  # looks
COST = 2  # calls of a look at which nothing changed


class Watched(Protocol):
    """The part of the Platform API that a watch reads."""

    def releases_unless(
        self, app: str, etag: str, limit: int
    ) -> tuple[tuple[Release, ...], str]: ...
    def dynos_unless(self, app: str, etag: str) -> tuple[tuple[Dyno, ...], str]: ...
    def config_vars(self, app: str) -> Mapping[str, str]: ...
    def formation(self, app: str) -> Sequence[FormationEntry]: ...


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look told: changes that are new, those that are gone, and how many calls it took."""

    app: str
    began: tuple[Change, ...]
    ended: tuple[Change, ...]
    calls: int


class AppWatch:
    """The memory of a watch over ``app``. The first look is what later ones are compared with."""

    def __init__(self, app: str, *, stuck_after: float = STUCK_AFTER) -> None:
        self.app = app
        self._stuck_after = stuck_after
        self._before: Snapshot | None = None
        self._releases: tuple[Release, ...] = ()
        self._dynos: tuple[Dyno, ...] = ()
        self._config: Mapping[str, str] = {}
        self._formation: Sequence[FormationEntry] = ()
        self._etags = {"releases": "", "dynos": ""}
        self._looks = 0
        self._open: dict[tuple[str, str], Change] = {}

    @property
    def open(self) -> tuple[Change, ...]:
        """What is not as it was, as far as the last look told."""
        return tuple(self._open.values())

    def look(self, platform: Watched, now: datetime | None = None) -> Sight:
        """One look. Raises Unverified when the platform does not say: then nothing is kept."""
        calls = 2
        moved = True
        releases, dynos = self._releases, self._dynos
        config, formation = self._config, self._formation
        etags = dict(self._etags)
        try:
            releases, etags["releases"] = platform.releases_unless(
                self.app, etags["releases"], RELEASES
            )
        except Unchanged:
            moved = False
        if moved:
            config = platform.config_vars(self.app)
            calls += 1
        if moved or self._looks % _FORMATION_EVERY == 0:
            formation = platform.formation(self.app)
            calls += 1
        with suppress(Unchanged):
            dynos, etags["dynos"] = platform.dynos_unless(self.app, etags["dynos"])
        seen = snapshot_of(releases, config, formation, dynos, now or datetime.now(UTC))
        self._releases, self._dynos, self._config = releases, dynos, config
        self._formation, self._etags = formation, etags
        self._looks += 1
        return self._compare(seen, calls)

    def _compare(self, seen: Snapshot, calls: int) -> Sight:
        if self._before is None:
            self._before = seen
        found: dict[tuple[str, str], Change] = {
            (one.kind, one.key): one
            for one in changes(self._before, seen, stuck_after=self._stuck_after)
        }
        began = tuple(one for key, one in found.items() if key not in self._open)
        ended = tuple(one for key, one in self._open.items() if key not in found)
        self._open = found
        return Sight(self.app, began, ended, calls)
