"""The first step of a run: the gates are asked, overrides weighed in, the wave made out.

Asks and weighs; nothing is changed and nothing recorded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from truegreen.errors import TrueGreenError
from truegreen.gates.override import Override, Weighed, weigh
from truegreen.gates.question import Question
from truegreen.gates.run import Gate, run_gates
from truegreen.gates.wave import Wave
from truegreen.ledger import Ledger
from truegreen.ship.overriding import recorded
from truegreen.state import locate

_FINDINGS = 50  # of one gate, in the record of a run; `truegreen gate --json` has all


@dataclass(frozen=True, slots=True)
class Asked:
    """What the gates said, what overrides them, and what would go out."""

    weighed: Weighed
    wave: Wave

    def gates_json(self) -> list[dict[str, Any]]:
        """The answers for a run's document: what blocks first, and not without end."""
        told = []
        for result in self.weighed.results:
            findings = sorted(result.findings, key=lambda one: not one.blocks)
            one = {**result.as_json(), "findings": [f.as_json() for f in findings[:_FINDINGS]]}
            told.append(one)
        return told


def ask_gates(
    names: Sequence[str],
    question: Question,
    gates: Sequence[Gate],
    given: Sequence[Override] = (),
) -> Asked:
    """Asks the gates called ``names``; ``given`` are the overrides of this call, beside which those
    count that an earlier run of the same commit used and that have not ended. Raises UsageError
    and ConfigError."""
    results = run_gates(names, question, gates)
    commit = question.full_commit
    earlier = () if all(one.open for one in results) else _earlier(question, commit)
    weighed = weigh(results, (*earlier, *given), app=question.app, commit=commit, now=question.now)
    return Asked(weighed, question.wave)


def _earlier(question: Question, commit: str) -> tuple[Override, ...]:
    """Without a ledger that can be read nothing was given earlier, and the gate stays shut."""
    where = locate(question.config.root)
    if not Ledger.begun(where):
        return ()
    try:
        with Ledger.open(where) as ledger:
            return recorded(ledger, question.app, commit)
    except TrueGreenError:
        return ()
