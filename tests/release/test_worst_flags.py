"""Raptor's smoke suite means the same on a dyno whose every flag has its worst value."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from truegreen.config import load_config
from truegreen.release.trailer import parse_trailer

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("value", ["1", "0", "", "maybe"])
def test_raptors_smoke_suite_passes_whatever_production_has(
    request: pytest.FixtureRequest, value: str
) -> None:
    root = request.config.rootpath / "examples" / "raptor"
    flags = dict.fromkeys(load_config(root).flags.declared, value)
    assert len(flags) >= 3
    production = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/production",
        "ORIGIN_SECRET": "production",
        "HEROKU_SLUG_COMMIT": "f" * 40,
        **flags,
    }
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "release", "--only", "smoke"],
        cwd=root,
        env={"PATH": os.environ["PATH"], **production},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    report = parse_trailer(done.stdout)
    assert report is not None, done.stderr
    smoke = report.phase("smoke")
    assert smoke is not None
    assert (done.returncode, smoke.passed, smoke.total, smoke.leaks) == (0, 14, 14, ()), done.stdout
