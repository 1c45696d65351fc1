"""The freeze, asked again on the dyno: only a deploy is refused, and only by a lock."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from truegreen.config import load_config
from truegreen.release.freeze import OVERRIDE, Asked, ask

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
DEPLOY = {
    "HEROKU_APP_NAME": "raptor-prod",
    "HEROKU_SLUG_COMMIT": "c" * 40,
    "HEROKU_SLUG_DESCRIPTION": "Deploy cccccccc",
}


def lock(folder: Path, **window: Any) -> None:
    one = {
        "name": "Christmas", "kind": "deny", "start": "2026-12-24T00:00:00.000Z",
        "end": "2026-12-27T00:00:00.000Z", "reason": "nobody is there",
        "environments": [], "apps": [], "labels": [],
    }  # fmt: skip
    document = {
        "format": "truegreen-freeze/1",
        "from": "2026-12-01T00:00:00.000Z",
        "until": "2027-12-01T00:00:00.000Z",
        "windows": [{**one, **window}],
    }
    (folder / "freeze.lock").write_text(json.dumps(document))


def answer(folder: Path, now: datetime = NOW, **changed: str) -> Asked:
    (folder / "truegreen.toml").write_text(
        "[service]\nname = 'raptor'\nlabels = ['eu']\n[env.production]\napp = 'raptor-prod'\n"
    )
    return ask(load_config(folder), {**DEPLOY, **changed}, now)


def test_a_deploy_in_a_freeze_is_refused_and_told_until_when(tmp_path: Path) -> None:
    lock(tmp_path)
    told = answer(tmp_path)
    assert told.problem.startswith(
        "the freeze 'Christmas' (nobody is there) holds until 2026-12-27T00:00:00Z"
    )
    assert answer(tmp_path, NOW + timedelta(days=5)).problem == ""
    assert answer(tmp_path, HEROKU_SLUG_DESCRIPTION="Promote raptor-staging v3").problem


@pytest.mark.parametrize(
    "what", ["Rollback to v12", "Set FLAG_X config vars", "Attach postgresql", ""]
)
def test_nothing_but_a_deploy_is_ever_refused(tmp_path: Path, what: str) -> None:
    lock(tmp_path)
    told = answer(tmp_path, HEROKU_SLUG_DESCRIPTION=what)
    assert told.problem == ""
    assert "not asked" in told.note
    (tmp_path / "freeze.lock").write_text("broken")
    assert answer(tmp_path, HEROKU_SLUG_DESCRIPTION=what).problem == ""


def test_without_a_lock_nothing_is_asked_and_that_is_said(tmp_path: Path) -> None:
    assert answer(tmp_path) == Asked()
    (tmp_path / "truegreen.toml").write_text("[[freeze.holidays]]\ncountry = 'DE'\n")
    assert "freeze.lock" in ask(load_config(tmp_path), DEPLOY, NOW).note


@pytest.mark.parametrize(
    ("value", "passes"),
    [
        (f"{'c' * 40} 2026-12-25T00:00:00.000Z", True),
        (f"{'c' * 40} 2026-12-24T11:59:59.000Z", False),
        (f"{'d' * 40} 2026-12-25T00:00:00.000Z", False),
        (f"{'c' * 40}", False),
        (f"{'c' * 40} soon", False),
        (f"{'c' * 40} 2026-12-25T00:00:00", False),
        ("1", False),
        ("", False),
    ],
)
def test_an_override_is_of_one_commit_and_ends(tmp_path: Path, value: str, passes: bool) -> None:
    lock(tmp_path)
    told = answer(tmp_path, **{OVERRIDE: value})
    assert (told.problem == "") == passes
    assert ("OVERRIDDEN" in told.note) == passes


@pytest.mark.parametrize(
    ("window", "refused"),
    [
        ({"environments": ["production"]}, True),
        ({"environments": ["staging"]}, False),
        ({"apps": ["raptor-*"]}, True),
        ({"labels": ["us"]}, False),
        ({"labels": ["eu", "us"]}, True),
        ({"kind": "allow"}, False),
        ({"kind": "allow", "start": "2026-12-26T00:00:00Z"}, True),
    ],
)
def test_windows_mean_there_what_they_mean_here(
    tmp_path: Path, window: dict[str, Any], refused: bool
) -> None:
    lock(tmp_path, **window)
    assert bool(answer(tmp_path).problem) == refused


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", '{"format": "truegreen-freeze/9"}', "\udcff", "[" * 100_000, "é" * 3],
)
def test_a_lock_that_cannot_be_read_refuses_a_deploy(tmp_path: Path, content: str) -> None:
    (tmp_path / "freeze.lock").write_bytes(content.encode("utf-8", "surrogateescape"))
    told = answer(tmp_path)
    assert told.problem.startswith("freeze.lock: ")
    assert "truegreen freeze lock" in told.problem


def test_a_lock_of_another_time_or_with_a_strange_window_refuses_a_deploy(tmp_path: Path) -> None:
    lock(tmp_path)
    assert "it says nothing of 2028" in answer(tmp_path, datetime(2028, 1, 1, tzinfo=UTC)).problem
    lock(tmp_path, kind="maybe")
    assert "kind 'maybe'" in answer(tmp_path).problem
    lock(tmp_path, start="2026-12-24T00:00:00")
    assert "has no offset" in answer(tmp_path).problem


def test_the_release_command_ends_in_preflight_and_says_so(tmp_path: Path) -> None:
    year = datetime.now(UTC).year
    lock(tmp_path, start=f"{year - 1}-01-01T00:00:00Z", end=f"{year + 2}-01-01T00:00:00Z")
    text = (tmp_path / "freeze.lock").read_text()
    text = text.replace("2026-12-01T", f"{year - 1}-01-01T").replace(
        "2027-12-01T", f"{year + 2}-01-01T"
    )
    (tmp_path / "freeze.lock").write_text(text)
    (tmp_path / "truegreen.toml").write_text("[service]\nname = 'raptor'\n")

    def release(**environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "truegreen", "release"],
            cwd=tmp_path,
            env={"PATH": "", **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    refused = release(**DEPLOY)
    assert refused.returncode == 11
    assert "preflight: freeze: the freeze 'Christmas'" in refused.stdout
    assert release(**DEPLOY, HEROKU_RELEASE_VERSION="v3").returncode == 11
    back = release(**{**DEPLOY, "HEROKU_SLUG_DESCRIPTION": "Rollback to v2"})
    assert back.returncode == 0
    assert "no deploy" in back.stdout
