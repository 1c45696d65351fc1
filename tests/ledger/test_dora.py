"""DORA's measures, against runs whose numbers can be worked out by hand."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

import truegreen
from truegreen.cli import root
from truegreen.ledger import Ledger
from truegreen.ledger.dora import deployments
from truegreen.model.dora import measure
from truegreen.outputs.dora import dora_document, dora_lines, dora_svg

DAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


def hours(number: float) -> datetime:
    return DAY + timedelta(hours=number)


def ledger(path: Path, runs: list[tuple[float, str | None, str, float | None]], **extra: Any)\
        -> Path:  # fmt: skip
    """Runs: hour, verdict, commit, hour in which the commit was made."""
    with Ledger.open(path) as found:
        for at, verdict, commit, made in runs:
            body: dict[str, Any] = {"timings": {}, "notes": [], **extra}
            if made is not None:
                body["committed_at"] = hours(made).isoformat()
            found.append(
                "ship", app="shop", commit=commit, verdict=verdict, body=body, at=hours(at)
            )
    return path


RUNS: list[tuple[float, str | None, str, float | None]] = [
    (0, "green", "a", -2.0),  # lead 2 h
    (10, "red", "b", 9.0),
    (11, "red", "c", 10.5),  # the same failure goes on
    (14, "green", "d", 13.0),  # lead 1 h; mends: recovery 4 h
    (20, "unverified", "e", 19.0),
    (21, None, "e", None),  # interrupted
    (30, "green", "f", 26.0),  # lead 4 h
    (40, "green", "g", None),  # nobody knows when it was made
    (47, "red", "h", 46.0),  # and nobody has mended it
]


def measured(path: Path) -> Any:
    with Ledger.open(path) as found:
        runs = deployments(found.records(app="shop"))
    return measure("shop", runs, since=DAY, until=hours(48))


def test_the_measures_are_what_the_runs_say(tmp_path: Path) -> None:
    found = measured(ledger(tmp_path / "l", RUNS))
    assert (found.deployments, found.failed, found.unverified) == (4, 3, 1)
    assert found.per_day == 2.0
    assert found.lead_time == 2 * 3600
    assert found.change_failure == pytest.approx(3 / 7)
    assert found.recovery == 4 * 3600
    assert found.rework == 1 / 4
    assert found.open_failure == hours(47)
    assert found.samples == {
        "deployments": 4, "lead_time": 3, "change_failure": 7, "failed_to_deploy": 7,
        "recovery": 1, "rework": 4,
    }  # fmt: skip
    assert [(one.green, one.red, one.unverified) for one in found.days] == [
        (1, 2, 0), (2, 0, 1), (1, 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "release",
    [None, {"version": 5, "status": "failed", "current": False}],
    ids=["build", "release"],
)
def test_what_never_reached_production_failed_to_deploy_and_is_no_change_failure(
    tmp_path: Path, release: dict[str, Any] | None
) -> None:
    path = ledger(tmp_path / "l", [(0, "green", "a", None), (1, "green", "b", None)])
    ledger(path, [(2, "red", "c", None)], release=release)
    serves = {"version": 6, "status": "failed", "current": True}  # the world of 2026-06-21
    ledger(path, [(3, "red", "d", None)], release=serves)
    found = measured(path)
    assert (found.failed, found.change_failure, found.failed_to_deploy) == (2, 1 / 3, 1 / 4)
    assert (found.samples["change_failure"], found.samples["failed_to_deploy"]) == (3, 4)
    assert any("failed to deploy" in line and "25 %" in line for line in dora_lines(found))


def test_nothing_is_not_zero(tmp_path: Path) -> None:
    found = measured(ledger(tmp_path / "l", []))
    assert (found.lead_time, found.change_failure, found.recovery, found.rework) == (None,) * 4
    assert found.failed_to_deploy is None
    assert found.per_day == 0
    assert "no sample" in "\n".join(dora_lines(found))
    ET.fromstring(dora_svg(found))


def test_a_run_that_found_everything_done_is_no_deployment(tmp_path: Path) -> None:
    path = ledger(tmp_path / "l", [(0, "green", "a", None)])
    ledger(path, [(1, "green", "a", None)], notes=["v3 carries it already: not released again"])
    ledger(path, [(2, "red", "a", None)], notes=["v3 carries it already: not released again"])
    with Ledger.open(path) as found:
        runs = deployments(found.records())
    assert [run.verdict for run in runs] == ["green", "red"]  # what changed since does count


@pytest.mark.parametrize("value", ["", "yesterday", "2026-06-01T12:00:00", 7, None])
def test_a_commits_time_that_is_none_is_no_sample(tmp_path: Path, value: object) -> None:
    path = ledger(tmp_path / "l", [(1, "green", "a", None)], committed_at=value)
    assert measured(path).lead_time is None


def test_a_commit_from_the_future_is_no_sample(tmp_path: Path) -> None:
    assert measured(ledger(tmp_path / "l", [(1, "green", "a", 5.0)])).lead_time is None


def test_the_picture_is_well_formed_and_says_the_same(tmp_path: Path) -> None:
    found = measured(ledger(tmp_path / "l", RUNS))
    picture = ET.fromstring(dora_svg(found))
    text = " ".join(picture.itertext())
    for expected in ("2.00 a day", "2.0 h", "43 %", "4.0 h", "25 %", "2026-06-01"):
        assert expected in text
    bars = [bar for bar in picture.iter("{http://www.w3.org/2000/svg}rect") if len(bar)]
    assert len(bars) == 6
    hostile = measure('<b>&"', [], since=DAY, until=hours(1))
    assert '<b>&"' in " ".join(ET.fromstring(dora_svg(hostile)).itertext())


def test_the_verb_prints_a_table_json_and_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRUEGREEN_DATABASE_URL", raising=False)
    (tmp_path / "truegreen.toml").write_text('[service]\nname = "shop"\n')
    empty = CliRunner().invoke(root, ["dora", str(tmp_path)])
    assert "no ledger yet" in str(empty.exception)
    now = datetime.now(UTC)
    with Ledger.open(tmp_path / ".truegreen" / "ledger.sqlite3") as found:
        made = (now - timedelta(hours=1)).isoformat()
        found.append(
            "ship", app="shop", commit="a", verdict="green", body={"committed_at": made}, at=now
        )
    svg = tmp_path / "dora.svg"
    done = CliRunner().invoke(root, ["dora", str(tmp_path), "--json", "--svg", str(svg)])
    document = json.loads(done.output)
    schemas = Path(truegreen.__file__).parent / "outputs" / "schemas"
    jsonschema.validate(document, json.loads((schemas / "dora.json").read_text()))
    assert document["deployments"] == 1
    assert document["lead_time_seconds"] == pytest.approx(3600, abs=1)
    assert svg.read_text().startswith("<svg")
    table = CliRunner().invoke(root, ["dora", str(tmp_path)]).output
    assert "change lead time" in table
    assert "60.0 min" in table


def test_the_document_of_hand_made_runs_fits_its_schema(tmp_path: Path) -> None:
    schemas = Path(truegreen.__file__).parent / "outputs" / "schemas"
    schema = json.loads((schemas / "dora.json").read_text())
    jsonschema.validate(dora_document(measured(ledger(tmp_path / "l", RUNS))), schema)
