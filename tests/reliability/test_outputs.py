"""What a run writes for others: in every format at once, and to GitHub by itself."""

from __future__ import annotations

import json
from pathlib import Path

from tiny_service import Tiny

from truegreen.outputs.formats import FORMATS


def test_a_red_and_a_green_run_tell_the_same_in_every_format(tiny: Tiny, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "example/tiny",
        "GITHUB_RUN_ID": "7",
    }

    def ship(verdict: str) -> Path:
        folder = tmp_path / verdict
        folder.mkdir()
        outputs = [part for name in FORMATS for part in ("--output", f"{name}={folder / name}")]
        done = tiny.run("ship", "--json", *outputs, env=github)
        assert done.document["verdict"] == verdict, done.err
        level = "error" if verdict == "red" else "notice"
        assert f"::{level} file=truegreen.toml,line=1" in done.err
        return folder

    release = (tiny.root / "release.py").read_text()
    tiny.commit({"release.py": "raise SystemExit(1)\n"})
    red = ship("red")
    tiny.commit({"release.py": release})
    green = ship("green")

    told = [json.loads(line) for line in (green / "cdevents").read_text().splitlines()]
    types = {event["context"]["type"].split(".")[2] for event in told}
    assert types == {"service", "pipelinerun", "incident"}  # resolved: the run before was red
    finished = next(event for event in told if "pipelinerun" in event["context"]["type"])
    assert finished["subject"]["content"]["uri"].endswith("/example/tiny/actions/runs/7")
    assert 'failures="0"' not in (red / "junit").read_text()
    assert json.loads((red / "sarif").read_text())["runs"][0]["results"]
    assert json.loads((green / "in-toto").read_text().splitlines()[0])["predicate"]["result"] == (
        "PASSED"
    )
    text = summary.read_text()
    assert text.index("🔴 RED") < text.index("🟢 GREEN")


def test_an_output_that_cannot_be_written_is_said_before_anything_is_shipped(tiny: Tiny) -> None:
    done = tiny.run("ship", "--output", "junit=no/such/folder/report.xml")
    assert (done.code, "folder does not exist" in done.err) == (2, True)
    assert not tiny.data.exists()


def test_a_collector_that_is_not_there_changes_no_verdict(tiny: Tiny) -> None:
    assert tiny.run("ship").code == 0
    otel = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }
    done = tiny.run("verify", "--json", env=otel)
    assert (done.code, done.document["verdict"]) == (0, "green"), done.err
