"""Alembic's environment with a hand on what env.py asks of it. Decides nothing itself.

Alembic proxies ``alembic.context`` for the class EnvironmentContext and no subclass of it, so the
two methods are replaced on the object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

Steps = Callable[[Any, Any], Any]


def environment(
    config: Config,
    scripts: ScriptDirectory,
    steps: Steps,
    *,
    configure: Callable[[Callable[..., None], dict[str, Any]], None],
    migrate: Callable[[Any, Callable[[], None]], None],
    **options: Any,
) -> EnvironmentContext:
    """An environment to be entered before ``scripts.run_env()``.

    ``configure`` gets Alembic's own and the options that env.py gave; ``migrate`` gets the
    MigrationContext and what runs ``steps`` on it. ``options`` are EnvironmentContext's.
    """
    made = EnvironmentContext(config, scripts, fn=steps, **options)
    own_configure, own_run = made.configure, made.run_migrations

    def configured(connection: Any = None, url: Any = None, *more: Any, **given: Any) -> None:
        names = ("dialect_name", "dialect_opts")
        given.update(zip(names, more, strict=False))
        configure(own_configure, {"connection": connection, "url": url, **given})

    def run(**given: Any) -> None:
        migrate(made.get_context(), lambda: own_run(**given))

    made.configure = configured  # type: ignore[method-assign]
    made.run_migrations = run  # type: ignore[method-assign]
    return made
