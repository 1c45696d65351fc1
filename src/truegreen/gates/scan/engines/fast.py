"""The engine of the extra ``scan``: RE2 for the shapes, hyperscan for the literals.

RE2 is asked without groups, so that it stays in its automaton; which shape a match is, Python's
``re`` says afterwards at that one place. ``RE2::Set`` is not used: out of memory it answers "no
match", where a single pattern falls back to a slower way and stays right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hyperscan
import re2

from truegreen.gates.scan.engines.pure import alternation, shape_of
from truegreen.gates.scan.rules import RuleSet

_MEMORY = 48 << 20  # bytes that RE2's automaton may take before it is thrown away and begun anew


class FastEngine:
    """Both automata, compiled once; a copy shares them and has its own scratch space."""

    name = "fast"
    parallel = True  # both let go of the interpreter's lock while they run

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._named = alternation(rules)
        self._match: Any = None
        if rules.shapes:
            options = re2.Options()
            options.encoding = re2.Options.Encoding.LATIN1
            options.max_mem = _MEMORY
            options.log_errors = False
            whole = b"|".join(b"(?:" + shape.pattern + b")" for shape in rules.shapes)
            # the module's own wrapper makes a match object of each match, twice as slow
            compiled = re2._re2.RE2(whole, options)
            if not compiled.ok():
                raise ValueError(f"RE2 does not take the shapes: {compiled.error()}")
            self._match = compiled.Match
        self._owners: list[tuple[int, tuple[int, ...]]] = []  # literal -> length, rules
        self._literals = _compile(rules, self._owners)
        self._scratch = self._literals.scratch if self._literals else None

    def copy(self) -> FastEngine:
        other = object.__new__(FastEngine)
        other.__dict__.update(self.__dict__)
        if self._scratch is not None:
            other._scratch = self._scratch.clone()
        return other

    def candidates(self, data: bytes, start: int) -> Sequence[tuple[int, int, int]]:
        found: list[tuple[int, int, int]] = []
        match, named = self._match, self._named
        if match is None or named is None:
            return found
        anywhere = re2._Anchor.UNANCHORED
        position, end = start, len(data)
        while True:
            first, last = match(anywhere, data, position, end)[0]
            if first < 0:
                return found
            told = named.match(data, first)
            if told is None or told.end() != last:
                raise RuntimeError(f"two engines read a shape differently at byte {first}")
            found.append((first, last, shape_of(told)))
            position = first + 1

    def anchors(self, data: bytes, start: int) -> Sequence[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        if self._literals is None:
            return found
        owners = self._owners

        def seen(number: int, _from: int, to: int, _flags: int, _context: object) -> None:
            length, rules = owners[number]
            first = start + to - length
            for rule in rules:
                found.append((first, rule))

        whole = memoryview(data)[start:] if start else data
        self._literals.scan(whole, match_event_handler=seen, scratch=self._scratch)
        return found


def _compile(rules: RuleSet, owners: list[tuple[int, tuple[int, ...]]]) -> Any:
    by_literal: dict[tuple[bytes, bool], list[int]] = {}
    for index, rule in enumerate(rules.anchored):
        for anchor in rule.anchors:
            key = (anchor.lower() if rule.caseless else anchor, rule.caseless)
            by_literal.setdefault(key, []).append(index)
    if not by_literal:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[literal for literal, _ in by_literal],
        ids=list(range(len(by_literal))),
        elements=len(by_literal),
        flags=[hyperscan.HS_FLAG_CASELESS if caseless else 0 for _, caseless in by_literal],
        literal=True,
    )
    owners += [(len(key[0]), tuple(found)) for key, found in by_literal.items()]
    return database
