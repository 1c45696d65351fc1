"""A service's root in a temporary folder, and pytest run in it under the plugin."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from truegreen.hermetic.result import SessionResult, read_result

Run = Callable[..., SessionResult]


@pytest.fixture
def run_pytest(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs pytest in the root, in an environment of little more than ``machine``."""

    def run(
        *args: str, machine: dict[str, str] | None = None, path: str = ""
    ) -> subprocess.CompletedProcess[str]:
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        env |= {"PYTHONDONTWRITEBYTECODE": "1", **(machine or {})}
        if path:
            env["PYTHONPATH"] = path
        argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args]
        return subprocess.run(
            argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=150
        )

    return run


@pytest.fixture
def suite(
    tmp_path: Path, run_pytest: Callable[..., subprocess.CompletedProcess[str]]
) -> Callable[..., SessionResult]:
    """Writes files (keywords: a module's name to its text) and runs the suite with the plugin."""

    def run(
        *args: str, smoke: str = "", machine: dict[str, str] | None = None, **modules: str
    ) -> SessionResult:
        (tmp_path / "truegreen.toml").write_text(f"[smoke]\n{smoke}\n")
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)
        file = tmp_path / "result.json"
        done = run_pytest(
            "-p", "truegreen.hermetic.plugin", f"--truegreen-result={file}", *args, machine=machine
        )
        found = read_result(file)
        assert found is not None, done.stdout + done.stderr
        assert found.exit == done.returncode
        return found

    return run
