"""A small service with Alembic and a smoke suite, and a way to run its release command."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from scratch_server import postgres, postgres_server

from truegreen.release.report import Report
from truegreen.release.trailer import parse_trailer

__all__ = ["postgres", "postgres_server"]

# Whatever started the tests may ignore these signals (a shell's &, nohup): a dyno does not.
LISTENING = (
    "import signal as s; s.signal(s.SIGINT, s.default_int_handler); s.signal(s.SIGHUP, s.SIG_DFL);"
)
COMMAND = [sys.executable, "-c", f"{LISTENING} from truegreen.cli import main; main()", "release"]

TOML = """\
[release]
migrate = "alembic"
[smoke]
paths = ["smoke"]
[flags.FLAG_A]
[config]
required = ["DATABASE_URL"]
"""
ENV_PY = """\
import os
from alembic import context
from sqlalchemy import create_engine

with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """\
from alembic import op
import sqlalchemy as sa
revision = "{0}"
down_revision = {1!r}
def upgrade():
    op.create_table("t{0}", sa.Column("id", sa.Integer, primary_key=True))
def downgrade():
    raise AssertionError("never down")
"""


@dataclass
class Ran:
    code: int
    output: str

    @property
    def report(self) -> Report:
        found = parse_trailer(self.output)
        assert found is not None, self.output
        return found


class Service:
    """The service's root; ``release`` runs its release command as a dyno would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "production.sqlite3"
        self.write("truegreen.toml", TOML)
        self.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
        self.write("migrations/env.py", ENV_PY)
        self.revision("0044", None)
        self.revision("0045", "0044")
        self.write("smoke/test_it.py", "def test_it():\n    pass\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def revision(self, name: str, after: str | None) -> None:
        self.write(f"migrations/versions/r{name}.py", REVISION.format(name, after))

    def begin(self, *args: str, **environ: str) -> subprocess.Popen[str]:
        """The release command, running."""
        return subprocess.Popen(
            [*COMMAND, *args],
            cwd=self.root,
            env=self.environ(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def environ(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "TMPDIR": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATABASE_URL": f"sqlite:///{self.database}",
            **more,
        }

    def release(self, *args: str, **environ: str) -> Ran:
        done = subprocess.run(
            [*COMMAND, *args],
            cwd=self.root,
            env=self.environ(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=150,
        )
        return Ran(done.returncode, done.stdout)

    def leftovers(self) -> list[str]:
        return [path.name for path in self.root.glob("truegreen-*")]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)
