"""docs/migrations.md: its rules are the rules, and its example is what the gate says of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from truegreen.config import load_config
from truegreen.config.migrations import RULES as KNOWN
from truegreen.gates.migrations import ask
from truegreen.gates.migrations.rules import RULES
from truegreen.gates.question import Question
from truegreen.gates.schema_at import SchemaAt
from truegreen.model import Status

ROW = re.compile(r"^\| `([a-z-]+)` \| (high|medium|low) \|", re.MULTILINE)
FIRST = """
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.execute("CREATE TABLE people (id serial PRIMARY KEY, email text)")
"""
ENV = """
from alembic import context
context.configure(url=context.config.get_main_option("sqlalchemy.url"))
with context.begin_transaction():
    context.run_migrations()
"""
NOW = datetime(2026, 6, 21, tzinfo=UTC)


@pytest.fixture
def page(request: pytest.FixtureRequest) -> str:
    return (request.config.rootpath / "docs" / "migrations.md").read_text(encoding="utf-8")


def block(page: str, kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_rules_of_the_page_are_the_rules(page: str) -> None:
    assert dict(ROW.findall(page)) == {name: rule.severity for name, rule in RULES.items()}
    assert sorted(KNOWN) == sorted(RULES)


@pytest.mark.xdist_group("postgres")
def test_the_example_is_told_as_on_the_page_and_can_be_allowed(page: str, tmp_path: Path) -> None:
    sizes = {"public.people": {"rows": 9_000_000, "bytes": 3_000_000_000}}
    files = {
        "truegreen.toml": '[release]\nmigrate = "alembic"\n[migrations]\ntable_sizes = "s.json"\n',
        "s.json": json.dumps({"taken_at": NOW.isoformat(), "tables": sizes}),
        "alembic.ini": "[alembic]\nscript_location = migrations\npath_separator = os\n",
        "migrations/env.py": ENV,
        "migrations/versions/0001_people.py": FIRST,
        "migrations/versions/0002_find_by_mail.py": block(page, "python"),
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=T", "-c", "user.email=t@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)

    def gate() -> tuple[Status, tuple[str, ...]]:
        at = SchemaAt(("0001",), "health")
        question = Question(load_config(tmp_path), now=NOW, read_schema=lambda: at)
        result = ask(question)
        return result.status, result.explained

    status, explained = gate()
    assert status is Status.FAIL
    assert block(page, "text") in "\n".join(explained) + "\n"
    with (tmp_path / "truegreen.toml").open("a") as file:
        file.write(block(page, "toml"))
    assert gate()[0] is Status.PASS


def test_the_commands_of_the_page_are_there(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "truegreen", "gate", "migrations", "--dir", str(tmp_path)]
    done = subprocess.run(
        [*command, "--write-sizes", "env:NOWHERE"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "migrations.table_sizes: is not set" in done.stderr
