"""A platform of many apps in memory, with ETags, that counts what it is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from truegreen.errors import PlatformRefused, PlatformUnreachable
from truegreen.heroku.client import Unchanged
from truegreen.heroku.models import App, Dyno, FormationEntry, Release

T0 = datetime(2026, 6, 21, 19, 32, tzinfo=UTC)


class Apps:
    """Every app has one release, one web dyno, and config vars."""

    def __init__(self, *names: str) -> None:
        self.asked: Counter[str] = Counter()
        self.away: set[str] = set()
        self.rate_limit_remaining: int | None = None
        self.refuse = 0  # the status that every question gets instead of an answer
        self._releases = {name: (release(1, current=True),) for name in names}
        self._dynos = {name: (dyno("up", 1),) for name in names}
        self._config = {name: {"A": "1"} for name in names}
        self._wanted = dict.fromkeys(names, 1)

    def release(self, app: str, status: str = "succeeded", **config: str) -> None:
        """A new release: it becomes current, with its dynos, when it succeeded."""
        number = len(self._releases[app]) + 1
        good = status == "succeeded"
        before = tuple(replace(r, current=r.current and not good) for r in self._releases[app])
        self._releases[app] = (release(number, status, current=good), *before)
        if good:
            self._dynos[app] = (dyno("up", number),)
            self._config[app] = {**self._config[app], **config}

    def crash(self, app: str, state: str = "crashed") -> None:
        self._dynos[app] = (self._dynos[app][0]._replace(state=state),)

    def scale(self, app: str, count: int) -> None:
        self._wanted[app] = count

    def remove(self, app: str) -> None:
        del self._releases[app]

    def end(self, app: str, status: str) -> None:
        """The newest release of ``app`` ends; the list of apps does not show it."""
        newest, *older = self._releases[app]
        self._releases[app] = (replace(newest, status=status), *older)

    @property
    def calls(self) -> int:
        return self.asked.total()

    def apps_unless(self, etag: str) -> tuple[list[App], str]:
        self._ask("apps", "")
        found = [
            App(n, n, None, None, None, None, None, None, "", released_at=r[0].created_at)
            for n, r in self._releases.items()
        ]
        return self._unless(found, etag, str([(one.name, one.released_at) for one in found]))

    def releases_unless(self, app: str, etag: str, limit: int) -> tuple[tuple[Release, ...], str]:
        self._ask("releases", app)
        return self._unless(self._releases[app][:limit], etag)

    def dynos_unless(self, app: str, etag: str) -> tuple[tuple[Dyno, ...], str]:
        self._ask("dynos", app)
        return self._unless(self._dynos[app], etag)

    def config_vars(self, app: str) -> dict[str, str]:
        self._ask("config", app)
        return self._config[app]

    def formation(self, app: str) -> list[FormationEntry]:
        self._ask("formation", app)
        return [FormationEntry("web", self._wanted[app], "basic", "serve", "")]

    def _ask(self, what: str, app: str) -> None:
        self.asked[what] += 1
        if self.refuse:
            raise PlatformRefused("no more", status=self.refuse)
        if app in self.away or what in self.away:
            raise PlatformUnreachable("no answer")

    def _unless(self, value: Any, etag: str, now: str = "") -> tuple[Any, str]:
        now = now or str(hash(value))
        if etag == now:
            raise Unchanged
        return value, now


def release(number: int, status: str = "succeeded", *, current: bool = False) -> Release:
    return Release(
        id=f"release-{number}",
        version=number,
        status=status,
        current=current,
        slug_id="slug",
        output_stream_url=None,
        description="",
        created_at=T0.replace(minute=number % 60),
        user_email=None,
        eligible_for_rollback=True,
        raw_digest="",
    )


def dyno(state: str, version: int) -> Dyno:
    return Dyno(
        id="d",
        name="web.1",
        type="web",
        state=state,
        release_id=f"release-{version}",
        release_version=version,
        command="serve",
        created_at=T0,
        updated_at=T0,
        size="basic",
        raw_digest="",
    )


class Clock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
