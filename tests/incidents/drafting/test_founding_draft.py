"""The draft of the founding incident: what evidence can know is in it, what it cannot is not.

``data/founding.json`` is what ship recorded when the drill put that day back (docs/drills.md); the
drill itself runs in ``test_drill_run.py`` and in the tutorial's test.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from truegreen.incidents.document import write
from truegreen.incidents.document.body import footnotes
from truegreen.incidents.drafting import draft
from truegreen.incidents.drafting.episode import of_document
from truegreen.incidents.drafting.refs import citable

KNOWN = [
    "v5 (fe068f1f) failed in its release command",  # which release, and in what
    "14 of 14 tests failed",
    "403 direct_origin_blocked",  # what answered
    "assert 403 == 404",  # what was expected …
    "assert 403 == 401",  # … and what else
    "Phase migrate: pass, schema from 0044 to 0046",  # the migrations went through
    "The release command exited with 13",  # it did say so
    "The variable FLAG_ENFORCE_CF_ORIGIN was read at raptor/settings.py:47, 14 times; it was set",
    "not sealed",
    "Flags on: FLAG_ENFORCE_CF_ORIGIN.",
    "Flags off: FLAG_BETA_NDA_ACK, FLAG_BETA_WALKTHROUGH.",  # the blast radius
    "Health, asked through the edge: 200.",  # and health was fine all the while
    "The platform served v4",
    "The database was at 0046, ahead of the code.",
    "The database is at 0046; v4 (9d21d1fd) knows only 0044.",
    "Found by release.command, release.current, release.report",
]
NOT_KNOWN = [
    r"SEV",  # a judgement
    r"no user|users? (?:were|was) (?:not )?affected",
    r"no data|data was",
    r"dispatch", r"workflow", r"GitHub", r"conclu",  # what another system did
    r"freeze|PII|scan",  # gates that were not asked here
    r"\b154\b", r"\b153\b", r"raxx", r"2026-06-21", r"19:\d\d",  # that day's own names
    r"sre-agent", r"feature-developer", r"on call", r"\bSRE\b",
    r"pull request|\bPR\b|wave",
    r"docstring", r"default off|off by default", r"_TEST_APP_CONFIG", r"create_app",
    r"CF-Connecting-IP|Cloudflare",
    r"under 10 days|ten days",
    r"beta-walk-500|walkthrough-500",
    r"rolled back|rollback",
    r"vault|SOP|procedure",
    r"lucky that|luckily|fortunately",
]  # fmt: skip


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    path = Path(__file__).parents[1] / "data" / "founding.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def text(document: dict[str, Any]) -> str:
    return write(draft(of_document(document)))


@pytest.mark.parametrize("fact", KNOWN)
def test_what_the_evidence_knows_is_in_the_draft(text: str, fact: str) -> None:
    assert fact in text.replace("\\", "")


@pytest.mark.parametrize("claim", NOT_KNOWN)
def test_what_it_cannot_know_is_not(text: str, claim: str) -> None:
    said = text.split("## Open questions")[0]
    assert not re.search(claim, said, re.IGNORECASE if claim.islower() else 0)


def test_each_sentence_cites_evidence_that_says_what_it_says(
    text: str, document: dict[str, Any]
) -> None:
    """Every line that a draft states ends in a citation, and each is an entry of the record."""
    there = {ref.digest: ref.what for ref in citable(of_document(document).red)}
    defined = footnotes(text)
    for note in defined.values():
        digest = re.search(r"sha256:[0-9a-f]{64}", note.text)
        assert digest, note
        assert digest[0] in there, note
    stated = [
        line
        for part in re.findall(r"<!-- truegreen:(?!questions|actions|evidence).*?/truegreen",
                               text, re.DOTALL)
        for line in part.splitlines()[1:-1]
        if line and not line.startswith(("| time", "|---", "All times", "_Not known"))
    ]  # fmt: skip
    assert len(stated) > 30
    for line in stated:
        marks = re.findall(r"\[\^(e\d+)\]", line)
        assert marks, line
        assert set(marks) <= set(defined)


def test_what_nobody_knows_is_a_question(text: str) -> None:
    questions = text.split("## Open questions")[1].split("\n## ")[0]
    for asked in ("Who was affected", "Was data harmed", "How severe", "How did it end"):
        assert asked in questions


def test_durations_are_computed_and_the_dynos_clock_has_its_margin(text: str) -> None:
    assert "From the run's beginning to the failure: 6.8 s." in text
    assert "From the failure to the first check that said so: 7 ms." in text
    assert re.search(r"\| 2026-11-23 06:27:38Z ± 1 s \| The release command begins", text)
