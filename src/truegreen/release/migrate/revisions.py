"""Asks Alembic, in the service's own environment: which revision the database is at, and the heads.

Run as ``python -m truegreen.release.migrate.revisions INI RESULT`` in the service's root, because
it runs the service's ``env.py``, which knows how to reach the database. Changes nothing in it. The
answer goes to the file RESULT: env.py may print what it likes.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Revisions:
    """``current``: the database's revisions, none for an empty one. ``heads``: the code's.

    ``unknown``: those of ``current`` that the code does not know: a schema ahead of the code.
    """

    current: tuple[str, ...]
    heads: tuple[str, ...]
    unknown: tuple[str, ...]


def read_revisions(path: Path) -> Revisions | None:
    """The answer in ``path``; None when there is none, or not a whole one."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        return Revisions(**{name: tuple(value) for name, value in data.items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def ask(ini: str) -> Revisions:
    """The revisions by Alembic's own reading. Raises whatever Alembic or env.py raise."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config(ini)
    scripts = ScriptDirectory.from_config(config)
    found: list[str] = []

    def look(current: Any, _context: Any) -> list[Any]:
        found.extend(current)
        return []  # no step to run

    with EnvironmentContext(config, scripts, fn=look, dont_mutate=True):
        scripts.run_env()
    known = {script.revision for script in scripts.walk_revisions()}
    return Revisions(
        current=tuple(sorted(found)),
        heads=tuple(sorted(scripts.get_heads())),
        unknown=tuple(sorted(set(found) - known)),
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(asdict(ask(sys.argv[1]))), encoding="utf-8")
