"""Drafts of any record: nothing invented, nothing that becomes markup, a person's words kept."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.errors import UsageError
from truegreen.incidents.document import parse, write
from truegreen.incidents.drafting import Episode, draft, incident_id, read_episode
from truegreen.incidents.drafting.episode import evidence_file, of_document, read_evidence
from truegreen.incidents.markdown import LONGEST, plain
from truegreen.incidents.record import slug
from truegreen.ledger import Ledger

COMMIT = "9f02" + "ab" * 18


def check(name: str, status: str, observed: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "status": status,
        "required": True,
        "observed": observed,
        "expected": "the opposite",
        "source": f"source of {name}",
        "at": "2026-06-21T19:36:00.000Z",
        "digest": f"sha256:{name}",
        **more,
    }


RED: dict[str, Any] = {
    "verdict": "red",
    "sentence": "raxx-api-prod still serves v153 (3c1a); v154 failed in its release command.",
    "app": "raxx-api-prod",
    "commit": COMMIT,
    "release": {"version": 154, "status": "failed", "current": False},
    "serving": {"version": 153, "status": "succeeded", "current": True, "commit": "3c1a"},
    "baseline": None,
    "schema": {"current": "0046", "heads": ["0044"], "relation": "ahead"},
    "checks": [
        check("release.command", "fail", "failed", at="2026-06-21T19:35:30.000Z"),
        check("release.report", "fail", "smoke 14 of 14 failed with 403 direct_origin_blocked"),
        check("health.edge", "pass", "200"),
        check("code.dynos", "unknown", "timed out after 10 s"),
    ],
    "diagnosis": [
        {
            "name": "smoke-inherited-environment",
            "sentence": "The smoke suite ran with FLAG_ENFORCE_CF_ORIGIN, which it does not pin.",
            "cites": ["release.report"],
            "next_step": "pin it in [smoke.env]",
        },
        {
            "name": "schema-ahead-of-code",
            "sentence": "The database is at 0046.",
            "cites": ["schema.head", "release.report"],
            "next_step": "fix forward",
        },
    ],
    "notes": ["2 files were not committed"],
    "timings": {"total": 4.2},
    "events": [
        {"at": "2026-06-21T19:32:00.000Z", "step": "build", "state": "done", "text": "found"},
        {"at": "2026-06-21T19:35:00.000Z", "step": "release", "state": "failed", "text": "exit 13"},
    ],
}


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(RED), **fields}


def text_of(document: dict[str, Any]) -> str:
    return write(draft(of_document(document)))


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_id_is_the_day_and_the_first_finding() -> None:
    assert incident_id(of_document(RED)) == "2026-06-21-smoke-inherited-environment"
    assert incident_id(of_document(changed(diagnosis=[]))) == "2026-06-21-release-command"
    assert incident_id(of_document({"verdict": "red", "checks": []})) == "undated-red-run"


def test_every_section_of_the_template_is_there_once_and_in_order() -> None:
    assert re.findall(r"^## (.*)$", text_of(RED), re.MULTILINE) == [
        "Summary", "Impact", "Timeline", "Trigger", "Contributing factors", "Detection",
        "Resolution", "What went well", "What went badly", "Where we got lucky",
        "What surprised us", "Open questions", "Action items", "Evidence",
    ]  # fmt: skip


def test_the_timeline_is_in_order_of_time_and_holds_what_did_not_pass() -> None:
    rows = re.findall(r"^\| (\d\S+ \S+Z) \| (.*?)\[", section(text_of(RED), "Timeline"), re.M)
    assert [text for _, text in rows] == [
        "build done: found",
        "release failed: exit 13",
        "release.command is fail: failed",
        "release.report is fail: smoke 14 of 14 failed with 403 direct_origin_blocked",
        "code.dynos is unknown: timed out after 10 s",
    ]
    assert [at for at, _ in rows] == sorted(at for at, _ in rows)


def test_a_cause_without_evidence_in_the_record_is_no_cause_but_a_question() -> None:
    text = text_of(changed(diagnosis=[{"name": "x", "sentence": "Gremlins.", "cites": ["none"]}]))
    assert "Gremlins" not in text
    assert "The finding x cites no evidence of the record" in section(text, "Open questions")
    assert "schema.head: cited, and never answered" in section(text_of(RED), "Open questions")


def test_unknown_checks_are_questions_and_claim_nothing() -> None:
    text = text_of(RED)
    assert "code.dynos is unknown: timed out" in section(text, "Open questions")
    assert "code.dynos" not in section(text, "Impact")


def test_every_number_in_the_draft_comes_from_the_record() -> None:
    """Numbers are what an invented line gives itself away by."""
    said = re.sub(r"sha256:[0-9a-f]+", "", text_of(RED).split("## Evidence")[0])
    for number in set(re.findall(r"\d{3,}", said)):
        assert number in repr(RED), number


@pytest.mark.parametrize("verdict", ["green", "unverified"])
def test_only_a_red_run_is_drafted(verdict: str) -> None:
    with pytest.raises(UsageError, match=verdict):
        text_of(changed(verdict=verdict))


@pytest.mark.parametrize("document", [{}, {"verdict": "red"}, {"checks": []}, {"verdict": 3}])
def test_what_is_no_such_document_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no document of ship or verify"):
        of_document(document)


def test_what_a_log_line_says_stays_text() -> None:
    nasty = (
        "a|b\n## Summary\n<!-- /truegreen:summary --> <script> `code` [^e1] [link](http://x) **b**"
    )
    text = text_of(changed(sentence=nasty, checks=[check("x", "fail", nasty)]))
    assert parse(text).incident.title == nasty.replace("\n", " ")
    text = parse(text).body
    assert "<script>" not in text
    assert text.count("\n## Summary\n") == 1
    assert text.count("<!-- /truegreen:summary -->") == 1
    assert "[link](" not in text
    for line in section(text, "Timeline").splitlines():
        if "x is fail" in line:
            assert len(re.findall(r"(?<!\\)\|", line)) == 4


def test_a_long_text_is_cut_and_its_digest_still_stands() -> None:
    text = text_of(changed(checks=[check("x", "fail", "y" * 100_000)]))
    assert "y" * LONGEST not in text


def test_a_second_draft_renews_what_is_ours_and_leaves_a_persons_words() -> None:
    first = text_of(RED)
    edited = first.replace("_To be written by a person._", "We noticed.", 1)
    edited = edited.replace("status: draft", "status: open\nseverity: SEV-3  # decided")
    edited = edited.replace("- Health, asked", "- (a person wrote this) Health, asked")
    again = write(draft(of_document(changed(sentence="Another sentence.")), there=parse(edited)))
    assert "We noticed." in again
    assert "severity: SEV-3  # decided" in again
    assert "(a person wrote this)" in again  # that region is a person's now
    assert "Another sentence." in section(again, "Summary")
    assert again.count("## ") == first.count("## ")


def ledger_of(path: Path, *verdicts: str) -> Episode:
    with Ledger.open(path / "ledger.sqlite3") as ledger:
        for verdict in verdicts:
            body = changed(verdict=verdict, sentence=f"It is {verdict}.")
            ledger.append("ship", app="raxx-api-prod", commit=COMMIT, verdict=verdict, body=body)
        return read_episode(ledger)


def test_the_episode_runs_from_the_first_red_run_to_the_next_green_one(tmp_path: Path) -> None:
    episode = ledger_of(tmp_path, "green", "red", "unverified", "red", "green", "green")
    assert episode.before is not None
    assert (episode.before.id, episode.red.id) == (1, 2)
    assert [one.id for one in episode.after] == [3, 4, 5]
    assert episode.recovery is not None
    text = write(draft(episode))
    assert "ship was green at " in section(text, "Resolution")
    assert "The last green run before: It is green." in section(text, "Timeline")
    assert parse(text).incident.ended == episode.recovery.at


def test_without_a_green_run_after_it_how_it_ended_is_a_question(tmp_path: Path) -> None:
    text = write(draft(ledger_of(tmp_path, "green", "red")))
    assert "Not known from the evidence" in section(text, "Resolution")
    assert "How did it end?" in section(text, "Open questions")


def test_the_evidence_file_shows_each_changed_record(tmp_path: Path) -> None:
    text = evidence_file(ledger_of(tmp_path, "green", "red"))
    assert [one.holds for one in read_evidence(text)] == [True, True]
    altered = text.replace("timed out after 10 s", "answered at once", 1)
    assert [one.holds for one in read_evidence(altered)] == [False, True]
    assert [one.holds for one in read_evidence(evidence_file(of_document(RED)))] == [None]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("sentence", "app", "commit", "release", "serving", "schema", "baseline", "notes"),
            json_values,
        ),
    ),
    st.lists(
        st.dictionaries(
            st.sampled_from(["name", "status", "observed", "at", "cites", "sentence", "detail"]),
            json_values,
        )
        | json_values,
        max_size=3,
    ),
)
def test_any_shape_of_record_is_drafted_without_a_crash(
    fields: dict[str, Any], items: list[Any]
) -> None:
    document = {**fields, "verdict": "red", "checks": items, "diagnosis": items, "events": items}
    text = text_of(document)
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == 14
    assert write(parse(text)) == text


@given(st.text(max_size=60))
def test_a_slug_is_fit_for_a_file_name(text: str) -> None:
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", slug(text))


@given(st.text(max_size=200))
def test_plain_text_is_one_line_without_a_bare_bar_or_tag(text: str) -> None:
    line = plain(text)
    assert len(line.splitlines()) <= 1
    assert "<" not in line
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", line)  # an even number of backslashes before it


@pytest.mark.parametrize("text", ["# a", "## 0", "###### x", "- a", "+ a", "1. a", "2) a"])
def test_a_sentence_never_begins_a_heading_or_a_list(text: str) -> None:
    assert plain(text) == "\\" + text
