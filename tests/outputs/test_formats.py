"""Every format says the same as the record, fits its specification, and lets no text break out."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from sarif_judge import fits_sarif

from truegreen.errors import UsageError
from truegreen.outputs.annotating import annotate
from truegreen.outputs.cdevents import events
from truegreen.outputs.formats import FORMATS, parse_outputs, write_outputs, written
from truegreen.outputs.in_toto import statements
from truegreen.outputs.junit import junit
from truegreen.outputs.sarif import Result, Rule, sarif, sarif_log
from truegreen.outputs.step_summary import LIMIT, step_summary

from .records import COMMIT, check, hostile, record

SPECIFICATIONS = Path(__file__).parent / "specifications"
VERDICTS = ["green", "red", "unverified"]


def fits(name: str, document: Any) -> None:
    schema = json.loads((SPECIFICATIONS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.FormatChecker(["uuid"])
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(document)


def test_junit_counts_what_is_not_known_as_an_error_and_what_is_optional_as_skipped() -> None:
    (suite,) = ET.fromstring(junit(record("unverified")))
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "0",
        "errors": "2",
        "skipped": "1",
    }
    assert suite.get("timestamp") == "2026-06-21T19:36:00"
    assert suite.get("time") == "6.500"
    (suite,) = ET.fromstring(junit(record("red")))
    failure = suite.find("testcase[@name='release.command']/failure")
    assert failure is not None
    assert "release.command was seen" in str(failure.text)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_sarif_fits_and_puts_a_leak_at_its_line(verdict: str) -> None:
    log = json.loads(sarif(record(verdict)))
    fits_sarif(log)
    results = log["runs"][0]["results"]
    by_rule = {result["ruleId"]: result for result in results}
    if verdict == "green":
        assert results == []
    if verdict == "unverified":
        assert {result["level"] for result in results} == {"warning"}
    if verdict == "red":
        place = by_rule["leak"]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "services/raptor/raptor/settings.py"
        assert place["region"]["startLine"] == 31
        assert "schema.head" not in by_rule


def test_a_sarif_log_carries_suppressions_and_odd_paths() -> None:
    result = Result("r", "note", "x", "a b/ü.py", 3, "f", suppressed="known", properties={"a": 1})
    log = sarif_log([Rule("r", "says.", "https://example.com")], [result], version="1.0.0")
    fits_sarif(log)
    told = log["runs"][0]["results"][0]
    uri = told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/%C3%BC.py"
    assert told["suppressions"][0]["justification"] == "known"
    with pytest.raises(KeyError):
        sarif_log([], [result])


@pytest.mark.parametrize("verdict", VERDICTS)
def test_cdevents_fit_and_have_the_outcome_of_the_verdict(verdict: str) -> None:
    made = list(events(record(verdict)))
    for event in made:
        fits("cdevents-0.5.1", event)
    kinds = [event["context"]["type"].split(".")[2:4] for event in made]
    finished = made[kinds.index(["pipelinerun", "finished"])]
    outcome = {"green": "success", "red": "failure", "unverified": "error"}[verdict]
    assert finished["subject"]["content"]["outcome"] == outcome
    assert (["incident", "detected"] in kinds) == (verdict == "red")
    # The red one is of that day's kind: the release is not current, so nothing was deployed.
    assert (["service", "upgraded"] in kinds) == (verdict != "red")
    assert (["testsuiterun", "finished"] in kinds) == (verdict == "red")


@pytest.mark.parametrize(
    ("more", "kind", "event"),
    [
        ({"document": {"baseline": None}}, "ship", "service.deployed"),
        ({}, "ship", "service.upgraded"),
        ({}, "rollback", "service.rolledback"),
        ({"recovered": True}, "ship", "incident.resolved"),
    ],
)
def test_what_happened_to_the_service_has_its_event(
    more: dict[str, Any], kind: str, event: str
) -> None:
    types = [one["context"]["type"] for one in events(record("green", kind, **more))]
    assert f"dev.cdevents.{event}.0.3.0" in types


def test_verify_deploys_nothing_and_says_so() -> None:
    types = [one["context"]["type"] for one in events(record("green", "verify"))]
    assert types == ["dev.cdevents.pipelinerun.finished.0.3.0"]


def test_an_event_told_twice_is_one_event() -> None:
    ids = [[event["context"]["id"] for event in events(record("red"))] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ids[0])


@pytest.mark.parametrize("verdict", VERDICTS)
def test_in_toto_maps_the_unknown_to_failed_and_verifies_only_the_green(verdict: str) -> None:
    made = statements(record(verdict))
    for statement in made:
        fits("in-toto", statement)
        # in-toto's own classes: an unknown field or a wrong type is refused
        parsed = json_format.ParseDict(statement, statement_pb2.Statement())
        Statement.copy_from_pb(parsed).validate()
    json_format.ParseDict(made[0]["predicate"], test_result_pb2.TestResult())
    predicate = made[0]["predicate"]
    assert predicate["result"] == ("PASSED" if verdict == "green" else "FAILED")
    assert ("release.command" in predicate["failedTests"]) == (verdict != "green")
    assert predicate["warnedTests"] == ["schema.head"]
    assert made[0]["subject"][0]["digest"]["gitCommit"] == COMMIT
    assert len(made) == (2 if verdict == "green" else 1)


def test_a_statement_about_an_unknown_commit_is_refused() -> None:
    with pytest.raises(UsageError, match="whole commit"):
        statements(record("red", document={"commit": None}))


def test_the_summary_begins_with_the_verdict() -> None:
    text = step_summary(record("red"))
    assert text.startswith("## 🔴 RED: raxx-api-prod is red.")
    assert "output of v154, line 7: <code>E 403</code>" in text
    assert "| ❌ | `release.command` |" in text
    assert "(optional)" in text


def test_a_summary_beyond_githubs_limit_is_cut_and_says_so() -> None:
    checks = [check(f"release.command{n}", "fail", observed="x" * 1900) for n in range(2000)]
    text = step_summary(record("red", document={"checks": checks}))
    assert len(text.encode()) < LIMIT + 100
    assert text.endswith("… cut: see the log\n")


def test_annotations_say_the_sentence_first_and_stay_within_githubs_limits() -> None:
    lines = list(annotate(record("red")))
    assert lines[0].startswith("::error file=services/raptor/truegreen.toml,line=1,title=RED")
    assert any("file=services/raptor/raptor/settings.py,line=31" in line for line in lines)
    checks = [check(f"release.command{n}", "fail") for n in range(50)]
    lines = list(annotate(record("red", document={"checks": checks})))
    assert len([line for line in lines if line.startswith("::error")]) == 10
    assert "and 41 more" in lines[-1]
    assert next(iter(annotate(record("green")))).startswith("::notice")


def test_hostile_text_breaks_out_of_no_format() -> None:
    bad = hostile()
    (suite,) = ET.fromstring(junit(bad))
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "<script>" in str(failure.get("message"))  # as text
    fits_sarif(json.loads(sarif(bad)))
    for event in events(bad):
        fits("cdevents-0.5.1", event)
    summary = step_summary(bad)
    assert "<script>" not in summary
    assert "](javascript" not in summary
    assert len(summary.splitlines()) == len(step_summary(record("red")).splitlines()) - 3
    for line in annotate(bad):
        assert re.fullmatch(r"::(?:error|warning|notice) [^\n\r]*", line)
        assert "\x1b" not in line


def test_every_format_is_written_whole_and_replaces_what_was_there(tmp_path: Path) -> None:
    outputs = parse_outputs(tuple(f"{name}={tmp_path / name}" for name in FORMATS))
    assert list(outputs) == list(FORMATS)
    (tmp_path / "junit").write_text("old")
    write_outputs(record("green"), outputs)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMATS)
    for name, path in outputs.items():
        assert path.read_text(encoding="utf-8") == written(name, record("green"))
    assert json.loads(outputs["json"].read_text())["verdict"] == "green"
    mask = os.umask(0)
    os.umask(mask)
    assert outputs["junit"].stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("text", ["junit", "junit=", "=x", "word=x", "junit=/no/such/folder/x"])
def test_an_output_that_cannot_be_is_refused_before_anything_is_done(text: str) -> None:
    with pytest.raises(UsageError, match="--output"):
        parse_outputs((text,))


@pytest.mark.parametrize("verdict", VERDICTS)
def test_spans_carry_the_verdict_the_steps_and_the_checks(verdict: str) -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from truegreen.outputs.spans import export_spans

    exporter = InMemorySpanExporter()
    export_spans(record(verdict), exporter)
    spans = {span.name: span for span in exporter.get_finished_spans()}
    root, step = spans["RUN truegreen ship"], spans["STEP release"]
    assert root.attributes is not None
    result = {"green": "success", "red": "failure", "unverified": "error"}[verdict]
    assert root.attributes["cicd.pipeline.result"] == result
    assert root.attributes["vcs.ref.head.revision"] == COMMIT
    assert (root.status.status_code.name == "ERROR") == (verdict != "green")
    assert root.events[0].name == "check release.command"
    assert step.parent is not None
    assert step.parent.span_id == root.context.span_id
    assert step.end_time is not None
    assert step.start_time is not None
    assert step.end_time - step.start_time == 5_000_000_000
    assert root.end_time == int(datetime.fromisoformat("2026-06-21T19:36:00Z").timestamp()) * 10**9
