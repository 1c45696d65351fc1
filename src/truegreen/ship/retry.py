"""``retry``: the same slug once more, as a new release; nothing is built."""

from __future__ import annotations

from datetime import datetime

from truegreen.config import Config
from truegreen.errors import UsageError
from truegreen.heroku.models import Release
from truegreen.ledger import Ledger
from truegreen.ship.again import Again, release_again
from truegreen.ship.monotonic import LONGEST
from truegreen.ship.progress import Watcher
from truegreen.ship.target import Target
from truegreen.verify.choose import current_release

PATIENCE = 20.0  # seconds in which one question to the platform is asked again
_RETRIED = ("failed", "expired")


def choose(releases: tuple[Release, ...], version: int | None, now: datetime) -> Release:
    """The release to try again: ``version``, or the newest when that one failed or expired, or is
    pending for longer than a release command may take: then the platform has lost it.

    ``releases``: newest first. ``now``: aware. Raises UsageError for what must not be tried again:
    one that succeeded, one that may still end, one after which other code was released.
    """
    wanted = releases[0] if version is None and releases else None
    if version is not None:
        wanted = next((one for one in releases if one.version == version), None)
    if wanted is None:
        raise UsageError(
            f"there is no release v{version}" if version else "the app has no release",
            hint="truegreen releases lists them",
        )
    if wanted.status == "pending" and now - wanted.created_at < LONGEST:
        since = f"{wanted.created_at:%H:%M} UTC"
        raise UsageError(
            f"{wanted.label} is pending since {since}: its release command may take an hour",
            hint="truegreen verify asks again; after an hour it can be tried again",
        )
    if wanted.status not in (*_RETRIED, "pending"):
        raise UsageError(
            f"{wanted.label} is {wanted.status}: only a failed or expired release is tried again",
            hint="truegreen verify says what is true of it",
        )
    if wanted.slug_id is None:
        raise UsageError(f"{wanted.label} has no slug, so there is nothing to try again")
    later = [
        one
        for one in releases
        if one.version > wanted.version
        and one.slug_id not in (None, wanted.slug_id)
        and one.status not in _RETRIED
    ]
    if later:
        raise UsageError(
            f"{later[0].label} released other code after {wanted.label}; to try the older again "
            "would put it over the newer",
            hint="ship the commit that should serve",
        )
    return wanted


def retry(
    config: Config, target: Target, version: int | None, *, ledger: Ledger, watcher: Watcher
) -> Again:
    """Releases a failed release's slug again, and verifies it like any deploy."""
    with target.client(patience=PATIENCE) as client:
        releases = client.releases(target.app)
        wanted = choose(releases, version, target.means.now())
        slug = client.slug(target.app, wanted.slug_id or "")
        return release_again(
            "retry",
            config,
            target,
            client,
            lambda: client.create_release(
                target.app, slug=slug.id, description=f"Retry of {wanted.label}"
            ),
            commit=slug.commit,
            before=current_release(releases),
            notes=[f"{wanted.label} is tried again: same slug, no build"],
            ledger=ledger,
            watcher=watcher,
        )
