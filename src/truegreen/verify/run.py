"""Runs the observers side by side and puts their evidence together. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from truegreen.errors import Unverified
from truegreen.model import Evidence, Finding, Situation, Status, Verdict, diagnose, judge, sentence
from truegreen.verify.answer import Answer
from truegreen.verify.observers import AFTERWARDS, OBSERVERS, Observer, asked
from truegreen.verify.situation import assemble
from truegreen.verify.world import World


@dataclass(frozen=True, slots=True)
class Verification:
    """A situation, and what it comes to."""

    situation: Situation
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        return self.situation.judgement.verdict

    @property
    def sentence(self) -> str:
        return sentence(self.situation)


def verify(
    world: World,
    *,
    on_evidence: Callable[[Evidence], None] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Verification:
    """Asks every check about ``world``. ``on_evidence`` is told each answer as it comes.

    Never raises for what the world does: an observer that could not make its check, or broke, is
    unknown evidence that says so.
    """
    evidence: list[Evidence] = []

    def keep(item: Evidence) -> None:
        if on_evidence is not None:
            on_evidence(item)
        evidence.append(item)

    with ThreadPoolExecutor(max_workers=6, thread_name_prefix="observer") as pool:
        running = [
            pool.submit(_ask, name, observer, world, now)
            for name, observer in OBSERVERS.items()
            if asked(name, world.question)
        ]
        for future in running:
            keep(future.result())
    for name, observer in AFTERWARDS.items():
        if asked(name, world.question):
            keep(_afterwards(name, observer, world, now, evidence))
    situation = assemble(world, evidence)
    return Verification(situation, diagnose(situation))


def _afterwards(
    name: str,
    observer: Observer,
    world: World,
    now: Callable[[], datetime],
    evidence: list[Evidence],
) -> Evidence:
    """A check that takes long is made only while nothing else has failed: red is red already."""
    failed = judge(evidence, world.question.required).failed
    if failed:
        told = f"not asked, since {failed[0]} fails"
        return Answer(Status.UNKNOWN, told, "an answer", "").as_evidence(name, now())
    return _ask(name, observer, world, now)


def _ask(name: str, observer: Observer, world: World, now: Callable[[], datetime]) -> Evidence:
    try:
        answer = observer(world)
    except Unverified as error:
        answer = Answer(Status.UNKNOWN, error.message, "an answer", "could not be asked")
    except Exception as error:  # noqa: BLE001 - a broken observer is unknown, never a pass
        what = f"the observer broke: {type(error).__name__}: {error}"
        answer = Answer(Status.UNKNOWN, what, "an answer", "could not be asked")
    return answer.as_evidence(name, now())
