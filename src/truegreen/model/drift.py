"""What changed at an app since a moment when it was as it should be. Pure.

A snapshot is one look at the platform; a change is what a later look shows that the first did not.
Reading is verify/snapshot.py's; what follows from a change is said by whoever watches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "release-failed",  # a later release failed or expired
    "release-stuck",  # a later release has been pending for too long
    "code-drift",  # other code is current
    "config-drift",  # the config vars are others, without our doing
    "dyno-crashed",
    "dyno-stale",  # a dyno runs another release than the current one
    "dynos-missing",  # fewer than the formation wants
]
STUCK_AFTER = 3600.0  # seconds: a release command's time at Heroku
ONE_OFF = ("run", "release", "scheduler")


@dataclass(frozen=True, slots=True)
class SeenRelease:
    """One release at one look. ``age``: seconds since it was made."""

    version: int
    status: str
    current: bool
    slug: str | None
    age: float


@dataclass(frozen=True, slots=True)
class SeenDyno:
    """One dyno at one look."""

    name: str
    type: str
    state: str
    version: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at an app. ``releases``: newest first. ``config``: a digest of names and values.
    ``wanted``: the formation's quantities by process type."""

    releases: tuple[SeenRelease, ...]
    dynos: tuple[SeenDyno, ...]
    wanted: tuple[tuple[str, int], ...]
    config: str

    @property
    def current(self) -> SeenRelease | None:
        return next((one for one in self.releases if one.current), None)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was. ``key`` tells two changes of a kind apart."""

    kind: Kind
    key: str
    told: str


def changes(before: Snapshot, now: Snapshot, *, stuck_after: float = STUCK_AFTER) -> list[Change]:
    """What ``now`` shows that ``before`` did not, in the order of how much it matters."""
    return [
        *_releases(before, now, stuck_after),
        *_code(before, now),
        *_config(before, now),
        *_dynos(now),
    ]


def _releases(before: Snapshot, now: Snapshot, stuck_after: float) -> Iterator[Change]:
    newest = max((one.version for one in before.releases), default=0)
    told_before = {one.version: one.status for one in before.releases}
    for one in sorted(now.releases, key=lambda release: release.version):
        later = one.version > newest or told_before.get(one.version) == "pending"
        if later and one.status in ("failed", "expired"):
            yield Change("release-failed", f"v{one.version}", f"v{one.version} {one.status}")
        elif later and one.status == "pending" and one.age > stuck_after:
            told = f"v{one.version} has been pending for {one.age / 60:.0f} minutes"
            yield Change("release-stuck", f"v{one.version}", told)


def _code(before: Snapshot, now: Snapshot) -> Iterator[Change]:
    was, is_now = before.current, now.current
    if is_now is None:
        yield Change("code-drift", "none", "no release is current")
    elif was is not None and was.slug != is_now.slug:
        told = f"v{is_now.version} serves other code than v{was.version}"
        yield Change("code-drift", f"v{is_now.version}", told)


def _config(before: Snapshot, now: Snapshot) -> Iterator[Change]:
    if before.config != now.config:
        was, is_now = before.current, now.current
        by = f" since v{was.version}" if was else ""
        at = f" (v{is_now.version} is current)" if is_now else ""
        yield Change("config-drift", now.config, f"the config vars have changed{by}{at}")


def _dynos(now: Snapshot) -> Iterator[Change]:
    current = now.current
    # One that is listed twice is one dyno.
    serving = {dyno.name: dyno for dyno in now.dynos if dyno.type not in ONE_OFF}.values()
    for dyno in serving:
        if dyno.state in ("crashed", "down"):
            yield Change("dyno-crashed", dyno.name, f"{dyno.name} is {dyno.state}")
        elif current is not None and dyno.version != current.version and dyno.state == "up":
            told = f"{dyno.name} runs v{dyno.version}, v{current.version} is current"
            yield Change("dyno-stale", dyno.name, told)
    for kind, count in now.wanted:
        there = sum(1 for dyno in serving if dyno.type == kind)
        if kind not in ONE_OFF and there < count:
            yield Change("dynos-missing", kind, f"{kind}: {there} of {count} dynos")
