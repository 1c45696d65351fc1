"""Asks several gates side by side; answers in the order given. Each gate has its own file.

A gate is a name and a function of a ``Question``. What is asked is a tuple of gates that the caller
hands in: ``STANDARD`` here, and with those that live above this floor, ``incidents.every_gate``.

A gate is imported when it is asked: what one of them needs (pytest, git, a database's driver) would
otherwise be waited for by all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from truegreen.config import Config
from truegreen.errors import TrueGreenError, UsageError
from truegreen.gates.question import STANDARD_ERROR, Question
from truegreen.gates.result import GateResult
from truegreen.model import Status

Answers = Sequence[GateResult]
__all__ = [
    "STANDARD",
    "STANDARD_ERROR",
    "Gate",
    "asked_by_ship",
    "configured",
    "exit_code",
    "run_gates",
]


@dataclass(frozen=True, slots=True)
class Gate:
    """A question by name. ``ask`` gets the question and the answers of the gates before it, and
    raises TrueGreenError only for what cannot be asked at all.

    ``configured``: has it something to ask of this service, so that it is asked without being
    named. ``by_ship``: ``truegreen ship`` asks it. ``alone``: it must not run beside others.
    ``last``: it wants the others' answers; ``needs`` names those that must then be asked too.
    """

    name: str
    ask: Callable[[Question, Answers], GateResult]
    configured: Callable[[Config], bool] = lambda _: True
    by_ship: bool = True
    alone: bool = False
    last: bool = False
    needs: Callable[[Config], Iterable[str]] = lambda _: ()


def _freeze(question: Question, _: Answers) -> GateResult:
    from truegreen.gates import freeze

    return freeze.ask(question)


def _scan(question: Question, _: Answers) -> GateResult:
    from truegreen.gates.scan import gate as scan

    return scan.scan_head(question.config, question.now, commit=question.commit)


def _migrations(question: Question, _: Answers) -> GateResult:
    from truegreen.gates import migrations

    return migrations.ask(question)


def _smoke(question: Question, _: Answers) -> GateResult:
    from truegreen.gates import smoke

    return smoke.ask(question)


def _policy(question: Question, answers: Answers) -> GateResult:
    from truegreen.gates import policy

    return policy.ask(question, answers)


def _named_by_policy(config: Config) -> Iterable[str]:
    from truegreen.gates import policy

    return policy.needs(config)


STANDARD: tuple[Gate, ...] = (
    Gate("freeze", _freeze),
    Gate("scan", _scan),
    Gate("migrations", _migrations),
    # It moves the process's standard output about while it runs, so it runs alone; and it takes
    # seconds, which the release command will spend anyway.
    Gate(
        "smoke",
        _smoke,
        configured=lambda config: bool(config.smoke.paths),
        by_ship=False,
        alone=True,
    ),
    Gate(
        "policy",
        _policy,
        configured=lambda config: bool(config.policy.conditions),
        last=True,
        needs=_named_by_policy,
    ),
)


def configured(config: Config, gates: Sequence[Gate] = STANDARD) -> tuple[str, ...]:
    """The gates that have something to ask of this service, e.g. smoke only where a suite is."""
    return tuple(gate.name for gate in gates if gate.configured(config))


def asked_by_ship(config: Config, gates: Sequence[Gate] = STANDARD) -> tuple[str, ...]:
    """The gates that ``truegreen ship`` asks of this service."""
    return tuple(gate.name for gate in gates if gate.by_ship and gate.configured(config))


def run_gates(
    names: Iterable[str], question: Question, gates: Sequence[Gate] = STANDARD
) -> tuple[GateResult, ...]:
    """The answers of the gates called ``names``, each asked once.

    Raises UsageError and ConfigError for what a gate cannot even be asked; a gate that breaks is
    ``unknown``.
    """
    by_name = {gate.name: gate for gate in gates}
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in by_name:
            raise UsageError(f"{name!r} is not a gate", hint="one of " + ", ".join(by_name))
    for name in tuple(wanted):
        for other in by_name[name].needs(question.config):
            if other in by_name and other not in wanted:
                wanted.insert(wanted.index(name), other)
    chosen = [by_name[name] for name in wanted]
    beside = [gate for gate in chosen if not gate.alone and not gate.last]
    answers: dict[str, GateResult] = {}
    with ThreadPoolExecutor(max_workers=max(1, len(beside)), thread_name_prefix="gate") as pool:
        for result in pool.map(lambda gate: _answer(gate, question, ()), beside):
            answers[result.name] = result
    for gate in sorted((one for one in chosen if one not in beside), key=lambda one: one.last):
        answers[gate.name] = _answer(gate, question, tuple(answers.values()))
    return tuple(answers[gate.name] for gate in chosen)


def exit_code(results: Iterable[GateResult]) -> int:
    """0: every gate is open. 4: one refuses. 3: none refuses, and one could not find out."""
    statuses = {result.status for result in results}
    if Status.FAIL in statuses:
        return 4
    return 3 if Status.UNKNOWN in statuses else 0


def _answer(gate: Gate, question: Question, before: Answers) -> GateResult:
    try:
        return gate.ask(question, before)
    except TrueGreenError:
        raise
    except Exception as error:  # noqa: BLE001 - a gate that breaks has found nothing out
        reason = f"the gate itself broke: {type(error).__name__}: {error}"
        hint = "report this, with the command"
        return GateResult(gate.name, Status.UNKNOWN, reason, question.now, hint)
