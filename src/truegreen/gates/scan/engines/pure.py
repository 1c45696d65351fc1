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
        self._shapes = alternation(rules)
        self._literals = [
            (anchor.lower() if rule.caseless else anchor, rule.caseless, index)
            for index, rule in enumerate(rules.anchored)
            for anchor in rule.anchors
        ]

    def copy(self) -> PureEngine:
        return self

    def candidates(self, data: bytes, start: int) -> Sequence[tuple[int, int, int]]:
        found: list[tuple[int, int, int]] = []
        if self._shapes is None:
            return found
        position = start
        while match := self._shapes.search(data, position):
            found.append((match.start(), match.end(), shape_of(match)))
            position = match.start() + 1
        return found

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
