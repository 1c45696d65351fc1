"""Small services with revisions, in repositories of their own, and questions about them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from truegreen.config import Config, parse_config
from truegreen.gates.migrations import ask
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.gates.schema_at import SchemaAt
from truegreen.gates.serving import Serving

Repository = Callable[[dict[str, str | bytes]], Path]
NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
INI = (
    "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\npath_separator = os\n"
)
ENV = """
from alembic import context
context.configure(url=context.config.get_main_option("sqlalchemy.url"))
with context.begin_transaction():
    context.run_migrations()
"""
NOTHING = SchemaAt((), "nothing was released yet")


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "core.hooksPath=")
    done = subprocess.run(
        ["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def revision(name: str, down: str | tuple[str, ...] | None, body: str = "") -> str:
    empty = "" if "def upgrade" in body else "\ndef upgrade():\n    pass"
    return f"revision = {name!r}\ndown_revision = {down!r}\n{body}{empty}\n"


def sql(name: str, down: str | None, *statements: str) -> str:
    """A revision of plain statements, with a downgrade."""
    lines = "".join(f"    op.execute({one!r})\n" for one in statements) or "    pass\n"
    body = f"from alembic import op\ndef upgrade():\n{lines}def downgrade():\n    op.execute('')\n"
    return revision(name, down, body)


def tree(**revisions: str) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {"alembic.ini": INI, "migrations/env.py": ENV}
    files.update({f"migrations/versions/{name}.py": text for name, text in revisions.items()})
    return files


def config(root: Path, migrate: str = "alembic", **settings: Any) -> Config:
    data = {"release": {"migrate": migrate}, "migrations": settings}
    return parse_config(data, file=root / "truegreen.toml", root=root)


def question(
    root: Path,
    *,
    schema: SchemaAt = NOTHING,
    serving: str | None = None,
    environ: Mapping[str, str] | None = None,
    migrate: str = "alembic",
    **settings: Any,
) -> Question:
    return Question(
        config(root, migrate, **settings),
        now=NOW,
        environ=environ,
        read_schema=lambda: schema,
        read_serving=lambda: Serving(serving, 1, True),
    )


def asked(root: Path, **more: Any) -> GateResult:
    """Heads only, and no server, unless ``database`` says otherwise."""
    return ask(question(root, **{"database": "sqlite", **more}))
