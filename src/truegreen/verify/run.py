"""Runs the observers side by side and puts their evidence together. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from truegreen.errors import Unverified
from truegreen.model import Evidence, Finding, Situation, Status, Verdict, diagnose, judge, sentence
from truegreen.verify.answer import Answer
from truegreen.verify.observers import AFTERWARDS, SIDE_BY_SIDE, asked, observer
from truegreen.verify.situation import assemble
from truegreen.verify.world import World

if TYPE_CHECKING:
    from truegreen.verify.observers import Observer


class Verification(NamedTuple):
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

    # Imported before there are threads: imports in several at once do not end well on Ctrl-C.
    now_asked, then_asked = _observers(world, SIDE_BY_SIDE), _observers(world, AFTERWARDS)
    with ThreadPoolExecutor(max_workers=6, thread_name_prefix="observer") as pool:
        running = [pool.submit(_ask, name, observe, world, now) for name, observe in now_asked]
        for future in running:
            keep(future.result())
    for name, observe in then_asked:
        keep(_afterwards(name, observe, world, now, evidence))
    situation = assemble(world, evidence)
    return Verification(situation, diagnose(situation))


def _observers(world: World, names: Iterable[str]) -> list[tuple[str, Observer]]:
    return [(name, observer(name)) for name in names if asked(name, world.question)]


def _afterwards(
    name: str,
    observe: Observer,
    world: World,
    now: Callable[[], datetime],
    evidence: list[Evidence],
) -> Evidence:
    """A check that takes long is made only while nothing else has failed: red is red already."""
    failed = judge(evidence, world.question.required).failed
    if failed:
        told = f"not asked, since {failed[0]} fails"
        return Answer(Status.UNKNOWN, told, "an answer", "").as_evidence(name, now())
    return _ask(name, observe, world, now)


def _ask(name: str, observe: Observer, world: World, now: Callable[[], datetime]) -> Evidence:
    try:
        answer = observe(world)
    except Unverified as error:
        answer = Answer(Status.UNKNOWN, error.message, "an answer", "could not be asked")
    except Exception as error:  # noqa: BLE001 - a broken observer is unknown, never a pass
        what = f"the observer broke: {type(error).__name__}: {error}"
        answer = Answer(Status.UNKNOWN, what, "an answer", "could not be asked")
    return answer.as_evidence(name, now())
