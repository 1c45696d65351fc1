"""Which slugs are kept: the folder of slugs prunes itself down to a limit, oldest first.

What may be removed is decided purely; the rows of pruned slugs stay, so that old releases can
still be looked at, but not rolled back to. A virtual environment goes with the last slug that uses
it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence

from truegreen.embedded import source
from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.records import Release, ReleaseStatus, Slug
from truegreen.embedded.settings import MIB, RuntimeSettings
from truegreen.embedded.store import Store

_log = logging.getLogger(__name__)

KEPT_RELEASES = 5
"""The newest releases of an app that can be rolled back to stay so, whatever the limit."""


def needed(releases: Sequence[Release], current: str | None) -> set[str]:
    """Slugs that an app's ``releases`` (oldest first) need: of the current one, of those still
    pending, and of the newest `KEPT_RELEASES` different ones that succeeded."""
    found = {r.slug_id for r in releases if r.id == current or r.status is ReleaseStatus.PENDING}
    good = [r.slug_id for r in reversed(releases) if r.status is ReleaseStatus.SUCCEEDED]
    found |= set([slug for slug in dict.fromkeys(good) if slug][:KEPT_RELEASES])
    return {slug for slug in found if slug}


def to_prune(slugs: Iterable[Slug], keep: set[str], limit: int) -> list[Slug]:
    """What goes of ``slugs`` (oldest first) until the rest holds ``limit`` bytes, or all that is
    left is in ``keep``."""
    kept = [slug for slug in slugs if not slug.pruned]
    size = sum(slug.size for slug in kept)
    gone = []
    for slug in kept:
        if size <= limit:
            break
        if slug.id not in keep:
            size -= slug.size
            gone.append(slug)
    return gone


class SlugCache:
    """``running()``: the releases that some dyno runs now, whatever kind it is of; ``drop_venv``:
    removes a virtual environment unless a build or a slug uses it."""

    def __init__(
        self, store: Store, data: DataFolder, settings: Callable[[], RuntimeSettings],
        running: Callable[[], Iterable[str]], drop_venv: Callable[[str], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._store = store
        self._data = data
        self._settings = settings
        self._running = running
        self._drop_venv = drop_venv
        self._task: asyncio.Task[None] | None = None
        store.watchers.append(self._told)

    def _told(self, entity: str, action: str, _: str) -> None:
        if (entity, action) == ("build", "update") and self._task is None:
            self._task = asyncio.create_task(self._soon())

    async def _soon(self) -> None:
        try:
            await self.prune()
        except (OSError, sqlite3.Error):
            _log.exception("the slug cache could not be pruned")
        finally:
            self._task = None

    async def close(self) -> None:
        if self._task:
            await asyncio.wait({self._task})

    async def prune(self) -> list[Slug]:
        """Removes what is over the setting ``slug-cache``; what it removed."""
        gone = to_prune(self._store.slugs(), self._needed(), int(self._settings().slug_cache * MIB))
        # first the rows: nobody may roll back to what is about to be removed
        if gone:
            self._store.mark_pruned([slug.id for slug in gone])
        for slug in gone:
            await asyncio.to_thread(source.remove, self._data.slugs / slug.id)
        for venv in {slug.venv for slug in gone}:
            await self._drop_venv(venv)
        return gone

    def _needed(self) -> set[str]:
        keep: set[str] = set()
        for app in self._store.apps():
            keep |= needed(self._store.releases(app.id), app.current_release_id)
        for release_id in self._running():
            release = self._store.release(release_id)
            keep |= {release.slug_id} if release and release.slug_id else set()
        return keep
