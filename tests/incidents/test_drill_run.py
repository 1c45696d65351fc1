"""The drill for real: it passes as things are, and fails when what it rests on is broken.

Breaking is done in a copy of the package (or of Raptor), whose wheel then runs on the dynos.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import truegreen

pytestmark = [
    pytest.mark.platform,
    pytest.mark.xdist_group("drill"),  # each keeps both cores busy
    pytest.mark.timeout(400),
]
NAME = "release-smoke-cf-origin-guard"
PACKAGE = Path(truegreen.__file__).parent


def drill(
    raptor: Path, *options: str, source: Path = PACKAGE.parent
) -> tuple[int, dict[str, Any], str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TRUEGREEN", "HEROKU"))}
    env["PYTHONPATH"] = str(source)
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "drill", "run", NAME, "--json",
         "--service", str(raptor), *options],
        env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)["drills"][0] if done.stdout else {}
    return done.returncode, told, done.stderr


@pytest.fixture
def raptor(request: pytest.FixtureRequest) -> Path:
    return request.config.rootpath / "examples" / "raptor"


def mutated(tmp_path: Path, name: str, change: Callable[[str], str]) -> Path:
    """A copy of the package with one file changed; the folder to put on the path."""
    source = tmp_path / "src"
    shutil.copytree(PACKAGE, source / "truegreen", ignore=shutil.ignore_patterns("__pycache__"))
    for extra in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PACKAGE.parents[1] / extra, tmp_path / extra)
    path = source / "truegreen" / name
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before, "the mutation did not take"
    path.write_text(after, encoding="utf-8")
    return source


def test_the_drill_passes_in_both_worlds_and_prints_its_document(raptor: Path) -> None:
    code, told, err = drill(raptor)
    # A busy machine may need more than the minute; whether it does is not what is tested here.
    late = [problem for problem in told["problems"] if problem.startswith("took ")]
    assert (told["problems"], told["passed"], code) == (late, not late, len(late)), err
    assert [run["problems"] for run in told["runs"]] == [[], [], []]
    assert [(run["label"], run["truegreen"]["verdict"]) for run in told["runs"]] == [
        ("control", "green"), ("fault-hold", "red"), ("fault-deploy", "red")
    ]  # fmt: skip
    assert {run["that_day"]["conclusion"] for run in told["runs"]} == {"success"}
    held = told["runs"][1]["truegreen"]["sentence"]
    assert "smoke 14 of 14 failed with 403 direct_origin_blocked" in held
    assert "schema IS at 0046, ahead of the code that serves" in held
    schemas = PACKAGE / "outputs" / "schemas"
    jsonschema.validate({"drills": [told]}, json.loads((schemas / "drill-run.json").read_text()))
    verification = json.loads((schemas / "verification.json").read_text())
    for run in told["runs"]:
        jsonschema.validate(run["truegreen"], verification)


def test_the_drill_fails_when_the_seal_is_broken(raptor: Path, tmp_path: Path) -> None:
    source = mutated(
        tmp_path,
        "hermetic/seal.py",
        lambda text: text.replace(
            "kept = {name: value for name, value in environ.items() if name in let_through}",
            "kept = dict(environ)",
        ),
    )
    code, told, _ = drill(raptor, "--world", "hold", source=source)
    assert (code, told["passed"]) == (1, False)
    assert any("the control is red" in problem for problem in told["runs"][0]["problems"])


def test_the_drill_fails_when_release_command_cannot_fail(raptor: Path, tmp_path: Path) -> None:
    source = mutated(
        tmp_path,
        "verify/observers/release_command.py",
        lambda text: text.replace('if target.status == "succeeded":', "if True:"),
    )
    code, told, _ = drill(raptor, "--world", "hold", source=source)
    assert (code, told["passed"]) == (1, False)
    assert told["runs"][0]["problems"] == []
    assert told["runs"][1]["problems"] == ["release.command says pass, not fail"]


def test_the_drill_fails_when_the_control_is_broken(raptor: Path, tmp_path: Path) -> None:
    broken = tmp_path / "raptor"
    shutil.copytree(raptor, broken, ignore=shutil.ignore_patterns("__pycache__", ".truegreen"))
    smoke = broken / "tests" / "smoke" / "test_beta_walk_route_smoke_3682.py"
    smoke.write_text(
        smoke.read_text(encoding="utf-8") + "\n\ndef test_broken() -> None:\n    raise OSError\n",
        encoding="utf-8",
    )
    code, told, _ = drill(broken, "--world", "hold")
    assert (code, told["passed"]) == (1, False)
    assert any("the control is red" in problem for problem in told["runs"][0]["problems"])
