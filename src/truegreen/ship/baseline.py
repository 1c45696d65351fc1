"""What serves an app, and what is on its way to it, as the platform says at one moment. Reads only.

What follows from it is monotonic.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from truegreen.heroku import HerokuClient
from truegreen.model import ReleaseState
from truegreen.ship.monotonic import Rival, rivals
from truegreen.verify.choose import current_release


@dataclass(frozen=True, slots=True)
class Baseline:
    """The current release. ``version`` 0: none yet; ``slug`` None: it runs no code;
    ``commit`` None: the platform does not know it. ``user``: who made it, may be empty."""

    version: int = 0
    status: str = ""
    slug: str | None = None
    commit: str | None = None
    user: str = ""

    @property
    def serves(self) -> bool:
        return self.slug is not None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Baseline:
        return cls(**told)

    def state(self) -> ReleaseState | None:
        """As the document of a run shows it."""
        return ReleaseState(self.version, self.status, True) if self.version else None


@dataclass(frozen=True, slots=True)
class Standing:
    """The baseline of this moment, and all code that serves or will."""

    baseline: Baseline
    rivals: tuple[Rival, ...]


def look(client: HerokuClient, app: str, now: datetime) -> Standing:
    """Two lists, and one question a slug that counts. Raises what the client raises."""
    releases, builds = client.releases(app), client.builds(app)
    current = current_release(releases)
    newest = current.version if current is not None else 0
    wanted = {r.slug_id for r in releases if r.current or r.version > newest}
    commits = {slug: client.slug(app, slug).commit for slug in wanted if slug}
    found = Baseline()
    if current is not None:
        found = Baseline(
            version=current.version,
            status=current.status,
            slug=current.slug_id,
            commit=commits.get(current.slug_id) if current.slug_id else None,
            user=current.user_email or "",
        )
    return Standing(found, rivals(releases, builds, commits, now))
