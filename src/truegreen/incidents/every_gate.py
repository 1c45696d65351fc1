"""All gates there are: the standard ones, and those that know incidents.

The command line, the board and the agent's face take their gates from here, because what knows
incidents stands above ``gates`` and ``ship``. No gate lives here.
"""

from __future__ import annotations

from truegreen.config import Config
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.gates.run import STANDARD, Answers, Gate
from truegreen.incidents.actions import NAME


def _actions(question: Question, _: Answers) -> GateResult:
    from truegreen.incidents.actions.gate import ask  # ruamel: only where there are reviews

    return ask(question)


def _keeps_reviews(config: Config) -> bool:
    return (config.root / config.incidents.path).is_dir()


GATES: tuple[Gate, ...] = (*STANDARD, Gate(NAME, _actions, configured=_keeps_reviews))
