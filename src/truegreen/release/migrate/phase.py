"""The phase as the release command runs it: never down, and read back afterwards."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from truegreen.config import Config
from truegreen.release.migrate.revisions import read_revisions
from truegreen.release.process import TimedOut, run
from truegreen.release.report import Phase

Say = Callable[[str], None]
DATABASE = "DATABASE_URL"
READING = 60.0  # seconds to read where a broken upgrade left the database


class _Failed(Exception):
    """Ends the phase; says why."""


class Upgraded(NamedTuple):
    """What ``upgrade`` answered. None: not known."""

    before: tuple[str, ...] | None = None
    after: tuple[str, ...] | None = None
    heads: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    attempts: int = 0
    problem: str = ""


def migrate(config: Config, environ: Mapping[str, str], scratch: Path, say: Say) -> Phase:
    """Brings the database to the code's one head, under a lock, one transaction a migration.

    A database at a revision that this code does not know passes untouched, as ``ahead``: that is a
    rollback, and the platform runs the old code's release command on the newer schema then.
    ``scratch``: a folder for small files. All of it must end within ``release.timeout``.
    """
    started = time.monotonic()
    problem = ""
    found = Upgraded()
    around = _past_the_pooler(config, environ, say)
    try:
        found = _upgrade(config, around, scratch, started + config.release.timeout)
        problem = found.problem
    except (_Failed, TimedOut, OSError) as error:
        problem = str(error)
        found = read_answer(scratch / "answer.json") or found
    if problem and found.before is None:
        problem = f"the database's revision could not be read: {problem}"
    elif problem:  # SQLite commits its DDL as it goes: what is reported is read, not assumed
        left = _whatever_holds(config, around, scratch)
        found = found if left is None else found._replace(after=left)
    elif not found.unknown and found.after != found.heads:
        problem = (
            f"after the upgrade the database is at {_named(found.after)}, "
            f"not at head {_named(found.heads)}"
        )
    return Phase(
        name="migrate",
        status="fail" if problem else "pass",
        seconds=time.monotonic() - started,
        problems=(problem,) if problem else (),
        from_revision=_one(found.before),
        to_revision=_one(found.after),
        heads=found.heads,
        ahead=bool(found.unknown),
    )


def read_answer(path: Path) -> Upgraded | None:
    """The answer in ``path``; None when there is none, or not a whole one."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        lists = {
            name: None if data[name] is None else tuple(map(str, data[name]))
            for name in ("before", "after", "heads", "unknown")
        }
        return Upgraded(
            before=lists["before"],
            after=lists["after"],
            heads=lists["heads"] or (),
            unknown=lists["unknown"] or (),
            attempts=int(data["attempts"]),
            problem=str(data["problem"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _past_the_pooler(config: Config, environ: Mapping[str, str], say: Say) -> Mapping[str, str]:
    """``environ`` with the direct URL as DATABASE_URL, where there is one."""
    name = config.migrations.direct_url
    direct = environ.get(name)
    if not direct:
        return environ
    say(f"migrate: through {name}, past any pooler")
    return {**environ, DATABASE: direct}


def _upgrade(
    config: Config, environ: Mapping[str, str], scratch: Path, deadline: float
) -> Upgraded:
    ini, settings = config.release.alembic_ini, config.migrations
    if importlib.util.find_spec("alembic") is None:
        raise _Failed("alembic is not installed: add alembic to the service's requirements.txt")
    if not (config.root / ini).is_file():
        raise _Failed(f"{ini} is not there: name the right file in [release] alembic_ini")
    question, answer = scratch / "question.json", scratch / "answer.json"
    asked = {
        "ini": ini,
        "lock_wait": settings.lock_wait,
        "lock_timeout": settings.lock_timeout,
        "lock_patience": settings.lock_patience,
    }
    question.write_text(json.dumps(asked), encoding="utf-8")
    code = run(
        [sys.executable, "-m", "truegreen.release.migrate.upgrade", str(question), str(answer)],
        cwd=config.root,
        env=environ,
        timeout=max(1.0, deadline - time.monotonic()),
    )
    found = read_answer(answer)
    if found is None:
        raise _Failed(f"asking Alembic ended with {code}: the output above says why")
    if code != 0 and not found.problem:
        return found._replace(problem=f"the upgrade ended with {code}: its output is above")
    return found


def _whatever_holds(
    config: Config, environ: Mapping[str, str], scratch: Path
) -> tuple[str, ...] | None:
    """Where a failed upgrade left the database, when that can still be read."""
    result = scratch / "left.json"
    module = "truegreen.release.migrate.revisions"
    try:
        run(
            [sys.executable, "-m", module, config.release.alembic_ini, str(result)],
            cwd=config.root,
            env=environ,
            timeout=READING,
        )
    except (TimedOut, OSError):
        return None
    left = read_revisions(result)
    return left.current if left else None


def _one(revisions: tuple[str, ...] | None) -> str | None:
    return ",".join(revisions) or None if revisions else None


def _named(revisions: tuple[str, ...] | None) -> str:
    return ", ".join(revisions or ()) or "no revision"
