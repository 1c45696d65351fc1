"""A service that installs plain ``truegreen`` gets click only; what needs more says so."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import truegreen

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
from truegreen.cli import main
sys.argv = ["truegreen", *{arguments!r}]
main()
"""
OPS = ("httpx", "rich", "h11", "starlette", "uvicorn", "alembic", "sqlalchemy", "uv", "jwt")


def plain(arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command of ours, as if nothing but click were installed."""
    script = HIDE.format(names=set(OPS), arguments=arguments)
    return subprocess.run(
        [sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_click_is_the_only_dependency(request: pytest.FixtureRequest) -> None:
    text = (request.config.rootpath / "pyproject.toml").read_text(encoding="utf-8")
    dependencies = tomllib.loads(text)["project"]["dependencies"]
    assert [name.split(">")[0] for name in dependencies] == ["click"]


def test_the_release_command_needs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "truegreen.toml").write_text('[service]\nname = "a-service"\n')
    done = plain(["release"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("truegreen-report/1 ")


@pytest.mark.parametrize("arguments", [["drill", "list"], ["releases"], ["verify"]])
def test_what_needs_more_says_what_to_install(arguments: list[str], tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = plain(arguments, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_the_service_half_imports_nothing_but_the_standard_library() -> None:
    script = (
        "import sys; before = set(sys.modules)\n"
        "import truegreen.flags, truegreen.guard, truegreen.health\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names) - {'truegreen'}))"
    )
    source = str(Path(truegreen.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {source!r})\n{script}"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
