"""Rules: the severity fits the impact, and the words blame nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.incidents.document.body import outside_code
from truegreen.incidents.lint.completeness import DATA, USERS
from truegreen.incidents.lint.finding import Finding, Level
from truegreen.incidents.lint.surroundings import Linted

_NONE = re.compile(r"(none|no|nobody|nothing|not any|zero|0)\b", re.IGNORECASE)
_UNKNOWN = re.compile(r"(unknown|not known|unclear|\?)", re.IGNORECASE)
_WHO = (
    r"(?:he|she|they|somebody|someone|the (?:[\w-]+ )?(?:engineer|developer|operator|sre|admin\w*|"
    r"on-?call|author|reviewer|team|person|agent))"
)
_BLAME = (
    (r"\b(?:human|operator|user|pilot) error\b", "say what made the action look right"),
    (r"\b(?:careless\w*|negligen\w*|incompeten\w*|sloppy|lazy|reckless\w*|stupid\w*|idiot\w*)\b",
     "describe what happened, not the person"),
    (r"\b(?:is|was|were|are) (?:at fault|to blame|the culprit)\b", "name the condition"),
    (r"\b(?:fault|mistake) of\b|\bwhose fault\b", "name the condition"),
    (rf"\b{_WHO} (?:should(?:n't| not)? have|could have|ought to have)\b",
     "say what would have had to be different"),
    (rf"\b{_WHO} (?:forgot|failed|neglected|ignored|didn't bother|messed up|broke)\b",
     "say what the system let through"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), fix) for pattern, fix in _BLAME)


def blameless(review: Linted) -> Iterator[Finding]:
    """``blame``: words that look for a culprit. Code and quotations are not looked at."""
    names = [re.escape(name) for name in review.around.owners if name]
    patterns = list(_PATTERNS)
    if names:
        did = r"(?:forgot|failed to|neglected|ignored|broke|messed up|should have)"
        patterns.append(
            (
                re.compile(rf"\b(?:{'|'.join(names)}) {did}\b", re.I),
                "say what the system let through",
            )
        )
    for number, line, prose in outside_code(review.document.body, review.document.body_line):
        bare = re.sub(r"`[^`]*`|\"[^\"]*\"|“[^”]*”", "", line)
        for pattern, fix in patterns:
            found = pattern.search(bare) if prose and not line.lstrip().startswith(">") else None
            if found:
                text = f"{found[0]!r} looks for a culprit"
                yield Finding("blame", Level.ERROR, review.file, number, text, fix)


def severity(review: Linted) -> Iterator[Finding]:
    """``severity``: the level against what the impact says. What is not known does not count."""
    incident = review.prose.incident
    users, data = incident.impact.get(USERS, ""), incident.impact.get(DATA, "")
    level = incident.severity
    if not level:
        return
    line = review.document.line_of("severity")
    if data and not _NONE.match(data) and not _UNKNOWN.match(data) and level > "SEV-2":
        text = f"{level}, and data was harmed: {data}"
        yield Finding("severity", Level.ERROR, review.file, line, text, "SEV-2 at least")
    if _NONE.match(users) and _NONE.match(data) and level < "SEV-3":
        text = f"{level}, and neither users nor data were harmed"
        yield Finding("severity", Level.ERROR, review.file, line, text, "SEV-3 or SEV-4")
    if users and not _NONE.match(users) and not _UNKNOWN.match(users) and level == "SEV-4":
        text = f"{level}, and users were affected: {users}"
        yield Finding("severity", Level.ERROR, review.file, line, text, "SEV-3 at least")
