"""Finds the signatures' lines in captured text, and quotes them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.model.diagnosis.finding import Finding, Quote
from truegreen.model.diagnosis.signatures import SIGNATURES, Signature
from truegreen.model.evidence import Status, digest_of
from truegreen.model.situation import Situation, Text

_LONGEST = 300  # characters of a quoted line
_MOST_LINES = 20_000  # the last lines of each text that are read

# CPython's os.py raises it from a frame of its own; a KeyError of a plain dict has no such frame.
_KEY_ERROR = re.compile(r"\bKeyError: '(?P<name>[A-Za-z_][A-Za-z0-9_]{1,127})'")
_ENVIRON_FRAME = re.compile(r'File "(?:<frozen os>|[^"]*/os\.py)", line \d+, in __getitem__')
# django-environ and environs
_DEMANDED = re.compile(
    r"ImproperlyConfigured: Set the (?P<django>[A-Za-z_]\w{0,127}) environment variable"
    r'|EnvError: Environment variable "(?P<environs>[A-Za-z_]\w{0,127})" not set'
)
_FRAMES_BEFORE = 12  # lines between os.py's frame and the error that it raises
_TROUBLE = re.compile(
    r"^\s*(?:Traceback \(most recent call last\):|FAILED\b|FATAL:|ERROR:|error: "
    r"|[\w.]+(?:Error|Exception): )"
)
# Heroku's buildpacks: a step, and what made them give up (or a warning, in earlier steps).
_STEP = "-----> "
_GIVEN_UP = re.compile(r"^ ?!\s+\S")


def recognised(situation: Situation) -> Iterator[Finding]:
    """A finding for each signature whose line stands in the situation's texts, once a name and
    sentence, quoting the first line of it."""
    seen: set[tuple[str, str]] = set()
    for text in situation.texts:
        lines = text.body.splitlines()[-_MOST_LINES:]
        for finding in (
            *_signatures(situation, text, lines),
            *_missing_variable(situation, text, lines),
        ):
            if (finding.name, finding.sentence) not in seen:
                seen.add((finding.name, finding.sentence))
                yield finding


def _signatures(situation: Situation, text: Text, lines: list[str]) -> Iterator[Finding]:
    for signature in SIGNATURES:
        open_checks = _not_passed(situation, signature.checks)
        if text.kind not in signature.where or not open_checks:
            continue
        for number, line in enumerate(lines, 1):
            match = signature.pattern.search(line)
            if match is not None:
                yield Finding(
                    signature.name,
                    _filled(signature, match),
                    open_checks,
                    signature.next_step,
                    quotes=(quote(text, number, line),),
                )
                break


def _filled(signature: Signature, match: re.Match[str]) -> str:
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    for given, asked in (
        ("lite", "object"),
        ("uvpackage", "package"),
        ("uvrequired", "package"),
    ):
        if given in groups:
            groups[asked] = groups[given]
    return signature.sentence.format(**groups)


def _missing_variable(situation: Situation, text: Text, lines: list[str]) -> Iterator[Finding]:
    """A variable that the code demanded and the environment did not have."""
    open_checks = _not_passed(
        situation, ("release.command", "release.report", "code.dynos", "health.edge")
    )
    if not open_checks:
        return
    frame = -_FRAMES_BEFORE
    for number, line in enumerate(lines, 1):
        if _ENVIRON_FRAME.search(line):
            frame = number
        demanded = _DEMANDED.search(line)
        key = _KEY_ERROR.search(line) if number - frame < _FRAMES_BEFORE else None
        match = demanded or key
        if match is None:
            continue
        name = next(value for value in match.groupdict().values() if value)
        set_there = situation.config_names is not None and name in situation.config_names
        sentence = f"The code demands {name}, which its environment did not have" + (
            "; the app's config vars do have it now." if set_there else "."
        )
        yield Finding(
            "missing-config-var",
            sentence,
            open_checks,
            f"truegreen retry, now that {name} is set"
            if set_there
            else f"set {name} on the app (a new release follows), or pin it in [smoke.env] when "
            "the suite demands it",
            quotes=(quote(text, number, line),),
        )


def quote(text: Text, number: int, line: str) -> Quote:
    """Line ``number`` of ``text`` as it stood, cut to what a person reads."""
    told = line.strip()
    return Quote(
        text.source,
        number,
        told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…",
        digest_of(line.encode("utf-8", "replace")),
    )


def trouble(situation: Situation, kind: str) -> Quote | None:
    """The first line of a text of ``kind`` in which a program says that it failed; without one,
    the first in which a buildpack does in its last step."""
    for text in situation.texts:
        if text.kind != kind:
            continue
        given_up: Quote | None = None
        for number, line in enumerate(text.body.splitlines()[-_MOST_LINES:], 1):
            if _TROUBLE.search(line):
                return quote(text, number, line)
            if line.startswith(_STEP):
                given_up = None
            elif given_up is None and _GIVEN_UP.search(line):
                given_up = quote(text, number, line)
        if given_up is not None:
            return given_up
    return None


def _not_passed(situation: Situation, checks: tuple[str, ...]) -> tuple[str, ...]:
    found = (situation.of(check) for check in checks)
    return tuple(item.check for item in found if item and item.status is not Status.PASS)
