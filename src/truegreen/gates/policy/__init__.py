"""The policy gate: conditions in CEL over the facts of the run.

``facts`` is what they may speak of, ``expression`` compiles and evaluates one, ``decide`` answers
(pure), ``gate`` asks.
"""

from truegreen.gates.policy.gate import NAME, ask, needs

__all__ = ["NAME", "ask", "needs"]
