"""canary-red, end to end: a copy of this package whose verdict function is broken ships nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from simulated_platform import TOKEN, Server, Times
from simulated_world import CONFIG

import truegreen

PACKAGE = Path(truegreen.__file__).parent
BREAKS = {
    "a failed check is passed over": (
        "    if by_status[Status.FAIL]:\n        verdict = Verdict.RED\n    elif ",
        "    if ",
    ),
    "a check without an answer passes": (
        "worst.get(name, Status.UNKNOWN)",
        "worst.get(name, Status.PASS)",
    ),
    "red exits 0": ('{"green": 0, "red": 1,', '{"green": 0, "red": 0,'),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_copy_with_a_broken_verdict_function_refuses_to_ship(tmp_path: Path, broken: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(PACKAGE, copy / "truegreen", ignore=shutil.ignore_patterns("__pycache__"))
    verdict = copy / "truegreen" / "model" / "verdict.py"
    before = verdict.read_text(encoding="utf-8")
    old, new = BREAKS[broken]
    assert old in before
    verdict.write_text(before.replace(old, new), encoding="utf-8")
    root = tmp_path / "service"
    root.mkdir()
    with Server(times=Times(0.05, 0.05, 0.02)) as server:
        text = CONFIG + f'[env.production]\napp = "app"\nplatform = "{server.base}"\n'
        (root / "truegreen.toml").write_text(text)
        name = ("git", "-c", "user.name=t", "-c", "user.email=t@example.com")
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
            subprocess.run([*name, *command], cwd=root, check=True)
        done = subprocess.run(
            [sys.executable, "-m", "truegreen", "ship", "--no-gates", "--json"],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(copy), "HEROKU_API_KEY": TOKEN},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert server.platform.builds == []
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "canary-red: the verdict function cannot be trusted" in done.stderr
