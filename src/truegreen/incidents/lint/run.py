"""Asks every rule about a review, or about all reviews of a service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from truegreen.config import Config
from truegreen.errors import ConfigError
from truegreen.incidents.document import Document
from truegreen.incidents.folder import relative, review_at
from truegreen.incidents.lint import citations, completeness, followups, times, wording
from truegreen.incidents.lint.finding import Finding, Level
from truegreen.incidents.lint.surroundings import Linted, Surroundings, surroundings

Rule = Callable[[Linted], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    completeness.required,
    completeness.unwritten,
    completeness.unread,
    times.in_utc,
    times.in_order,
    times.spans,
    times.durations,
    citations.footnotes_hold,
    citations.evidence_holds,
    citations.names_exist,
    followups.actions,
    wording.severity,
    wording.blameless,
)


def lint(file: str, document: Document, around: Surroundings) -> tuple[Finding, ...]:
    """Everything that the rules say of one review, by line. Pure."""
    review = Linted.of(file, document, around)
    found = [finding for rule in RULES for finding in rule(review)]
    return tuple(sorted(set(found), key=lambda one: (one.line, one.rule, one.text)))


def lint_service(config: Config, files: Sequence[Path], today: date) -> tuple[Finding, ...]:
    """The findings of the reviews ``files``; a review that cannot be read is a finding, too."""
    found: list[Finding] = []
    for path in files:
        try:
            review = review_at(config, path)
        except ConfigError as error:
            found.append(_unreadable(relative(config, path), error))
            continue
        found += lint(review.path, review.document, surroundings(config, review, today))
    return tuple(found)


def _unreadable(file: str, error: ConfigError) -> Finding:
    line = re.search(r":(\d+)\Z", error.file)
    text = f"{error.key}: {error.problem}" if error.key else error.problem
    return Finding(
        "cannot-be-read", Level.ERROR, file, int(line[1]) if line else 1, text, error.fix
    )
