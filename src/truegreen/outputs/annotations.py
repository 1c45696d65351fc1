"""GitHub's workflow commands: errors and warnings that appear beside the lines of a change.

GitHub shows at most ten errors and ten warnings of a step; what is beyond that is counted in one
notice, never dropped silently. The log has them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST = 10  # of one level in a step, by GitHub's documentation


@dataclass(frozen=True, slots=True)
class Annotation:
    """``level``: error, warning or notice. ``file`` relative to the repository's root."""

    level: str
    file: str
    line: int
    title: str
    text: str


def workflow_commands(found: Iterable[Annotation]) -> Iterator[str]:
    """One workflow command a line, errors first."""
    given = list(found)
    left = 0
    for level in ("error", "warning", "notice"):
        own = [one for one in given if one.level == level]
        left += len(own[MOST:])
        for one in own[:MOST]:
            where = f"file={_value(one.file)},line={one.line},title={_value(one.title)}"
            yield f"::{level} {where}::{_text(one.text)}"
    if left:
        yield f"::notice title=truegreen::and {left} more, which GitHub would not show"


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
