"""The releases of an app with the commits of their slugs: what `heroku releases` leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from truegreen.heroku import HerokuClient
from truegreen.model import stamp


@dataclass(frozen=True, slots=True)
class Listed:
    """One release. ``commit`` is None for a release without a slug."""

    version: int
    status: str
    current: bool
    commit: str | None
    description: str
    user: str | None
    at: str
    overrides: tuple[Mapping[str, Any], ...] = ()  # that its commit went out with

    def as_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "status": self.status,
            "current": self.current,
            "commit": self.commit,
            "description": self.description,
            "user": self.user,
            "at": self.at,
            "overrides": [dict(one) for one in self.overrides],
        }


def list_releases(
    client: HerokuClient,
    app: str,
    limit: int,
    overrides: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType({}),
) -> Sequence[Listed]:
    """The newest ``limit`` releases of ``app``, newest first; each slug is asked for once.
    ``overrides``: by commit, as the ledger has them."""
    commits: dict[str, str | None] = {}
    listed: list[Listed] = []
    for release in client.releases(app, limit=limit):
        slug = release.slug_id
        if slug is not None and slug not in commits:
            commits[slug] = client.slug(app, slug).commit
        listed.append(
            Listed(
                version=release.version,
                status=release.status,
                current=release.current,
                commit=commits[slug] if slug is not None else None,
                description=release.description,
                user=release.user_email,
                at=stamp(release.created_at),
                overrides=_before(
                    overrides.get(commits.get(slug or "") or "", ()), release.created_at
                ),
            )
        )
    return listed


def _before(
    overrides: Sequence[Mapping[str, Any]], moment: datetime
) -> tuple[Mapping[str, Any], ...]:
    """Those that were given when a release of ``moment`` was made: an earlier one of the same
    commit went out without them. The platform tells whole seconds."""
    latest = stamp(moment + timedelta(seconds=1))
    return tuple(one for one in overrides if str(one["at"]) < latest)
