"""All gates there are: the standard ones, and those that know incidents.

The command line, the board and the agent's face take their gates from here, because what knows
incidents stands above ``gates`` and ``ship``. No gate lives here.
"""

from __future__ import annotations

from truegreen.gates.run import STANDARD, Gate

GATES: tuple[Gate, ...] = STANDARD
