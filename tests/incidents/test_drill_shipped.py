"""Every shipped drill for real, on one platform; and some of them with their check broken.

The founding drill, which has a platform of its own, is test_drill_run.py's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import truegreen
from truegreen.incidents.drills import Plan, drills

pytestmark = [
    pytest.mark.platform,
    pytest.mark.slow,
    pytest.mark.xdist_group("drill"),  # they keep both cores busy
    pytest.mark.timeout(400),
]
PACKAGE = Path(truegreen.__file__).parent
SCHEMAS = PACKAGE / "outputs" / "schemas"
PLANNED = sorted(name for name, drill in drills(None).items() if isinstance(drill, Plan))
V = r"v\d+"
C = r"[0-9a-f]{8}"
LABEL = rf"{V} \({C}\)"
SMOKE = "smoke 3 of 3 failed with 500 internal_error"
FAILED = rf"d\d+-fault still serves {LABEL}; {LABEL} failed in its release command"
# The sentence that a person reads, and what the diagnosis says, a case.
SAID = {
    "challenge-answers-200": (
        rf"d\d+-fault serves {LABEL}; not verified: a challenge page answered\.",
        "The edge answered the health path with a challenge page, so the app was not asked.",
    ),
    "config-var-missing": (
        rf"d\d+-fault serves {LABEL}; code\.dynos: web\.1 is crashed.*",
        "The code demands PAYMENT_KEY, which its environment did not have.",
    ),
    "exit-code-swallowed": (
        rf"d\d+-fault serves {LABEL}; schema\.head: 0001, not 0002; "
        r"schema at 0001, not at the head of the code that serves \(0002\)\.",
        "v4 counts as succeeded although it failed: ';' in its release command hides the exit "
        "code.",
    ),
    "failed-release-old-code-answers": (
        rf"{FAILED}: {SMOKE}\.",
        "The release command of v4 failed in its phase smoke.",
    ),
    "flag-does-not-parse": (
        rf"d\d+-fault serves {LABEL}; flags\.config: FLAG_PAGE_SIZE: 'many' is not a whole "
        r"number\.",
        "The app's config vars do not fit the declared flags: FLAG_PAGE_SIZE: 'many' is not a "
        "whole number.",
    ),
    "green-then-crash": (
        rf"d\d+-fault serves {LABEL}; stability: after \d s: web\.1 is crashed\.",
        "",
    ),
    "older-job-overtakes": (
        rf"{C} does not contain the code that serves: {V} \(\S+\) serves \({C}\)",
        "",
    ),
    "origin-guard-off": (
        rf"d\d+-fault serves {LABEL}; health\.origin_blocked: plain: 200, .*",
        "The origin answers requests that did not come through the edge: plain: 200, forged "
        "CF-Connecting-IP: 200, forged secret: 200.",
    ),
    "pending-for-ever": (
        rf"d\d+-fault still serves {LABEL}; {LABEL} is still pending: its release command has not "
        r"ended\.",
        "v4 is still pending: its release command has not ended.",
    ),
    "port-not-bound": (
        rf"d\d+-fault serves {LABEL}; code\.dynos: web\.1 is crashed.*",
        "A web dyno did not bind $PORT within 60 seconds.",
    ),
    "red-job-run-again": (
        rf"{FAILED}: {SMOKE}\.",
        "The release command of v4 failed in its phase smoke.",
    ),
    "rollback-cannot-locate-revision": (
        r"not rolled back to v\d+: schema: the database is at 0002, which the old code does not "
        r"know; release-command: 'alembic upgrade head && python release\.py' will end with: "
        r"Can't locate revision identified by '0002'",
        "",
    ),
    "rollback-forced": (
        rf"{FAILED}; schema at 0002, the head of the code that serves\.",
        "The database is at revision 0002, which the code that ran does not have.",
    ),
    "several-heads": (
        rf"{FAILED}; schema at 0001, the head of the code that serves\.",
        "The migrations have more than one head, so Alembic does not know where to go.",
    ),
    "stale-code-on-one-dyno": (
        rf"d\d+-fault serves {LABEL}, and the app says it is {C}; code\.served: the app says "
        rf"{C}\.",
        "v4 is current, and the app still answers as other code: the app says ",
    ),
    "stream-ends-before-the-release": (
        rf"{FAILED}\.",
        "The release command of v4 failed, without a report that says where.",
    ),
}


@dataclass(frozen=True)
class Ran:
    code: int
    told: dict[str, Any]
    err: str


def run_drills(
    tmp: Path, *arguments: str, source: Path = PACKAGE.parent, cwd: Path | None = None
) -> Ran:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TRUEGREEN", "HEROKU"))}
    env["PYTHONPATH"] = str(source)
    env["TMPDIR"] = str(tmp)
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "drill", "run", "--json", *arguments],
        env=env, capture_output=True, text=True, timeout=350, check=False, cwd=cwd,
    )  # fmt: skip
    told = json.loads(done.stdout) if done.stdout else {"drills": []}
    return Ran(done.returncode, {one["name"]: one for one in told["drills"]}, done.stderr)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    tmp = tmp_path_factory.mktemp("d")
    found = run_drills(tmp, *PLANNED, "--report", str(tmp / "report.html"))
    assert (tmp / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert not list(tmp.glob("truegreen-stage-*"))
    return found


def test_every_drill_here_has_its_sentence() -> None:
    assert sorted(SAID) == PLANNED


@pytest.mark.parametrize("name", PLANNED)
def test_the_drill_passes_and_says_the_right_sentence(ran: Ran, name: str) -> None:
    told = ran.told[name]
    problems = [*told["problems"], *(one for run in told["runs"] for one in run["problems"])]
    assert (problems, told["passed"]) == ([], True), ran.err
    control, fault = told["runs"]
    assert (control["control"], control["truegreen"]["verdict"]) == (True, "green")
    assert fault["truegreen"]["verdict"] in ("red", "unverified", "refused")
    sentence, finding = SAID[name]
    assert re.fullmatch(sentence, fault["truegreen"]["sentence"]), fault["truegreen"]["sentence"]
    said = [one["sentence"] for one in fault["truegreen"]["diagnosis"]]
    assert any(one.startswith(finding) for one in said) or not finding, said
    assert told["gap"]["now"] is not None


def test_the_document_fits_its_schema(ran: Ran) -> None:
    document = {"drills": list(ran.told.values())}
    jsonschema.validate(document, json.loads((SCHEMAS / "drill-run.json").read_text()))
    verification = json.loads((SCHEMAS / "verification.json").read_text())
    for drill in ran.told.values():
        for run in drill["runs"]:
            if run["truegreen"]["verdict"] != "refused":
                jsonschema.validate(run["truegreen"], verification)


def test_the_workflow_of_that_day_called_most_of_them_a_success(ran: Ran) -> None:
    fooled = {name for name, told in ran.told.items() if told["gap"]["workflow"] == "success"}
    assert len(fooled) >= 12
    pushed = ran.told["red-job-run-again"]["runs"][1]["that_day"]
    assert pushed == {"push": "up to date", "health": 200, "conclusion": "success"}


# What is broken in a copy of the package: file, text, instead; and what the drill then says.
BROKEN = {
    "stale-code-on-one-dyno": (
        "verify/observers/code_served.py",
        "other = next((one for one in reversed(fresh) if one and commit and one != commit), None)",
        "other = None",
        "the verdict is unverified, not red",
    ),
    "challenge-answers-200": (
        "verify/probe.py",
        "if any(mark in self.body for mark in _CHALLENGE_MARKS):",
        "if False:",
        "health.edge says pass, not unknown",
    ),
    "older-job-overtakes": (
        "ship/monotonic.py",
        "if kinship is Kinship.DESCENDANT:",
        "if kinship is not Kinship.UNKNOWN:",
        "the verdict is green, not refused",
    ),
    "flag-does-not-parse": (
        "verify/observers/flags_config.py",
        "    if problems:",
        "    if not problems:",
        "the drill has no ground to stand on",
    ),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ran]:
    found: dict[str, Ran] = {}

    def run(kind: str) -> Ran:
        """All but the check of the flags in one copy: that one makes every verdict red."""
        if kind not in found:
            tmp = tmp_path_factory.mktemp(kind)
            chosen = [n for n in BROKEN if (n == "flag-does-not-parse") == (kind == "flags")]
            source = tmp / "src"
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(PACKAGE, source / "truegreen", ignore=ignore)
            for name in chosen:
                file, text, instead, _ = BROKEN[name]
                path = source / "truegreen" / file
                before = path.read_text(encoding="utf-8")
                assert text in before, f"the mutation of {file} does not take"
                path.write_text(before.replace(text, instead), encoding="utf-8")
            found[kind] = run_drills(tmp, *chosen, source=source)
        return found[kind]

    return run


@pytest.mark.parametrize("name", BROKEN)
def test_a_drill_fails_when_its_check_is_broken(broken: Callable[[str], Ran], name: str) -> None:
    ran = broken("flags" if name == "flag-does-not-parse" else "others")
    assert ran.code in (1, 3), ran.err
    told = ran.told[name]
    problems = [*told["problems"], *(one for run in told["runs"] for one in run["problems"])]
    assert not told["passed"]
    assert any(BROKEN[name][3] in problem for problem in problems), problems
