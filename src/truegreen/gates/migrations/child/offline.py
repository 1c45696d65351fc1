"""The SQL of single revisions, as ``alembic upgrade A:B --sql`` would print it. No database."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from alembic.config import Config
from alembic.runtime.migration import MigrationStep
from alembic.script import Script, ScriptDirectory

from truegreen.release.migrate.environment import environment


def sql_of(config: Config, scripts: ScriptDirectory, revision: Script) -> str:
    """One revision's statements. Raises whatever it raises: one that reads through get_bind() has
    no rows to read here, and an env.py without an offline branch wants to connect."""
    written = io.StringIO()
    config.output_buffer = written

    def one_step(_heads: Any, _context: Any) -> list[Any]:
        return [MigrationStep.upgrade_from_script(scripts.revision_map, revision)]

    def configure(own: Callable[..., None], given: dict[str, Any]) -> None:
        connection = given.pop("connection")
        if connection is not None:
            raise RuntimeError("env.py has no offline branch: it connects")
        own(**{**given, "transaction_per_migration": True})

    with environment(
        config,
        scripts,
        one_step,
        configure=configure,
        migrate=lambda _, run: run(),
        as_sql=True,
        starting_rev=list(revision._versioned_down_revisions) or None,
        destination_rev=revision.revision,
    ):
        scripts.run_env()
    return written.getvalue()
