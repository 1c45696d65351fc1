"""The engine of the standard library: slower by a factor of thirty or so, and never different."""

from __future__ import annotations

import re
from collections.abc import Sequence

from truegreen.gates.scan.rules import RuleSet


class PureEngine:
    """``re`` for the shapes, ``bytes.find`` for the literals."""

    name = "pure"
    parallel = False

    def __init__(self, rules: RuleSet) -> None:
        # Each shape by itself: `re` is quicker with eleven patterns than with one of eleven parts,
        # and quicker in lowered bytes than with IGNORECASE.
        self._shapes = [
            (re.compile(_lowered(one.pattern) if one.caseless else one.pattern), one.caseless)
            for one in rules.shapes
        ]
        self._literals = [
            (anchor.lower() if rule.caseless else anchor, rule.caseless, index)
            for index, rule in enumerate(rules.anchored)
            for anchor in rule.anchors
        ]

    def copy(self) -> PureEngine:
        return self

    def candidates(self, data: bytes, start: int) -> Sequence[tuple[int, int, int]]:
        # The search goes on one byte after each start, so an alternation finds every place at which
        # one of its parts begins, as the first part that does: that is what the union is.
        found: dict[int, tuple[int, int, int]] = {}
        lowered = data.lower()
        for index, (pattern, caseless) in enumerate(self._shapes):
            where = lowered if caseless else data
            position = start
            while match := pattern.search(where, position):
                found.setdefault(match.start(), (*match.span(), index))
                position = match.start() + 1
        return sorted(found.values())

    def anchors(self, data: bytes, start: int) -> Sequence[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        lowered = data.lower()  # ASCII alone, as hyperscan's caseless is
        for literal, caseless, index in self._literals:
            where = lowered if caseless else data
            position = where.find(literal, start)
            while position != -1:
                found.append((position, index))
                position = where.find(literal, position + 1)
        return found


def _lowered(pattern: bytes) -> bytes:
    """A caseless pattern for lowered bytes. Its escapes are the same in small letters."""
    return pattern.lower().replace(b"(?i:", b"(?:")


def alternation(rules: RuleSet) -> re.Pattern[bytes] | None:
    """All shapes in one pattern, one named group each; None without shapes."""
    if not rules.shapes:
        return None
    return re.compile(
        b"|".join(b"(?P<s%d>%s)" % (n, shape.pattern) for n, shape in enumerate(rules.shapes))
    )


def shape_of(match: re.Match[bytes]) -> int:
    """Which shape of ``alternation`` it was."""
    assert match.lastgroup is not None
    return int(match.lastgroup[1:])
