"""The smoke suite's scratch database, brought to the head of this code's migrations.

Run as ``python -m truegreen.release.scratch INI URL`` in the service's root, in the sealed
environment. URL is written over ``sqlalchemy.url`` too, so that a database named in the INI file
is never touched, whatever env.py prefers.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from truegreen.config import Config
from truegreen.release.process import TimedOut, run

NAME = "head.sqlite3"
FIX = 'set smoke.database = "empty", or let the migrations run on SQLite'


def at_head(config: Config, environ: Mapping[str, str], scratch: Path) -> Path | str | None:
    """The file of a SQLite database at head; None when none is wanted; a sentence on failure.

    Wanted unless ``smoke.database`` is "empty", nothing migrates, the suite is not sealed, or the
    project pins DATABASE_URL or lets it through. ``environ``: the sealed one.
    """
    smoke = config.smoke
    settled = "DATABASE_URL" in smoke.env or "DATABASE_URL" in smoke.pass_env
    wanted = smoke.database == "head" and config.release.migrate == "alembic" and smoke.seal
    if not wanted or settled:
        return None
    file = scratch / NAME
    url = f"sqlite:///{file}"
    try:
        code = run(
            [sys.executable, "-m", "truegreen.release.scratch", config.release.alembic_ini, url],
            cwd=config.root,
            env={**environ, "DATABASE_URL": url},
            timeout=smoke.timeout,
        )
    except (TimedOut, OSError) as error:
        return f"the scratch database: migrating it {error}: {FIX}"
    if code != 0 or not file.is_file():
        return (
            f"the scratch database could not be brought to head (ended with {code}, "
            f"the output above says why): {FIX}"
        )
    return file


def upgrade(ini: str, url: str) -> None:
    """Alembic's upgrade to head of the database ``url``. Raises what Alembic and env.py raise."""
    from alembic import command
    from alembic.config import Config as Settings

    settings = Settings(ini)
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(settings, "head")


if __name__ == "__main__":
    upgrade(sys.argv[1], sys.argv[2])
