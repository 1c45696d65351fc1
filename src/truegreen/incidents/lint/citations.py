"""Rules: what is cited is found again by its hash and says what the review says it does; runbooks,
related incidents and files are there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.incidents.document.body import cited, footnotes
from truegreen.incidents.lint.finding import Finding, Level
from truegreen.incidents.lint.surroundings import Linted
from truegreen.incidents.markdown import plain

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def footnotes_hold(review: Linted) -> Iterator[Finding]:
    """``cited-not-defined``, ``evidence-not-found``, ``evidence-says-otherwise``."""
    body, first = review.document.body, review.document.body_line
    defined = footnotes(body, first)
    for name in cited(body):
        if name not in defined:
            yield Finding(
                "cited-not-defined", Level.ERROR, review.file, _line_with(review, f"[^{name}]"),
                f"[^{name}] is cited, and not defined", "define it, or take it away",
            )  # fmt: skip
    around = review.around
    for note in defined.values():
        for digest in _DIGEST.findall(note.text):
            said = around.citable.get(digest)
            if said is None and not around.citable:
                yield Finding(
                    "evidence-not-found", Level.UNKNOWN, review.file, note.line,
                    f"{digest[:19]}… cannot be looked up: neither ledger nor evidence is here",
                    "keep the evidence file beside the review: evidence: [evidence/ID.json]",
                )  # fmt: skip
            elif said is None:
                yield Finding(
                    "evidence-not-found", Level.ERROR, review.file, note.line,
                    f"{digest[:19]}… is in no evidence", "cite what is recorded, or nothing",
                )  # fmt: skip
            elif not _says(note.text, plain(said), digest):
                yield Finding(
                    "evidence-says-otherwise", Level.ERROR, review.file, note.line,
                    f"{digest[:19]}… is the digest of something else: {plain(said)[:100]}",
                    "quote what the evidence says",
                )  # fmt: skip


def _says(text: str, said: str, digest: str) -> bool:
    """Whether the footnote says what the evidence says, and beside it only where it was read."""
    if not text.startswith(said):
        return False
    between = text[len(said) :].partition(digest)[0]
    return re.fullmatch(r"(?: \(.*\))?[,:]? *`?", between) is not None


def evidence_holds(review: Linted) -> Iterator[Finding]:
    """``evidence-broken``: an evidence file or the ledger was changed, or cannot be read."""
    for name, why in review.around.broken.items():
        line = review.document.line_of("evidence")
        yield Finding("evidence-broken", Level.ERROR, review.file, line, f"{name}: {why}")


def names_exist(review: Linted) -> Iterator[Finding]:
    """``not-there``: a runbook, evidence file, state folder, proof file or related incident."""
    incident, around = review.document.incident, review.around
    named = [("runbooks", one) for one in incident.runbooks]
    named += [("evidence", one) for one in incident.evidence]
    named += [("state", incident.state)] if incident.state else []
    for key, name in named:
        if name not in around.files:
            line = review.document.line_of(key)
            yield Finding(
                "not-there", Level.ERROR, review.file, line, f"{key}: there is no {name}",
                "a path beside the review, or below the service's root",
            )  # fmt: skip
    for name in incident.related:
        if name not in around.reviews:
            yield Finding(
                "not-there", Level.ERROR, review.file, review.document.line_of("related"),
                f"related: there is no review {name}",
                "record it, if only with status: lost",
            )  # fmt: skip


def _line_with(review: Linted, text: str) -> int:
    before, _, found = review.document.body.partition(text)
    return review.document.body_line + before.count("\n") if found or before else 1
