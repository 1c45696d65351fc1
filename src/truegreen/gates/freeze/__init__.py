"""The freeze gate: times at which nothing is shipped.

``clock`` turns wall-clock times into instants, ``rules``, ``ics`` and ``days`` give windows,
``calendar`` reads and joins them, ``decide`` answers (pure), ``gate`` asks.
"""

from truegreen.gates.freeze.decide import NAME
from truegreen.gates.freeze.gate import ask

__all__ = ["NAME", "ask"]
