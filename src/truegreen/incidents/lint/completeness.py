"""Rules: every field and section that a review needs is there, and written by somebody."""

from __future__ import annotations

from collections.abc import Iterator

from truegreen.incidents.document.body import split_lines
from truegreen.incidents.drafting.draft import NOTHING, PERSON
from truegreen.incidents.lint.finding import Finding, Level
from truegreen.incidents.lint.surroundings import Linted

FIELDS = (
    "id", "title", "date", "severity", "status", "author", "began", "detected", "ended",
    "duration", "app", "release", "blast_radius", "impact", "detection", "actions",
)  # fmt: skip
OF_A_LOST_ONE = ("id", "title", "date", "status")
SECTIONS = (
    "summary", "impact", "timeline", "trigger", "causes", "detection", "resolution", "well",
    "badly", "lucky", "surprised", "actions",
)  # fmt: skip
USERS = "users"  # the kinds of impact that every review has to say something about
DATA = "data"


def required(review: Linted) -> Iterator[Finding]:
    """``field-missing``, ``section-missing``, ``section-unwritten``, ``no-front-matter``."""
    incident = review.prose.incident
    lost = incident.status == "lost"
    if not review.document.has_front:
        yield Finding(
            "no-front-matter", Level.ERROR, review.file, 1,
            "the review has no front matter: what was read of it was read from its prose",
            "begin the file with --- and the fields of docs/incidents.md",
        )  # fmt: skip
    for name in OF_A_LOST_ONE if lost else FIELDS:
        if getattr(incident, name) in (None, "", ()) or not getattr(incident, name):
            yield Finding(
                "field-missing", Level.ERROR, review.file, review.document.line_of(name),
                f"{name} is missing", f"add {name}: to the front matter",
            )  # fmt: skip
    if lost:
        return
    for kind in (USERS, DATA):
        if incident.impact and kind not in incident.impact:
            yield Finding(
                "field-missing", Level.ERROR, review.file, review.document.line_of("impact"),
                f"impact.{kind} is missing", f"say what it was for {kind}; none is an answer",
            )  # fmt: skip
    if incident.detection and not incident.detection.faster:
        yield Finding(
            "field-missing", Level.ERROR, review.file, review.document.line_of("detection"),
            "detection.faster is missing", "say what would find it faster next time",
        )  # fmt: skip
    for key in SECTIONS:
        if key not in review.prose.sections:
            yield Finding(
                "section-missing", Level.ERROR, review.file, 1, f"there is no section {key}",
                "add it; docs/incidents.md lists the headings",
            )  # fmt: skip


def unwritten(review: Linted) -> Iterator[Finding]:
    """``section-unwritten``: what the draft left to a person is still left."""
    for number, line in enumerate(split_lines(review.document.body), review.document.body_line):
        if line.strip() in (PERSON, NOTHING):
            yield Finding(
                "section-unwritten", Level.ERROR, review.file, number,
                "a person still has to write this", "write it, or that nobody knows",
            )  # fmt: skip


def unread(review: Linted) -> Iterator[Finding]:
    """``not-read``: what stands in the review and could not be understood."""
    for note in (*review.document.notes, *review.prose.unread):
        yield Finding("not-read", Level.WARNING, review.file, note.line, note.text)
