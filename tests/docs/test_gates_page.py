"""docs/gates.md: every command on it is run, in order, and ends and says what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FILE = re.compile(  # toml, or a review's front matter
    r"^```(?:toml|markdown)\n(?P<text>(?:---\n)?# file: (?P<name>\S+)\n.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(\w*)$", re.MULTILINE)
# What a service with migrations has, and the page need not show.
MORE = {
    "alembic.ini": "[alembic]\nscript_location = .\n",
    "env.py": "",
    "versions/0001_first.py": "revision = '0001'\ndown_revision = None\n\n\ndef upgrade():\n"
    "    pass\n\n\ndef downgrade():\n    pass\n",
    "smoke/test_it.py": "def test_it():\n    pass\n",
    "pytest.ini": "[pytest]\n",
    ".gitignore": ".truegreen/\n__pycache__/\n.pytest_cache/\n",
}


def page(root: Path) -> str:
    return (root / "docs" / "gates.md").read_text(encoding="utf-8")


def steps(block: str) -> list[tuple[str, list[str], int]]:
    """(command, lines that it must print, exit code)."""
    found: list[tuple[str, list[str], int]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], [], 0))
        elif match := re.fullmatch(r"\[exit (\d)\]", line):
            found[-1] = (*found[-1][:2], int(match[1]))
        else:
            found[-1][1].append(line)
    return found


def prints(expected: list[str], output: str) -> bool:
    """The expected lines stand in the output in this order; … stands for anything."""
    rest = iter(line.rstrip() for line in output.splitlines())
    patterns = [re.escape(line.rstrip()).replace("…", ".*") for line in expected]
    return all(any(re.fullmatch(pattern, line) for line in rest) for pattern in patterns)


@pytest.fixture
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    shown = {block["name"]: block["text"] for block in FILE.finditer(page(request.config.rootpath))}
    for name, text in {**MORE, **shown}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def environment(folder: Path) -> dict[str, str]:
    """As a person has it; `truegreen` is this one."""
    tools = folder / "bin"
    tools.mkdir()
    script = tools / "truegreen"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m truegreen "$@"\n')
    script.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRUEGREEN", "HEROKU", "GIT"))}
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "t"), ("EMAIL", "t@example.com"))
    }
    return {
        **kept,
        **identity,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PATH": f"{tools}{os.pathsep}{kept['PATH']}",
        "TRUEGREEN_PLATFORM_DATA": str(folder / "platform"),
    }


@pytest.mark.slow
def test_every_gate_refuses_and_is_cleared_as_the_page_says(
    request: pytest.FixtureRequest, service: Path, tmp_path: Path
) -> None:
    env = environment(tmp_path)

    def shell(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command], cwd=service, env=env, capture_output=True, text=True,
            timeout=150, check=False,
        )  # fmt: skip

    assert shell("git init -q && git add --all && git commit -qm first").returncode == 0
    ran = 0
    for block in CONSOLE.findall(page(request.config.rootpath)):
        for command, expected, code in steps(block):
            done = shell(command)
            assert done.returncode == code, (command, done)
            assert prints(expected, done.stdout + done.stderr), (command, expected, done)
            ran += 1
    assert ran > 30


def test_nothing_on_the_page_goes_untested(request: pytest.FixtureRequest) -> None:
    text = page(request.config.rootpath)
    kinds = [kind for kind in FENCE.findall(text) if kind]
    assert kinds.count("toml") + kinds.count("markdown") == len(FILE.findall(text))
    assert kinds.count("console") == len(CONSOLE.findall(text))
    assert set(kinds) == {"toml", "markdown", "console"}
