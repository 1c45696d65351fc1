"""``truegreen drill``: list, new, export, and what it does with drills that cannot be made."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

import truegreen

PACKAGE = Path(truegreen.__file__).parent
SCHEMAS = PACKAGE / "outputs" / "schemas"
TINY = PACKAGE / "incidents" / "drills" / "services" / "tiny"
UNMAKEABLE = """
title = "it changes what is not there"
check = "code.served"
before = []
[[fault]]
do = "edit"
file = "app.py"
replace = "no such text"
by = "x"
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "truegreen", "drill", *arguments]


def environment(**more: str) -> Mapping[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRUEGREEN", "HEROKU"))}
    return {**kept, **more}


def drill(cwd: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment(**more), capture_output=True, text=True,
        timeout=170, check=False,
    )  # fmt: skip


@pytest.fixture
def service(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "docs" / "incidents" / "drills").mkdir(parents=True)
    (root / "truegreen.toml").write_text('[service]\nname = "shop"\n', encoding="utf-8")
    return root


def own(service: Path, name: str, text: str) -> None:
    path = service / "docs" / "incidents" / "drills" / f"{name}.toml"
    path.write_text(text, encoding="utf-8")


def test_the_list_holds_the_services_own_drills_and_fits_its_schema(service: Path) -> None:
    own(service, "cannot-be-made", UNMAKEABLE)
    listed = drill(service, "list", "--json")
    told = json.loads(listed.stdout)
    jsonschema.validate(told, json.loads((SCHEMAS / "drill-list.json").read_text()))
    assert told[0]["name"] == "release-smoke-cf-origin-guard"
    assert told[-1]["source"].endswith("docs/incidents/drills/cannot-be-made.toml")
    assert "cannot-be-made" in drill(service, "list").stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{UNMAKEABLE}\nbye = 1\n", "did you mean fault[0].by?"),
        ("title = \n", "is not valid TOML"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_no_drill_is_named_and_nothing_is_run(
    service: Path, text: str, says: str
) -> None:
    own(service, "odd", text)
    done = drill(service, "run", "odd")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "odd.toml" in done.stderr


def test_an_unknown_drill_is_told_with_the_nearest(service: Path) -> None:
    done = drill(service, "run", "pending-forever")
    assert done.returncode == 2
    assert "did you mean pending-for-ever?" in done.stderr


def chaos(path: Path) -> subprocess.CompletedProcess[str]:
    programs = Path(sys.executable).parent
    return subprocess.run(
        [str(programs / "chaos"), "--no-version-check", "--log-file", str(path.parent / "log"),
         "--settings", str(path.parent / "settings.yaml"), "validate", str(path)],
        env=environment(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}"), cwd=path.parent,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_an_exported_drill_is_an_experiment_that_chaos_toolkit_validates(
    service: Path, tmp_path: Path
) -> None:
    done = drill(service, "export", "green-then-crash", "--format", "chaostoolkit")
    experiment = json.loads(done.stdout)
    (probe,) = experiment["steady-state-hypothesis"]["probes"]
    assert probe["tolerance"] == 0
    assert probe["provider"]["arguments"] == ["drill", "run", "--", "green-then-crash"]
    path = tmp_path / "experiment.json"
    path.write_text(done.stdout, encoding="utf-8")
    valid = chaos(path)
    assert valid.returncode == 0, valid.stdout + valid.stderr
    del probe["tolerance"]
    path.write_text(json.dumps(experiment), encoding="utf-8")
    assert chaos(path).returncode != 0, "the validation accepts what is none"


def processes_of(folder: Path) -> list[str]:
    """The command lines of processes that have to do with ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in line:
            found.append(line.decode(errors="replace")[:200])
    return found


@pytest.mark.platform
@pytest.mark.slow
@pytest.mark.xdist_group("drill")
def test_a_new_drill_passes_as_it_stands_and_one_that_cannot_be_made_is_no_pass(
    service: Path, tmp_path: Path
) -> None:
    """The new one ships a service of its own here: the folder that it is kept in."""
    shutil.copytree(TINY, service, dirs_exist_ok=True)
    assert drill(service, "new", "checkout-fails").returncode == 0
    begun = service / "docs" / "incidents" / "drills" / "checkout-fails.toml"
    text = begun.read_text(encoding="utf-8")
    assert 'service = "tiny"' in text
    begun.write_text(text.replace('service = "tiny"', 'service = "."'), encoding="utf-8")
    own(service, "cannot-be-made", UNMAKEABLE)
    page = tmp_path / "page.html"
    done = drill(
        service, "run", "checkout-fails", "cannot-be-made", "--json", "--report", str(page),
        TMPDIR=str(tmp_path),
    )  # fmt: skip
    made, unmade = json.loads(done.stdout)["drills"]
    assert made["passed"], made["problems"] + [run["problems"] for run in made["runs"]]
    assert (done.returncode, unmade["passed"], unmade["unmade"]) == (3, False, True)
    assert "app.py has no 'no such text'" in unmade["problems"][0]
    assert "could not be made" in page.read_text(encoding="utf-8")
    assert processes_of(tmp_path) == []


@pytest.mark.platform
@pytest.mark.slow
@pytest.mark.xdist_group("drill")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_drill_that_is_interrupted_leaves_no_process_and_no_folder(
    service: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    running = subprocess.Popen(
        command("run", "green-then-crash", "--json"), cwd=service,
        env=environment(TMPDIR=str(folder)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not list(folder.glob("truegreen-stage-*/d1-fault/.git")):
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert (running.returncode, out) == (130, ""), err
    assert "interrupted" in err
    assert processes_of(folder) == []
    assert list(folder.glob("truegreen-stage-*")) == []
