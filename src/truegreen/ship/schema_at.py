"""Where the target's database is, as its health, or the last release's report, says. Only reads.

A gate wants it before anything is changed; ``verify`` asks the same afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence

from truegreen.config import Config, Environment
from truegreen.embedded.locate import data_dir
from truegreen.errors import PlatformRefused, TrueGreenError
from truegreen.gates.schema_at import SchemaAt
from truegreen.heroku.models import Release
from truegreen.ship.means import REAL
from truegreen.ship.target import find_target
from truegreen.ship.verification import question_for
from truegreen.verify.observers import schema_head
from truegreen.verify.world import World

PATIENCE = 5.0  # seconds in which the platform is asked again


def read_schema(
    config: Config, environment: Environment, platform: str | None, *, start: bool = False
) -> SchemaAt:
    """Where the database of ``environment`` is, and what a rollback would go to. Never raises.

    ``start``: as in ``asking.question_of``. One request to the app, a handful to the platform.
    """
    if config.release.migrate == "none":
        return SchemaAt(None, why="no migrations are configured")
    embedded = (platform or environment.platform) == "embedded"
    if embedded and not data_dir(config.root).is_dir():
        return SchemaAt((), "nothing was ever released here")
    try:
        target = find_target(config, environment, platform, start=start)
        question = question_for(config, environment, commit=None)
        question = question._replace(health=question.health._replace(samples=1))
        with target.client(patience=PATIENCE) as client, REAL.probe() as get:
            return _read(World(question, client, get))
    except PlatformRefused as error:
        if error.status == 404:
            return SchemaAt((), f"there is no app {environment.app} yet")
        return SchemaAt(None, why=error.message)
    except TrueGreenError as error:
        return SchemaAt(None, why=error.message)


def _read(world: World) -> SchemaAt:
    current = world.current()
    released = [release for release in world.releases() if release.slug_id]
    if current is None or not current.slug_id:
        if not released:
            return SchemaAt((), "nothing was released yet")
        # its release command may have migrated all the same, and no report of it is at hand
        return SchemaAt(None, why="no release serves yet, and one was tried")
    before = _before(current, released)
    rollback = world.commit_of(before) if before else None
    schema, source, _ = schema_head.read_schema(world)
    if schema is None:
        why = "neither the health endpoint nor the last release's report says"
        return SchemaAt(None, why=why, rollback=rollback)
    revisions = tuple(schema.current.split(",")) if schema.current else ()
    return SchemaAt(revisions, source, rollback=rollback)


def _before(current: Release, released: Sequence[Release]) -> Release | None:
    """The release that a rollback would go to: the newest that succeeded with another slug."""
    older = [
        release
        for release in released
        if release.version < current.version
        and release.status == "succeeded"
        and release.slug_id != current.slug_id
    ]
    return max(older, key=lambda release: release.version, default=None)
