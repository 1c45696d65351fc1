"""The tables that a service's code knows: ``python -P -m … INI ANSWER``, in the service's root.

env.py hands its ``target_metadata`` to Alembic; that is taken, and env.py goes no further. No
database. ANSWER: ``{"tables": {"schema.name": {column: {"nullable", "filled"}}}, "error"}``,
with null for ``tables`` where there are none.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory

from truegreen.gates.migrations.child import graph
from truegreen.release.migrate.environment import environment

# The second is for an env.py without an offline branch, which connects at once.
_URLS = ("postgresql+psycopg://offline@127.0.0.1:1/offline", "sqlite://")


class _Found(BaseException):
    """Ends env.py; nothing in it is to catch this."""

    def __init__(self, metadata: Any) -> None:
        super().__init__()
        self.metadata = metadata


def main(ini: str, answer: str) -> None:
    """Writes the answer; whatever the service prints goes to standard error."""
    sys.stdout = sys.stderr
    root = Path.cwd()
    told: dict[str, Any] = {"tables": None, "error": "env.py never configured Alembic"}
    for url in _URLS:
        os.environ["DATABASE_URL"] = url
        try:
            told = {"tables": tables(target_metadata(ini, root, url)), "error": ""}
            break
        except (Exception, SystemExit) as error:  # noqa: BLE001 - env.py may raise anything
            problem = graph.problem_of(error, root)
            where = f"{problem.file}: " if problem.file else ""
            told = {"tables": None, "error": f"{where}{problem.text}"[:300]}
    Path(answer).write_text(json.dumps(told), encoding="utf-8")


def target_metadata(ini: str, root: Path, url: str) -> Any:
    """What env.py gives as ``target_metadata``. Raises whatever it raises before."""
    config = Config(str(root / ini))
    config.set_main_option("sqlalchemy.url", url)
    scripts = ScriptDirectory.from_config(config)

    def configure(_own: Callable[..., None], given: dict[str, Any]) -> None:
        raise _Found(given.get("target_metadata"))

    def nothing(_heads: Any, _context: Any) -> list[Any]:
        return []

    made = environment(
        config, scripts, nothing, configure=configure, migrate=lambda *_: None, as_sql=True
    )
    try:
        with made:
            scripts.run_env()
    except _Found as found:
        return found.metadata
    raise RuntimeError("env.py never configured Alembic")


def tables(metadata: Any) -> dict[str, Any] | None:
    """The tables of a MetaData, or of several; None when there is none."""
    if metadata is None:
        return None
    several = metadata if isinstance(metadata, (list, tuple)) else [metadata]
    found: dict[str, Any] = {}
    for one in several:
        for table in one.tables.values():
            found[f"{table.schema or 'public'}.{table.name}"] = {
                column.name: {
                    "nullable": bool(column.nullable),
                    "filled": column.default is not None or column.server_default is not None,
                }
                for column in table.columns
            }
    return found


if __name__ == "__main__":
    main(*sys.argv[1:3])
