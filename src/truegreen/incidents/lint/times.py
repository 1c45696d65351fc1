"""Rules: times are UTC and in order, durations add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from truegreen.incidents.document.times import told
from truegreen.incidents.lint.finding import Finding, Level
from truegreen.incidents.lint.surroundings import Linted


def in_utc(review: Linted) -> Iterator[Finding]:
    """``not-utc``: a line of the timeline with another offset."""
    for entry in review.prose.timeline:
        if not entry.utc:
            yield Finding(
                "not-utc", Level.ERROR, review.file, entry.line, "this time is not in UTC",
                f"write {entry.at:%H:%M} UTC",
            )  # fmt: skip
    for note in review.document.notes:
        if "not written in UTC" in note.text:
            yield Finding(
                "not-utc", Level.ERROR, review.file, note.line, note.text, "write it in Z"
            )


def in_order(review: Linted) -> Iterator[Finding]:
    """``out-of-order``: a line of the timeline that is surely earlier than the one above it."""
    entries = review.prose.timeline
    for before, after in pairwise(entries):
        late = (before.at - after.at).total_seconds()
        if late > before.margin + after.margin:
            yield Finding(
                "out-of-order", Level.ERROR, review.file, after.line,
                f"{after.at:%H:%M:%S} stands below {before.at:%H:%M:%S}",
                "sort it in, or give its clock a margin: 19:29 ± 30 s",
            )  # fmt: skip


def spans(review: Linted) -> Iterator[Finding]:
    """``times-conflict``: began, detected, ended, date and the timeline contradict each other."""
    incident = review.prose.incident
    began = incident.began
    if began is None:
        return
    for name in ("detected", "ended"):
        at = getattr(incident, name)
        if at is not None and at < began:
            yield _conflict(review, name, f"{name} {_clock(at)} is before began {_clock(began)}")
    if incident.date is not None and incident.date != began.date():
        text = f"date {incident.date} is not the day of began, {_clock(began)}"
        yield _conflict(review, "date", text)
    entries = review.prose.timeline
    if not entries:
        return
    slack = timedelta(seconds=60)
    for name in ("began", "detected", "ended"):
        at = getattr(incident, name)
        if at is not None and not any(abs(one.at - at) < slack for one in entries):
            text = f"{name} {_clock(at)} is nowhere in the timeline"
            yield _conflict(review, name, text)


def durations(review: Linted) -> Iterator[Finding]:
    """``durations``: what is said to have taken how long, against the times."""
    incident = review.prose.incident
    began, ended = incident.began, incident.ended
    if began and ended and incident.duration is not None:
        real = (ended - began).total_seconds()
        if abs(real - incident.duration) >= _slack(began, ended):
            yield Finding(
                "durations", Level.ERROR, review.file, review.document.line_of("duration"),
                f"duration is {told(incident.duration)}, and from began to ended it is "
                f"{told(max(real, 0.0))}",
                "one of the three is wrong",
            )  # fmt: skip
    gap = incident.detection.gap if incident.detection else None
    if gap is not None and began and incident.detected:
        longest = (incident.detected - began).total_seconds()
        if gap >= longest + _slack(began, incident.detected):
            yield Finding(
                "durations", Level.ERROR, review.file, review.document.line_of("detection", "gap"),
                f"the gap of {told(gap)} is longer than began to detected, {told(max(longest, 0))}",
                "the gap runs from when it was so until somebody knew",
            )  # fmt: skip


def _slack(*moments: datetime) -> float:
    """Times written to the minute may be a minute off."""
    return 60.0 if all(not at.second and not at.microsecond for at in moments) else 1.0


def _conflict(review: Linted, key: str, text: str) -> Finding:
    line = review.document.line_of(key)
    return Finding("times-conflict", Level.ERROR, review.file, line, text, "correct one of them")


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
