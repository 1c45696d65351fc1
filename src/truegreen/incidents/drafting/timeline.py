"""When what happened, on whose clock, and how long it took, from an episode's records. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from truegreen.incidents.document.times import told
from truegreen.incidents.drafting.clocks import Difference, Sighting, difference
from truegreen.incidents.drafting.episode import Episode, Recorded
from truegreen.incidents.drafting.refs import Fact, of_answer, of_event, of_run
from truegreen.incidents.drafting.report import phase_text, phases, report_of
from truegreen.incidents.record import moment

DYNO = "the dyno's clock"
OURS = "truegreen's clock"


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline. ``at`` on its observer's clock, ``margin`` seconds of doubt."""

    at: datetime
    fact: Fact
    source: str
    margin: float = 0.0
    sort: datetime | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """When it began, was known, and ended (None: the records do not say), with the evidence."""

    began: datetime | None
    failed: datetime | None
    detected: datetime | None
    ended: datetime | None

    @property
    def gap(self) -> float | None:
        """Seconds from the failure to the first check that said so."""
        return between(self.failed, self.detected)

    @property
    def duration(self) -> float | None:
        return between(self.began, self.ended)


def between(one: datetime | None, other: datetime | None) -> float | None:
    return (other - one).total_seconds() if one and other and other >= one else None


def times(episode: Episode) -> Times:
    run = episode.red.run
    failing = [one.at for one in run.with_status("fail") if one.at]
    failures = [one.at for one in run.events if one.at and "failed" in one.step.split()[1:]]
    detected = min(failing, default=None)
    failed = min((at for at in failures if detected is None or at <= detected), default=None)
    recovery = episode.recovery
    return Times(run.began, failed, detected, recovery.at if recovery else None)


def clock(episode: Episode) -> Difference | None:
    """How far the dyno's clock may be from ours, from when its release command must have begun."""
    sighting = _sighting(episode.red)
    return difference(DYNO, [sighting]) if sighting else None


def _sighting(red: Recorded) -> Sighting | None:
    started = moment(report_of(red.run).get("started_at"))
    steps = [one.at for one in red.run.events if one.at and one.step.split()[:1] == ["release"]]
    if started is None or len(steps) < 2:
        return None
    return Sighting(DYNO, started, min(steps), max(steps), resolution=1.0)


def timeline(episode: Episode) -> list[Moment]:
    """All that has a time, in the order of time."""
    found: list[Moment] = []
    if episode.before is not None and episode.before.at is not None:
        ref = of_run(episode.before)
        fact = Fact(f"The last green run before: {episode.before.run.sentence}", (ref,))
        found.append(Moment(episode.before.at, fact, episode.before.name))
    found += _of_red(episode)
    for later in episode.after:
        if later.at is not None:
            fact = Fact(f"{later.kind} is {later.run.verdict}: {later.run.sentence}",
                        (of_run(later),))  # fmt: skip
            found.append(Moment(later.at, fact, later.name))
    return sorted(found, key=lambda one: one.sort or one.at)


def _of_red(episode: Episode) -> Iterator[Moment]:
    red, run = episode.red, episode.red.run
    for event in run.events:
        if event.at is None or event.step.endswith(" running"):
            continue
        ref = of_event(red, event)
        yield Moment(event.at, Fact(ref.what, (ref,)), f"{red.name}, {OURS}")
    begun = [(one.at, one) for one in run.events if one.at and one.step.endswith(" running")]
    if begun:
        at, first = min(begun, key=lambda one: one[0])
        yield Moment(at, Fact("The run begins", (of_event(red, first),)), f"{red.name}, {OURS}")
    for answer in run.answers:
        if answer.status != "pass" and answer.at is not None:
            words = f"{answer.check} is {answer.status}: {answer.observed}"
            refs = (of_answer(red, answer),)
            yield Moment(answer.at, Fact(words, refs), f"{answer.source}, {OURS}")
    yield from _of_report(episode)


def _of_report(episode: Episode) -> Iterator[Moment]:
    """The report's phases, on the dyno's clock: each ends its seconds after the one before."""
    red, answer = episode.red, episode.red.run.of("release.report")
    sighting, apart = _sighting(red), clock(episode)
    if answer is None or sighting is None or apart is None:
        return
    refs = (of_answer(red, answer),)
    at = sighting.at
    shift = max(sighting.earliest - sighting.at, timedelta())
    if sighting.at > sighting.latest:
        shift = sighting.latest - sighting.at
    source = f"release report, {DYNO}"
    yield Moment(at, Fact("The release command begins", refs), source, apart.margin, at + shift)
    for phase in phases(red):
        seconds = phase.get("seconds")
        if not isinstance(seconds, int | float):
            return
        at += timedelta(seconds=float(seconds))
        yield Moment(at, Fact(phase_text(phase), refs), source, apart.margin, at + shift)


def durations(episode: Episode) -> list[Fact]:
    """How long what took, computed from the times above."""
    red, when = episode.red, times(episode)
    failing = tuple(of_answer(red, one) for one in red.run.with_status("fail"))
    failed = tuple(
        of_event(red, one)
        for one in red.run.events
        if one.at is not None and one.at == when.failed and "failed" in one.step.split()[1:]
    )
    facts: list[Fact] = []
    begun = between(when.began, when.failed)
    if begun is not None and failed:
        facts.append(Fact(f"From the run's beginning to the failure: {told(begun)}.", failed))
    if when.gap is not None and failing:
        facts.append(
            Fact(f"From the failure to the first check that said so: {told(when.gap)}.",
                 (*failed, failing[0]))
        )  # fmt: skip
    if episode.recovery is not None and when.duration is not None:
        text = f"From the run's beginning to the next green run: {told(when.duration)}."
        facts.append(Fact(text, (of_run(episode.recovery),)))
    apart = clock(episode)
    answer = red.run.of("release.report")
    if apart is not None and not apart.agrees and answer is not None:
        way = "ahead of" if apart.low > 0 else "behind"
        facts.append(
            Fact(f"{DYNO.capitalize()} is at least {told(apart.least)} {way} {OURS}: its times are "
                 f"off by up to {told(apart.margin)}, and the order against ours is a guess.",
                 (of_answer(red, answer),))
        )  # fmt: skip
    return facts
