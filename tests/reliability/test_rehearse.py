"""Raptor in the state of 2026-06-21, before the wave is shipped: what each verb says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tiny_service import Tiny

import truegreen
from truegreen.incidents.drills.release_smoke import (
    put_back,
    take_back,
    without_pin,
    without_seal,
)
from truegreen.ship.stage import commit, copy_service, edit_text

pytestmark = [pytest.mark.platform, pytest.mark.xdist_group("rehearse"), pytest.mark.timeout(400)]
APP = "raxx-api-prod"
FLAG = "FLAG_ENFORCE_CF_ORIGIN"
SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"


def fits(document: Any, schema: str) -> None:
    jsonschema.validate(document, json.loads((SCHEMAS / f"{schema}.json").read_text()))


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Tiny]:
    """The day before serves, at 0044; HEAD is the wave: no pin, no seal, not shipped."""
    service = Tiny(tmp_path_factory.mktemp("rehearse"))
    service.root = service.root.parent / "raptor"
    copy_service(request.config.rootpath / "examples" / "raptor", service.root)
    wave = take_back(service.root)
    commit(service.root, "before the wave")
    done = service.run("ship", "--json")
    try:
        assert done.code == 0, (done.out, done.err)
        put_back(wave)
        edit_text(service.root / "truegreen.toml", without_pin)
        edit_text(service.root / "truegreen.toml", without_seal)
        commit(service.root, "the wave")
        yield service
    finally:
        service.stop()


def test_it_predicts_all_14_failures_with_variable_and_line_and_changes_nothing(
    eve: Tiny, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    before = eve.run("verify", "--json").document["serving"]
    done = eve.run("rehearse", "--json", env={"TMPDIR": str(temporary)})
    assert done.code == 1, done.err
    assert done.out, done.err
    document = done.document
    fits(document, "rehearsal")
    predicted = document["predicted"]
    assert (predicted["failed"], predicted["total"]) == (14, 14)
    assert len(predicted["failures"]) == 14
    assert all("direct_origin_blocked" in one["body"] for one in predicted["failures"])
    (leak,) = [one for one in predicted["leaks"] if one["present"]]
    assert (leak["variable"], leak["file"]) == (FLAG, "raptor/settings.py")
    source = (eve.root / leak["file"]).read_text().splitlines()
    assert "environ" in source[leak["line"] - 1]
    assert f"{FLAG} at raptor/settings.py:{leak['line']}" in document["sentence"]
    assert (document["schema"]["from"], document["schema"]["to"]) == ("0044", "0046")
    assert FLAG in document["config"]["kept"]
    replaced = {one["name"]: one["by"] for one in document["config"]["replaced"]}
    assert replaced["DATABASE_URL"] == "a scratch database"
    assert replaced["ORIGIN_SECRET"] == "a dummy"
    assert document["commit"] == eve.git("rev-parse", "HEAD")
    assert eve.run("verify", "--json").document["serving"] == before
    assert [path.name for path in temporary.iterdir()] == []


def names_the_environment(eve: Tiny, leak: Any) -> bool:
    """Whether the line that a leak names is one that reads the environment."""
    return "environ" in (eve.root / leak["file"]).read_text().splitlines()[leak["line"] - 1]


def test_the_recording_alone_names_the_flag(eve: Tiny) -> None:
    done = eve.run("hermetic", "report", "--json", env={FLAG: "1"})
    fits(done.document, "hermetic-report")
    (leak,) = [one for one in done.document["leaks"] if one["variable"] == FLAG]
    assert (leak["file"], leak["present"]) == ("raptor/settings.py", True)
    assert names_the_environment(eve, leak)
    assert leak["pin"] == f'[smoke.env] {FLAG} = "0"'
    # not sealed, the policy lets leaks be; but tests that fail may read more than is known
    assert (done.code, "14 of 14" in done.document["verdict"]) == (3, True)


def test_smoke_with_the_apps_config_vars_shows_what_would_leak(eve: Tiny) -> None:
    done = eve.run("smoke", "--env-from", APP, "--json")
    fits(done.document, "smoke")
    shown = done.document["would_leak"]
    assert len(shown["changed"]) == 14
    (leak,) = shown["leaks"]
    assert (leak["variable"], leak["file"]) == (FLAG, "raptor/settings.py")
    assert names_the_environment(eve, leak)
    # not sealed, so what would leak there counts, although the suite passes here
    assert (done.code, done.document["status"]) == (1, "pass")


def test_prove_with_the_apps_config_vars_names_the_flag(eve: Tiny) -> None:
    done = eve.run("hermetic", "prove", "--env-from", APP, "--json")
    assert done.code == 1
    fits(done.document, "hermetic-prove")
    (leak,) = done.document["leaks"]
    assert (leak["variable"], leak["file"]) == (FLAG, "raptor/settings.py")
    assert names_the_environment(eve, leak)
    assert len(leak["tests"]) == 14
    assert {one["value"] for one in leak["outcomes"]} == {"1"}


def test_an_app_that_is_not_there_is_not_rehearsed(eve: Tiny) -> None:
    done = eve.run("rehearse", "--app", "no-such-app", "--json")
    assert (done.code, done.out) == (3, "")


def test_with_the_seal_and_the_pin_it_would_be_green(
    eve: Tiny, request: pytest.FixtureRequest
) -> None:
    good = request.config.rootpath / "examples" / "raptor" / "truegreen.toml"
    (eve.root / "truegreen.toml").write_text(good.read_text())
    commit(eve.root, "pinned and sealed")
    done = eve.run("rehearse", "--json")
    assert done.code == 0, (done.out, done.err)
    assert done.document["verdict"] == "green"
