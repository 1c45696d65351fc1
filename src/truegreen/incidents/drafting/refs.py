"""What is cited, and the sentences that cite it: a ``Fact`` has no text without its references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from truegreen.incidents.drafting.episode import Recorded
from truegreen.incidents.record import Answer, Event


@dataclass(frozen=True, slots=True)
class Ref:
    """One thing that is cited: an entry of a record, by its digest."""

    digest: str
    what: str
    source: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence (plain text of unknown origin) and what it rests on."""

    text: str
    refs: tuple[Ref, ...]


def of_answer(recorded: Recorded, answer: Answer) -> Ref:
    what = f"check {answer.check} is {answer.status}: {answer.observed}"
    return Ref(answer.ref, what, f"{recorded.name}, {answer.source}", answer.at)


def of_serving(recorded: Recorded) -> Ref:
    what = f"serving: {recorded.run.serving or 'nothing'}"
    return Ref(recorded.run.serving_ref, what, f"{recorded.name}, releases")


def of_event(recorded: Recorded, event: Event) -> Ref:
    what = ": ".join(filter(None, (event.step, event.text)))
    return Ref(event.ref, what, f"{recorded.name}, its steps", event.at)


def citable(recorded: Recorded) -> Iterator[Ref]:
    """Everything of the record that a draft may cite."""
    yield of_serving(recorded)
    if recorded.hash:
        yield of_run(recorded)
    for answer in recorded.run.answers:
        yield of_answer(recorded, answer)
    for event in recorded.run.events:
        yield of_event(recorded, event)


def of_checks(recorded: Recorded, names: Sequence[str]) -> tuple[Ref, ...]:
    """References to the answers to these checks that are in the record."""
    found = [recorded.run.of(name) for name in dict.fromkeys(names)]
    return tuple(of_answer(recorded, one) for one in found if one is not None)


def of_run(recorded: Recorded) -> Ref:
    run = recorded.run
    what = f"{recorded.kind} was {run.verdict}: {run.sentence}"
    if recorded.hash:
        return Ref(f"sha256:{recorded.hash}", what, recorded.name, recorded.at)
    return Ref(run.serving_ref, what, recorded.name, recorded.at)
