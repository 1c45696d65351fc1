"""The composite action runs one verb, obeys nothing in its inputs, and fails when the verb does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .actions_runner import load

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, *, code: int = 0, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The action's last step, with a truegreen that says how it was called and exits ``code``."""
    program = tmp_path / ".venv" / "bin" / "truegreen"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\npwd\nfor a in "$@"; do echo "<$a>"; done\nexit {code}\n')
    program.chmod(0o755)
    action = load(ROOT / "action.yml")
    step = action["runs"]["steps"][-1]
    values = {name: str(given.get("default", "")) for name, given in action["inputs"].items()}
    values |= inputs
    env = {
        name: values[text.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, text in step["env"].items()
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "GITHUB_ACTION_PATH": str(tmp_path), **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_it_verifies_the_service_in_its_directory_by_default(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    done = run(tmp_path, directory="services", environment="production", platform="heroku")
    place, *arguments = done.stdout.split()
    assert place == str(tmp_path / "services")
    assert arguments == ["<verify>", "<.>", "<--env>", "<production>", "<--platform>", "<heroku>"]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5])
def test_its_exit_code_is_the_verb_s(tmp_path: Path, code: int) -> None:
    assert run(tmp_path, code=code).returncode == code


def test_more_arguments_come_one_a_line_and_are_not_obeyed(tmp_path: Path) -> None:
    done = run(tmp_path, arguments="--commit\n$(touch broken)\n\n; touch broken\n")
    assert "<$(touch broken)>" in done.stdout
    assert "<; touch broken>" in done.stdout
    assert not (tmp_path / "broken").exists()


@pytest.mark.parametrize("verb", ["", "platform", "verify; touch broken", "--help"])
def test_a_verb_that_it_is_not_for_is_refused(tmp_path: Path, verb: str) -> None:
    done = run(tmp_path, verb=verb)
    assert done.returncode == 2
    assert "<" not in done.stdout
    assert not (tmp_path / "broken").exists()
