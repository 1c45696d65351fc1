"""What a red ship does by itself: a draft, and never an error of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truegreen.config import Config, load_config
from truegreen.incidents.drafting.after_red import after_red
from truegreen.ledger import Ledger
from truegreen.state import Location, locate

FOUNDING = Path(__file__).parents[1] / "data" / "founding.json"
NAME = "2026-11-23-smoke-inherited-environment"


def red(folder: Path, toml: str = "") -> tuple[Config, Location]:
    (folder / "truegreen.toml").write_text(f'[service]\nname = "svc"\n{toml}')
    where = locate(folder)
    body = json.loads(FOUNDING.read_text())
    with Ledger.open(where) as ledger:
        ledger.append("ship", app="svc", commit=body["commit"], verdict="red", body=body)
    return load_config(folder), where


def test_the_draft_and_its_evidence_are_written_and_named(tmp_path: Path) -> None:
    config, where = red(tmp_path)
    said = after_red(config, where, "svc")
    path = tmp_path / "docs" / "incidents" / f"{NAME}.md"
    assert said == f"incident drafted: {path}"
    assert path.is_file()
    assert (path.parent / "evidence" / f"{NAME}.json").is_file()
    assert {one.name for one in path.parent.iterdir()} == {path.name, "evidence"}


def test_a_second_red_run_renews_it_and_keeps_a_persons_words(tmp_path: Path) -> None:
    config, where = red(tmp_path)
    after_red(config, where, "svc")
    path = tmp_path / "docs" / "incidents" / f"{NAME}.md"
    path.write_text(path.read_text().replace("_To be written by a person._", "Mine.", 1))
    red(tmp_path)
    assert after_red(config, where, "svc") == f"incident renewed: {path}"
    text = path.read_text()
    assert "Mine." in text
    assert "| ship is red: " in text  # the second run stands in the timeline


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    config, where = red(tmp_path, "[incidents]\ndraft = false\n")
    assert after_red(config, where, "svc") == ""
    assert not (tmp_path / "docs").exists()


@pytest.mark.parametrize("broken", ["---\nid: x\nid: y\n---\n", "---\nnot closed", None])
def test_what_stands_in_the_way_is_said_and_left_alone(tmp_path: Path, broken: str | None) -> None:
    config, where = red(tmp_path)
    path = tmp_path / "docs" / "incidents" / f"{NAME}.md"
    if broken is None:
        (tmp_path / "docs").write_text("a file where the folder should be")
    else:
        path.parent.mkdir(parents=True)
        path.write_text(broken)
    assert after_red(config, where, "svc").startswith("no incident was drafted: ")
    if broken is not None:
        assert path.read_text() == broken


def test_the_blast_radius_is_what_served_and_which_flags_were_on(tmp_path: Path) -> None:
    from truegreen.incidents.document.read import read_review

    config, where = red(tmp_path)
    after_red(config, where, "svc")
    told = read_review(tmp_path / "docs" / "incidents" / f"{NAME}.md").incident.blast_radius
    assert told.startswith("The platform served v4 (9d21d1fd")
    assert "Flags on: FLAG_ENFORCE_CF_ORIGIN." in told
    assert told.endswith("Flags off: FLAG_BETA_NDA_ACK, FLAG_BETA_WALKTHROUGH.")
