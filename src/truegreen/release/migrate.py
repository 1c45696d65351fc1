"""The migrate phase: Alembic up to the code's one head, never down, and read back afterwards."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from truegreen.config import Config
from truegreen.release.process import TimedOut, run
from truegreen.release.report import Phase
from truegreen.release.revisions import Revisions, read_revisions

Say = Callable[[str], None]


class _Failed(Exception):
    """Ends the phase; says why."""


def migrate(config: Config, environ: Mapping[str, str], scratch: Path, say: Say) -> Phase:
    """Runs ``alembic upgrade head`` unless the database is there already.

    A database at a revision that this code does not know passes untouched, as ``ahead``: that is a
    rollback, and the platform runs the old code's release command on the newer schema then.
    ``scratch``: a folder for small files. All of it must end within ``release.timeout``.
    """
    started = time.monotonic()
    deadline = started + config.release.timeout
    before: Revisions | None = None
    after: Revisions | None = None
    problem = ""
    try:
        before = _revisions(config, environ, scratch / "before.json", deadline)
        if before.unknown:
            say(
                f"migrate: the database is at {_named(before.current)}, which this code does not "
                f"know (its head is {_named(before.heads)}): it is ahead, and is left as it is"
            )
        elif len(before.heads) > 1:
            raise _Failed(
                f"{len(before.heads)} heads, {_named(before.heads)}: an upgrade would have to "
                "choose (run: alembic merge heads)"
            )
        elif before.current == before.heads:
            say(f"migrate: the database is at head already, {_named(before.heads)}")
        else:
            say(f"migrate: {_named(before.current)} → {_named(before.heads)}")
            _upgrade(config, environ, deadline)
            after = _revisions(config, environ, scratch / "after.json", deadline)
            if after.current != after.heads:
                raise _Failed(
                    f"after the upgrade the database is at {_named(after.current)}, "
                    f"not at head {_named(after.heads)}"
                )
    except (_Failed, TimedOut, OSError) as error:
        problem = str(error)
        if before is not None and after is None:
            after = _whatever_holds(config, environ, scratch)
    last = after or before
    return Phase(
        name="migrate",
        status="fail" if problem else "pass",
        seconds=time.monotonic() - started,
        problems=(problem,) if problem else (),
        from_revision=_one(before),
        to_revision=_one(after if problem else last),
        heads=last.heads if last else (),
        ahead=bool(before and before.unknown),
    )


def _upgrade(config: Config, environ: Mapping[str, str], deadline: float) -> None:
    code = run(
        [sys.executable, "-m", "alembic", "-c", config.release.alembic_ini, "upgrade", "head"],
        cwd=config.root,
        env=environ,
        timeout=max(1.0, deadline - time.monotonic()),
    )
    if code != 0:
        raise _Failed(f"alembic upgrade head ended with {code}: its output is above")


def _revisions(
    config: Config, environ: Mapping[str, str], result: Path, deadline: float
) -> Revisions:
    ini = config.release.alembic_ini
    if importlib.util.find_spec("alembic") is None:
        raise _Failed("alembic is not installed: add alembic to the service's requirements.txt")
    if not (config.root / ini).is_file():
        raise _Failed(f"{ini} is not there: name the right file in [release] alembic_ini")
    code = run(
        [sys.executable, "-m", "truegreen.release.revisions", ini, str(result)],
        cwd=config.root,
        env=environ,
        timeout=max(1.0, deadline - time.monotonic()),
    )
    found = read_revisions(result) if code == 0 else None
    if found is None:
        raise _Failed(
            f"the database's revision could not be read (asking Alembic ended with {code}): "
            "the output above says why"
        )
    return found


def _whatever_holds(config: Config, environ: Mapping[str, str], scratch: Path) -> Revisions | None:
    """Where a failed upgrade left the database, when that can still be read within a minute."""
    try:
        return _revisions(config, environ, scratch / "failed.json", time.monotonic() + 60)
    except (_Failed, TimedOut, OSError):
        return None


def _one(revisions: Revisions | None) -> str | None:
    return ",".join(revisions.current) or None if revisions else None


def _named(revisions: tuple[str, ...]) -> str:
    return ", ".join(revisions) or "no revision"
