"""The drafted review: what the record says, and not a word more."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.errors import UsageError
from truegreen.incidents.document import slug
from truegreen.incidents.draft import Provenance, draft, incident_id
from truegreen.incidents.markdown import LONGEST, plain

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
WHERE = Provenance(7, "ship", datetime(2026, 6, 21, 19, 37, tzinfo=UTC), "ab" * 32)


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(RED), **fields}


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_id_is_the_day_and_the_first_finding() -> None:
    assert incident_id(RED) == "2026-06-21-smoke-inherited-environment"
    assert draft(RED).startswith("# 2026-06-21-smoke-inherited-environment\n")


def test_without_a_diagnosis_the_id_names_the_first_failed_check() -> None:
    assert incident_id(changed(diagnosis=[])) == "2026-06-21-release-command"


def test_without_a_time_in_the_record_the_day_is_the_ledgers_or_none() -> None:
    bare = {"verdict": "red", "checks": []}
    assert incident_id(bare) == "undated-red-run"
    assert incident_id(bare, WHERE) == "2026-06-21-red-run"


def test_every_section_is_there_once_and_in_order() -> None:
    titles = re.findall(r"^## (.*)$", draft(RED, WHERE), re.MULTILINE)
    assert titles == [
        "Summary",
        "Impact",
        "Timeline",
        "Trigger",
        "Root cause candidates",
        "Detection",
        "What is not known",
        "What went well",
        "Where we got lucky",
        "What surprised us",
        "Action items",
        "Appendix: the evidence",
    ]


def test_impact_claims_nothing_about_users() -> None:
    impact = section(draft(RED), "Impact")
    assert "health.edge is pass: 200" in impact
    assert "Users affected: not known from the evidence." in impact
    assert "How long: not known from the evidence." in impact


def test_the_timeline_is_in_order_of_time_and_holds_what_did_not_pass() -> None:
    times = re.findall(r"^\| (\d\S+ \S+Z) \| (.*) \|$", section(draft(RED), "Timeline"), re.M)
    assert [text for _, text in times] == [
        "build done: found",
        "release failed: exit 13",
        "release.command is fail: failed",
        "release.report is fail: smoke 14 of 14 failed with 403 direct_origin_blocked",
        "code.dynos is unknown: timed out after 10 s",
    ]
    assert [at for at, _ in times] == sorted(at for at, _ in times)


def test_each_cause_cites_its_evidence_with_source_and_digest() -> None:
    causes = section(draft(RED), "Root cause candidates")
    assert (
        "| release.report | fail | smoke 14 of 14 failed with 403 direct_origin_blocked "
        "| source of release.report | sha256:release.report |" in causes
    )


def test_a_cited_check_that_is_not_in_the_record_is_called_that() -> None:
    text = draft(RED)
    assert "| schema.head | cited, and not in the record |" in section(
        text, "Root cause candidates"
    )
    assert "schema.head: cited, and never answered" in section(text, "What is not known")


def test_a_cause_that_cites_nothing_is_called_a_guess() -> None:
    text = draft(changed(diagnosis=[{"name": "x", "sentence": "Gremlins."}]))
    assert "It cites no evidence: treat it as a guess." in text


def test_no_diagnosis_gives_no_cause() -> None:
    text = section(draft(changed(diagnosis=[])), "Root cause candidates")
    assert text.strip() == "The diagnosis names none. Not known from the evidence."


def test_unknown_checks_are_what_is_not_known() -> None:
    assert "code.dynos is unknown: timed out after 10 s" in section(draft(RED), "What is not known")


def test_a_broken_chain_is_said() -> None:
    broken = Provenance(7, "ship", WHERE.at, WHERE.hash, chain_holds=False)
    assert "the ledger's chain is broken" in draft(RED, broken)
    assert "chain is broken" not in draft(RED, WHERE)


def test_action_items_have_a_place_for_owner_due_issue_and_proof() -> None:
    actions = section(draft(RED), "Action items")
    assert "| action | because of | owner | due | issue | proof |" in actions
    assert "| pin it in \\[smoke.env\\] | smoke-inherited-environment | – | – | – | – |" in actions


def test_every_check_stands_in_the_appendix() -> None:
    appendix = section(draft(RED), "Appendix: the evidence")
    for one in RED["checks"]:
        assert f"| {one['name']} | {one['status']} |" in appendix


def test_every_word_of_evidence_in_the_draft_comes_from_the_record() -> None:
    """Numbers are what an invented line gives itself away by: each one must be in the record."""
    text = draft(RED, WHERE)
    known = repr(RED) + repr(WHERE) + WHERE.at.isoformat()
    for number in set(re.findall(r"\d{3,}", text)):
        assert number in known, number


@pytest.mark.parametrize("verdict", ["green", "unverified"])
def test_only_a_red_run_is_drafted(verdict: str) -> None:
    with pytest.raises(UsageError, match=verdict):
        draft(changed(verdict=verdict))


@pytest.mark.parametrize("document", [{}, {"verdict": "red"}, {"checks": []}, {"verdict": 3}])
def test_what_is_no_such_document_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no document of ship or verify"):
        draft(document)


def test_what_a_log_line_says_stays_text() -> None:
    nasty = "a|b\n## Summary\n<script>x</script> `code` [link](http://x) **bold** ~~gone~~"
    text = draft(changed(sentence=nasty, checks=[check("x", "fail", nasty)]))
    assert "<script>" not in text
    assert text.count("\n## Summary") == 1
    for line in text.splitlines():
        if line.startswith("| x |"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 8


def test_a_long_text_is_cut_and_its_digest_still_stands() -> None:
    text = draft(changed(checks=[check("x", "fail", "y" * 100_000)]))
    assert "y" * LONGEST not in text
    assert "sha256:x" in text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
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
            st.sampled_from(["name", "status", "observed", "at", "digest", "cites", "sentence"]),
            json_values,
        )
        | json_values,
        max_size=3,
    ),
)
def test_any_shape_of_record_is_drafted_without_a_crash(
    fields: dict[str, Any], items: list[Any]
) -> None:
    document = {
        **fields,
        "verdict": "red",
        "checks": items,
        "diagnosis": items,
        "events": items,
    }
    text = draft(document)
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == 12


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
