"""Takes one look at an app: what model/drift.py compares. Four questions to the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from truegreen.heroku.models import Dyno, FormationEntry, Release
from truegreen.model import digest_of
from truegreen.model.drift import SeenDyno, SeenRelease, Snapshot


class Watched(Protocol):
    """The part of the Platform API that a look reads."""

    def releases(self, app: str) -> Sequence[Release]: ...
    def config_vars(self, app: str) -> Mapping[str, str]: ...
    def formation(self, app: str) -> Sequence[FormationEntry]: ...
    def dynos(self, app: str) -> Sequence[Dyno]: ...


def look(platform: Watched, app: str, *, now: datetime | None = None) -> Snapshot:
    """``app`` as it is. Raises Unverified when the platform does not say."""
    return snapshot_of(
        platform.releases(app),
        platform.config_vars(app),
        platform.formation(app),
        platform.dynos(app),
        now or datetime.now(UTC),
    )


def snapshot_of(
    releases: Sequence[Release],
    config: Mapping[str, str],
    formation: Sequence[FormationEntry],
    dynos: Sequence[Dyno],
    moment: datetime,
) -> Snapshot:
    """What was read, as one value; of the config vars only a digest is kept. Pure."""
    return Snapshot(
        releases=seen_releases(releases, moment),
        dynos=seen_dynos(dynos),
        wanted=wanted(formation),
        config=digest_of(dict(config)),
    )


def seen_releases(releases: Sequence[Release], moment: datetime) -> tuple[SeenRelease, ...]:
    return tuple(
        SeenRelease(
            one.version,
            one.status,
            one.current,
            one.slug_id,
            (moment - one.created_at).total_seconds(),
        )
        for one in releases
    )


def seen_dynos(dynos: Sequence[Dyno]) -> tuple[SeenDyno, ...]:
    return tuple(SeenDyno(one.name, one.type, one.state, one.release_version) for one in dynos)


def wanted(formation: Sequence[FormationEntry]) -> tuple[tuple[str, int], ...]:
    return tuple((one.type, one.quantity) for one in formation)
