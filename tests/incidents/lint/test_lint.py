"""Each rule of lint: silent about a good review, and loud about the one thing that is broken."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import truegreen
from truegreen.cli import root as verbs
from truegreen.config import load_config
from truegreen.incidents.document import parse, write
from truegreen.incidents.drafting import draft
from truegreen.incidents.drafting.after_red import write_draft
from truegreen.incidents.drafting.episode import of_document
from truegreen.incidents.lint import Finding, Level, lint, lint_service
from truegreen.incidents.lint.surroundings import Surroundings
from truegreen.outputs.annotations import Annotation, workflow_commands

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"
GOOD = """\
---
id: 2026-06-21-it-broke
title: It broke
date: 2026-06-21
severity: SEV-3
status: resolved
author: ada
began: 2026-06-21T19:29:00Z
detected: 2026-06-21T19:36:00Z
ended: 2026-06-21T19:35:00Z
duration: 6m
app: an-app
release: v154
trigger: a release
blast_radius: one release
impact: {users: none, data: none}
detection: {by: a person, gap: 1m, faster: ask the release}
runbooks: [docs/runbook.md]
related: [2026-06-10-before]
actions:
  - id: pin
    title: pin it
    owner: ada
    due: 2026-06-28
    kind: prevent
    strength: constraint
    required: true
    proof: {test: tests/test_pin.py, timeout: 1m}
---

# It broke

## Summary

It broke.[^1]

## Impact

None.

## Timeline

| UTC | what |
|---|---|
| 19:29 | dispatched |
| 19:35 | up again |
| 19:36 | found |

## Trigger

A release.

## Root causes

Two.

## Detection

A person.

## Resolution

None needed.

## What went well

Much.

## What went badly

Some.

## Where we got lucky

Twice.

## What surprised us

That.

## Action items

See above.

[^1]: said by ada
"""
AROUND = Surroundings(
    today=date(2026, 6, 22),
    owners=("ada",),
    reviews=frozenset({"2026-06-21-it-broke", "2026-06-10-before"}),
    files=frozenset({"docs/runbook.md"}),
    drills=frozenset({"a-drill"}),
)


def found(text: str, around: Surroundings = AROUND) -> list[Finding]:
    return list(lint("review.md", parse(text), around))


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def test_a_good_review_is_left_in_peace() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "level"),
    [
        ("severity: SEV-3\n", "", "field-missing", "error"),
        ("impact: {users: none, data: none}", "impact: {users: none}", "field-missing", "error"),
        (", faster: ask the release", "", "field-missing", "error"),
        ("## Trigger\n\nA release.\n", "", "section-missing", "error"),
        ("Much.", "_To be written by a person._", "section-unwritten", "error"),
        ("began: 2026-06-21T19:29:00Z", "began: 2026-06-21T21:29:00+02:00", "not-utc", "error"),
        ("| 19:36 | found |", "| 19:36 +02:00 | found |", "not-utc", "error"),
        ("| 19:36 | found |", "| 19:34 | found |", "out-of-order", "error"),
        ("date: 2026-06-21", "date: 2026-06-20", "times-conflict", "error"),
        ("ended: 2026-06-21T19:35", "ended: 2026-06-21T19:20", "times-conflict", "error"),
        ("detected: 2026-06-21T19:36", "detected: 2026-06-21T19:50", "times-conflict", "error"),
        ("duration: 6m", "duration: 16m", "durations", "error"),
        ("gap: 1m", "gap: 2h", "durations", "error"),
        ("It broke.[^1]", "It broke.[^2]", "cited-not-defined", "error"),
        ("runbooks: [docs/runbook.md]", "runbooks: [docs/gone.md]", "not-there", "error"),
        ("[2026-06-10-before]", "[2026-06-11-never]", "not-there", "error"),
        ("    owner: ada\n", "", "action-without-owner", "error"),
        ("    owner: ada\n", "    owner: bob\n", "owner-unknown", "error"),
        ("    due: 2026-06-28\n", "", "action-without-due", "error"),
        ("    due: 2026-06-28\n", "    due: 2026-06-20\n", "due-before", "error"),
        ("    kind: prevent\n", "", "action-without-kind", "error"),
        ("    strength: constraint\n", "", "action-without-strength", "error"),
        (
            "    proof: {test: tests/test_pin.py, timeout: 1m}\n",
            "",
            "action-without-proof",
            "error",
        ),
        ("{test: tests/test_pin.py", "{test: x.py, drill: a-drill", "proof-form", "error"),
        ("timeout: 1m", "timeout: 2h", "proof-timeout", "error"),
        ("test: tests/test_pin.py", "drill: no-drill", "proof-drill", "error"),
        ("timeout: 1m", "when: live", "proof-when", "error"),
        ("    required: true\n", "    status: closed\n", "never-red", "error"),
        ("    required: true\n", "    status: closed\n", "closed-by-hand", "error"),
        ("status: resolved", "status: closed", "closed-too-early", "error"),
        ("severity: SEV-3", "severity: SEV-1", "severity", "error"),
        ("data: none}", "data: a table was lost}", "severity", "error"),
        ("Two.", "The on-call engineer forgot to look.", "blame", "error"),
        ("Two.", "It was human error.", "blame", "error"),
        ("Two.", "ada should have looked.", "blame", "error"),
        ("app: an-app", "app: an-app\nseverty: SEV-1", "not-read", "warning"),
        ("| 19:35 | up again |", "| half past | up again |", "not-read", "warning"),
    ],
)
def test_one_thing_broken_is_one_rules_finding(old: str, new: str, rule: str, level: str) -> None:
    told = [one for one in found(changed(old, new)) if one.rule == rule]
    assert told, found(changed(old, new))
    assert {one.level for one in told} == {Level(level)}
    assert all(one.line >= 1 for one in told)


def test_an_overdue_action_is_looked_at_and_no_error() -> None:
    late = dataclasses.replace(AROUND, today=date(2026, 7, 1))
    assert [(one.rule, one.level) for one in found(GOOD, late)] == [("overdue", Level.WARNING)]


def test_words_in_code_and_quotations_blame_nobody() -> None:
    text = changed("Two.", '`human error` is what the tool said, "human error".\n\n> human error')
    assert found(text) == []


def test_uncertain_clocks_are_out_of_order_only_beyond_their_margin() -> None:
    text = changed("| 19:36 | found |", "| 19:34:30 ± 40 s | found |\n| 19:36 | told |")
    assert [one.rule for one in found(text)] == []
    text = changed("| 19:36 | found |", "| 19:34:30 ± 10 s | found |\n| 19:36 | told |")
    assert [one.rule for one in found(text)] == ["out-of-order"]


def test_a_lost_review_needs_no_more_than_its_name() -> None:
    text = "---\nid: x\ntitle: x\ndate: 2026-06-10\nstatus: lost\n---\n\n## Summary\n\nLost.\n"
    assert found(text) == []


def test_the_lines_are_those_of_the_file() -> None:
    text = changed("    owner: ada\n", "")
    (one,) = [one for one in found(text) if one.rule == "action-without-owner"]
    assert text.splitlines()[one.line - 1] == "  - id: pin"
    (one,) = [one for one in found(changed("gap: 1m", "gap: 2h")) if one.rule == "durations"]
    assert "gap: 2h" in GOOD.replace("gap: 1m", "gap: 2h").splitlines()[one.line - 1]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    document = json.loads((Path(__file__).parents[1] / "data" / "founding.json").read_text())
    write_draft(load_config(tmp_path), of_document(document))
    return tmp_path


def judged(service: Path) -> list[Finding]:
    files = sorted((service / "docs" / "incidents").glob("*.md"))
    return list(lint_service(load_config(service), files, date(2026, 11, 24)))


def test_every_citation_of_a_draft_is_found_again(service: Path) -> None:
    told = {one.rule for one in judged(service)}
    assert "section-unwritten" in told  # a draft is no review yet
    assert not {one for one in told if one.startswith(("evidence", "cited", "times", "durations"))}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text.replace("check release.command is fail: v5 failed", "check release.comm"
         "and is fail: v5 failed at 100 % confidence"), "evidence-says-otherwise"),
        (lambda text: text.replace("check release.command is fail: v5 failed (", "all is well ("),
         "evidence-says-otherwise"),
        (lambda text: re.sub(r"sha256:[0-9a-f]{4}(?=[0-9a-f]{60}`)", "sha256:0000", text, count=1),
         "evidence-not-found"),
    ],
)  # fmt: skip
def test_an_invented_line_is_found_by_its_hash(
    service: Path, change: Callable[[str], str], rule: str
) -> None:
    (path,) = (service / "docs" / "incidents").glob("*.md")
    path.write_text(change(path.read_text()))
    assert rule in {one.rule for one in judged(service)}


def test_without_ledger_and_evidence_citations_are_unknown_not_fine(service: Path) -> None:
    (evidence,) = (service / "docs" / "incidents" / "evidence").iterdir()
    evidence.unlink()
    (path,) = (service / "docs" / "incidents").glob("*.md")
    path.write_text(re.sub(r"(?m)^evidence: .*\n", "", path.read_text()))
    told = [one for one in judged(service) if one.rule == "evidence-not-found"]
    assert told
    assert {one.level for one in told} == {Level.UNKNOWN}


def test_changed_evidence_is_broken_evidence(tmp_path: Path) -> None:
    from truegreen.incidents.drafting import read_episode
    from truegreen.ledger import Ledger

    body = json.loads((Path(__file__).parents[1] / "data" / "founding.json").read_text())
    with Ledger.open(tmp_path / "elsewhere.sqlite3") as ledger:
        ledger.append("ship", app="a", commit="c", verdict="red", body={**body, "app": "a"})
        write_draft(load_config(tmp_path), read_episode(ledger))
    (path,) = (tmp_path / "docs" / "incidents" / "evidence").iterdir()
    text = path.read_text()
    assert "evidence-broken" not in {one.rule for one in judged(tmp_path)}
    path.write_text(text.replace('"0046, ahead of the code"', '"0046, as it should be"'))
    assert "evidence-broken" in {one.rule for one in judged(tmp_path)}
    path.write_text("[" * 100_000)
    assert "evidence-broken" in {one.rule for one in judged(tmp_path)}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("---\nid: x\nid: y\n---\n", 3, "says 'id' twice"),
        ("---\nid: x\n", 1, "is not closed"),
        ("---\nid: other\n---\n", 2, "conflicts with the file's name"),
        ("---\nid: x\n<<<<<<< ours\n---\n", 3, "merge conflict"),
        ("---\na: &a [1]\nb: *a\n---\n", 2, "anchor"),
        ("---\nid: !!python/object:os.system x\n---\n", 2, "tag"),
        ("---\nbegan: 2026-06-21 19:29\n---\n", 2, "cannot be read"),
        ("---\nstatus: resolvd\n---\n", 2, "did you mean resolved?"),
        ("---\nactions:\n  - id: a\n  - id: a\n---\n", 4, "is there twice"),
        ("---\nactions:\n  - id: a\n    proof: {run: rm -rf /}\n---\n", 4, "not an argument list"),
        ("---\n- a\n- b\n---\n", 2, "is not a list"),
        ("---\na: [\n---\n", 3, "is not YAML"),
        ("---\nid: x\n---\n---\nid: y\n---\n", 1, "is there twice"),
        ("---\nx: " + "[" * 200 + "\n---\n", 2, ""),
    ],
)
def test_front_matter_that_contradicts_itself_is_one_clear_error(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = tmp_path / "docs" / "incidents" / "x.md"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (one,) = judged(tmp_path)
    assert (one.rule, one.file) == ("cannot-be-read", "docs/incidents/x.md")
    assert says in f"{one.text} {one.fix}"
    if says:
        assert one.line == line


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"\x00" * 100, b"x" * 6_000_000])
def test_a_file_that_is_no_review_is_said_to_be_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "docs" / "incidents" / "x.md"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert judged(tmp_path)


def test_the_verb_prints_lines_json_and_annotations(service: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(verbs, ["incident", "lint", str(service), "--json"], standalone_mode=False)
    assert done.return_value == 1
    told = json.loads(done.output)
    jsonschema.validate(told, json.loads((SCHEMAS / "incident-lint.json").read_text()))
    done = runner.invoke(verbs, ["incident", "lint", str(service)], standalone_mode=False)
    assert "section-unwritten: a person still has to write this" in done.output
    done = runner.invoke(
        verbs, ["incident", "lint", str(service), "--github"], standalone_mode=False,
        env={"GITHUB_WORKSPACE": str(service.parent)},
    )  # fmt: skip
    first, *_, last = done.output.splitlines()
    assert first.startswith(f"::error file={service.name}/docs/incidents/2026-11-23-")
    assert done.output.count("::error ") == 10
    assert re.fullmatch(r"::notice title=truegreen::and \d+ more, which GitHub .*", last)


def test_annotations_cannot_be_broken_out_of() -> None:
    (line,) = workflow_commands(
        [Annotation("error", "a,b:c.md", 3, "t", "100 %\n::error::pwned\r")]
    )
    assert line == ("::error file=a%2Cb%3Ac.md,line=3,title=t::100 %25%0A::error::pwned%0D")


def test_a_draft_that_a_person_completed_holds(service: Path) -> None:
    """The way from draft to review: what lint asks for is enough for it to be silent."""
    (path,) = (service / "docs" / "incidents").glob("*.md")
    document = parse(path.read_text())
    text = re.sub(r"_(?:To be written|Not known from).*_", "Nothing to add.", document.body)
    began = document.incident.began
    assert began is not None
    filled = dataclasses.replace(document, body=text).replace(
        severity="SEV-3", author="ada", status="open", ended=document.incident.detected,
        duration=7.0, blast_radius="one release", impact={"users": "none", "data": "none"},
        detection=dataclasses.replace(document.incident.detection, faster="it was at once"),  # type: ignore[type-var]
        actions=tuple(
            dataclasses.replace(
                one, owner="ada", due=date(2026, 12, 1), kind="prevent", strength="check",
                proof=parse(GOOD).incident.actions[0].proof,
            )
            for one in document.incident.actions
        ),
    )  # fmt: skip
    path.write_text(write(filled))
    assert [one for one in judged(service) if one.level is not Level.WARNING] == []


def test_raptors_own_reviews_hold(request: pytest.FixtureRequest) -> None:
    root = request.config.rootpath / "examples" / "raptor"
    files = sorted((root / "docs" / "incidents").glob("*.md"))
    assert len(files) == 3
    assert list(lint_service(load_config(root), files, date(2026, 6, 22))) == []


def test_drafts_are_made_for_any_service(tmp_path: Path) -> None:
    text = write(draft(of_document({"verdict": "red", "checks": []})))
    path = tmp_path / "docs" / "incidents" / "undated-red-run.md"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert judged(tmp_path)
