"""All gates there are: the standard ones, and those that know incidents.

The command line, the board and the agent's face take their gates from here, because what knows
incidents stands above ``gates`` and ``ship``. No gate lives here.
"""

from __future__ import annotations

from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.gates.run import STANDARD, Answers, Gate
from truegreen.incidents.actions.judge import NAME
from truegreen.incidents.folder import keeps_reviews


def _actions(question: Question, _: Answers) -> GateResult:
    from truegreen.incidents.actions.gate import ask  # ruamel: only where there are reviews

    return ask(question)


GATES: tuple[Gate, ...] = (*STANDARD, Gate(NAME, _actions, configured=keeps_reviews))
