"""Old web dynos that go on serving after their replacement: unlisted, as Heroku's preboot has it.

What is kept and for how long is a policy that is asked at each replacement; how a dyno runs and
ends is `dynos`'. Facts: devcenter "Preboot"; the old dynos serve for about 3 minutes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

PREBOOT_SECONDS = 180.0
D = TypeVar("D")


@dataclass(frozen=True)
class Handover:
    """``linger``: seconds that the old web dynos serve on, and they alone (0: no preboot);
    ``stale``: does one of them serve on beside the new ones, until `Kept.drop_stale`?"""

    linger: float = 0.0
    stale: bool = False


class Kept(Generic[D]):
    """The dynos that serve on, by app. ``retire`` stops one for good."""

    def __init__(self, retire: Callable[[D], object]) -> None:
        self._retire = retire
        self._lingering: dict[str, list[D]] = defaultdict(list)
        self._stale: dict[str, list[D]] = defaultdict(list)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def take(self, app: str, old: list[D], handover: Handover) -> None:
        """``old``: the web dynos that were up and have been replaced now."""
        if handover.stale and old and not self._stale[app]:
            self._stale[app].append(old.pop(0))
        if handover.linger > 0 and old:
            self.end_lingering(app)
            self._lingering[app] = old
            self._timers[app] = asyncio.get_running_loop().call_later(
                handover.linger, self.end_lingering, app
            )
        else:
            for dyno in old:
                self._retire(dyno)

    def lingering(self, app: str) -> list[D]:
        return list(self._lingering.get(app, ()))

    def stale(self, app: str) -> list[D]:
        return list(self._stale.get(app, ()))

    def end_lingering(self, app: str) -> None:
        if timer := self._timers.pop(app, None):
            timer.cancel()
        for dyno in self._lingering.pop(app, []):
            self._retire(dyno)

    def drop_stale(self) -> None:
        for app in list(self._stale):
            for dyno in self._stale.pop(app):
                self._retire(dyno)

    def forget(self, app: str) -> None:
        self.end_lingering(app)
        for dyno in self._stale.pop(app, []):
            self._retire(dyno)

    def close(self) -> None:
        for app in {*self._lingering, *self._stale}:
            self.forget(app)
