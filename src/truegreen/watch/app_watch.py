"""One app, looked at again and again with as few calls as it takes: two, as a rule answered 304.

Config vars cannot change without a release, so they are read only when there is a new one; the
formation when another is current, and every tenth look besides, because scaling makes none. Of an
app only what the next look is compared with is kept, and of its config vars a digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from truegreen.heroku.client import Unchanged
from truegreen.heroku.models import Dyno, FormationEntry, Release
from truegreen.model import digest_of
from truegreen.model.drift import STUCK_AFTER, Change, SeenRelease, Snapshot, changes
from truegreen.verify.snapshot import seen_dynos, seen_releases, wanted

RELEASES = 10  # of the newest that are looked at
_FORMATION_EVERY = 10  # looks
COST = 2  # calls of a look at which nothing changed
MOST = 4  # calls of any look


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
    """What one look told: changes that are new, those that are gone, and how many calls it took.
    ``pending``: a release is under way. ``seen_to``: all releases up to that version have ended."""

    app: str
    began: tuple[Change, ...]
    ended: tuple[Change, ...]
    calls: int
    pending: bool = False
    seen_to: int = 0


class AppWatch:
    """The memory of a watch over ``app``. The first look is what later ones are compared with.

    With ``seen_to``, releases above that version are news at the first look already; without, and
    with ``since``, those that were made after it.
    """

    __slots__ = (
        "_before", "_etags", "_looks", "_now", "_open", "_seen_at", "_seen_to", "_since",
        "_stuck_after", "app",
    )  # fmt: skip

    def __init__(
        self,
        app: str,
        *,
        stuck_after: float = STUCK_AFTER,
        seen_to: int | None = None,
        since: datetime | None = None,
    ) -> None:
        self.app = app
        self._stuck_after = stuck_after
        self._seen_to = seen_to
        self._since = since
        self._before: Snapshot | None = None
        self._now = Snapshot((), (), (), "")
        self._seen_at: datetime | None = None
        self._etags = ("", "")  # of the releases, of the dynos
        self._looks = 0
        self._open: dict[tuple[str, str], Change] = {}

    @property
    def open(self) -> tuple[Change, ...]:
        """What is not as it was, as far as the last look told."""
        return tuple(self._open.values())

    def look(self, platform: Watched, now: datetime | None = None) -> Sight:
        """One look. Raises Unverified when the platform does not say: then nothing is kept."""
        moment = now or datetime.now(UTC)
        calls = COST
        of_releases, of_dynos = self._etags
        seen = last = self._aged(moment)
        found: tuple[Release, ...] = ()
        with suppress(Unchanged):
            found, of_releases = platform.releases_unless(self.app, of_releases, RELEASES)
            seen = replace(seen, releases=seen_releases(found, moment))
        if _newest(seen) != _newest(last) or self._before is None:
            config = digest_of(dict(platform.config_vars(self.app)))
            seen = replace(seen, config=config)
            calls += 1
        if _current(seen) != _current(last) or self._looks % _FORMATION_EVERY == 0:
            seen = replace(seen, wanted=wanted(platform.formation(self.app)))
            calls += 1
        with suppress(Unchanged):
            dynos, of_dynos = platform.dynos_unless(self.app, of_dynos)
            seen = replace(seen, dynos=seen_dynos(dynos))
        if self._before is None:
            self._before = replace(seen, releases=self._known(found, seen.releases))
        self._now, self._seen_at, self._etags = seen, moment, (of_releases, of_dynos)
        self._looks += 1
        return self._compare(self._before, seen, calls)

    def _aged(self, moment: datetime) -> Snapshot:
        """The last look, with its pending releases as old as they are at ``moment``."""
        later = 0.0 if self._seen_at is None else (moment - self._seen_at).total_seconds()
        if not any(one.status == "pending" for one in self._now.releases):
            return self._now
        aged = (replace(one, age=one.age + later) for one in self._now.releases)
        return replace(self._now, releases=tuple(aged))

    def _known(
        self, found: Sequence[Release], seen: Sequence[SeenRelease]
    ) -> tuple[SeenRelease, ...]:
        """Of the first look's releases, those that are no news."""
        if self._seen_to is not None:
            return tuple(one for one in seen if one.version <= self._seen_to)
        if self._since is None:
            return tuple(seen)
        old = {one.version for one in found if one.created_at <= self._since}
        return tuple(one for one in seen if one.version in old)

    def _compare(self, before: Snapshot, seen: Snapshot, calls: int) -> Sight:
        found: dict[tuple[str, str], Change] = {
            (one.kind, one.key): one for one in changes(before, seen, stuck_after=self._stuck_after)
        }
        began = tuple(one for key, one in found.items() if key not in self._open)
        ended = tuple(one for key, one in self._open.items() if key not in found)
        self._open = found
        pending = [one.version for one in seen.releases if one.status == "pending"]
        seen_to = min(pending) - 1 if pending else _newest(seen)
        return Sight(self.app, began, ended, calls, bool(pending), seen_to)


def _current(seen: Snapshot) -> int | None:
    return None if seen.current is None else seen.current.version


def _newest(seen: Snapshot) -> int:
    return max((one.version for one in seen.releases), default=0)
