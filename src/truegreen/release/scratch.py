"""The smoke suite's scratch database, brought to the head of this code's migrations.

Run as ``python -m truegreen.release.scratch INI URL`` in the service's root, in the sealed
environment. URL is written over ``sqlalchemy.url`` too, so that a database named in the INI file
is never touched, whatever env.py prefers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from truegreen.config import Config
from truegreen.hermetic.enclosure import SCRATCH_VARIABLE
from truegreen.release.process import TimedOut, run
from truegreen.release.scratch_server import NoServer, scratch_server

NAME = "head.sqlite3"
FIX = 'set smoke.database = "empty", or let the migrations run on it'


class NoDatabase(Exception):
    """The scratch database could not be made; says why, and the way out."""


@contextmanager
def database_of(
    config: Config, environ: Mapping[str, str], scratch: Path
) -> Iterator[dict[str, str]]:
    """What the suite's processes need in their environment to have a scratch database each.

    Nothing for an empty SQLite file, which the seal makes by itself, and where the project says
    which database it is (a pin, ``pass_env``, ``smoke.scratch = "none"``, no seal). ``environ``:
    the sealed one. ``scratch``: an empty folder of ours. Raises NoDatabase.
    """
    smoke = config.smoke
    settled = "DATABASE_URL" in smoke.env or "DATABASE_URL" in smoke.pass_env
    migrated = smoke.database == "head" and config.release.migrate == "alembic"
    if settled or not smoke.seal or smoke.scratch == "none":
        yield {}
    elif smoke.scratch == "postgres":
        with ExitStack() as running:
            try:
                server = running.enter_context(scratch_server())
            except NoServer as problem:
                raise NoDatabase(str(problem)) from problem
            if migrated:
                _migrate(config, environ, server.head)
            yield {SCRATCH_VARIABLE: server.copies}
    elif migrated:
        file = scratch / NAME
        _migrate(config, environ, f"sqlite:///{file}")
        if not file.is_file():
            raise NoDatabase(f"migrating it has left no scratch database: {FIX}")
        yield {SCRATCH_VARIABLE: str(file)}
    else:
        yield {}


def _migrate(config: Config, environ: Mapping[str, str], url: str) -> None:
    try:
        code = run(
            [sys.executable, "-m", "truegreen.release.scratch", config.release.alembic_ini, url],
            cwd=config.root,
            env={**environ, "DATABASE_URL": url},
            timeout=config.smoke.timeout,
        )
    except (TimedOut, OSError) as error:
        raise NoDatabase(f"the scratch database: migrating it {error}: {FIX}") from error
    if code != 0:
        raise NoDatabase(
            f"the scratch database could not be brought to head (ended with {code}, "
            f"the output above says why): {FIX}"
        )


def upgrade(ini: str, url: str) -> None:
    """Alembic's upgrade to head of the database ``url``. Raises what Alembic and env.py raise."""
    from alembic import command
    from alembic.config import Config as Settings

    settings = Settings(ini)
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(settings, "head")


if __name__ == "__main__":
    upgrade(sys.argv[1], sys.argv[2])
