"""The engines: ``bytes -> candidates``. Each finds every place that a rule must be asked about;
none judges. All give the same places, so that what is found does not depend on what is installed.

- shapes: non-empty matches of one alternation, leftmost first; the search goes on one byte after
  the start of a match, so that a refused candidate never hides another behind it
- anchors: every occurrence of every literal, overlapping ones too

``fast`` uses RE2 and hyperscan (extra ``scan``), ``pure`` the standard library.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Protocol

from truegreen.errors import UsageError
from truegreen.gates.scan.rules import RuleSet

NAMES = ("auto", "fast", "pure")


class Engine(Protocol):
    """One rule set, compiled. Not to be used by two threads at once: ``copy`` it."""

    name: str
    parallel: bool  # whether threads run side by side in it

    def candidates(self, data: bytes, start: int) -> Sequence[tuple[int, int, int]]:
        """``(start, end, shape)`` from ``start`` on, ``shape`` an index into the rule set's; what
        stands before ``start`` is seen as what stands before. (No end: RE2 and ``re`` differ in
        what they see behind one.)"""
        ...

    def anchors(self, data: bytes, start: int) -> Sequence[tuple[int, int]]:
        """``(start, rule)`` of each literal, ``rule`` an index into the rule set's anchored."""
        ...

    def copy(self) -> Engine: ...


def make_engine(rules: RuleSet, name: str = "auto") -> Engine:
    """The engine called ``name``; ``auto``: fast where it is installed.

    Raises UsageError for ``fast`` where it is not installed.
    """
    installed = importlib.util.find_spec("re2") and importlib.util.find_spec("hyperscan")
    if name == "fast" and not installed:
        raise UsageError("the fast engine is not installed", hint="pip install 'truegreen[scan]'")
    if name == "pure" or not installed:
        from truegreen.gates.scan.engines.pure import PureEngine

        return PureEngine(rules)
    from truegreen.gates.scan.engines.fast import FastEngine

    return FastEngine(rules)
