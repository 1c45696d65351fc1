"""Proof of pin-guard-flag (2026-06-21): whatever the machine says of the guard's flag,
the smoke suite means the same, because truegreen.toml pins it and the seal applies the pin.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("value", ["1", "0"])
def test_the_smoke_suite_passes_whatever_the_machine_says_of_the_flag(value: str) -> None:
    production = {"FLAG_ENFORCE_CF_ORIGIN": value, "ORIGIN_SECRET": "not-a-secret"}
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "smoke", "--json", "--quiet"],
        cwd=SERVICE,
        env={**os.environ, **production},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["status"]) == (0, "pass"), told["reason"]
    assert told["reason"] == "14 of 14 passed, sealed"
