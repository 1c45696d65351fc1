"""What the records of an episode say, as sentences with their evidence. Pure.

A ``Fact`` cites what it rests on; there is none without a citation. What a review needs and the
records do not say becomes a question, never a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from truegreen.flags.grammar import FALSE, TRUE
from truegreen.incidents.document.times import told
from truegreen.incidents.drafting.clocks import Difference, Sighting, difference
from truegreen.incidents.drafting.episode import Episode, Recorded
from truegreen.incidents.record import Answer, Event, RunRecord, moment

DYNO = "the dyno's clock"
OURS = "truegreen's clock"


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
        return _between(self.failed, self.detected)

    @property
    def duration(self) -> float | None:
        return _between(self.began, self.ended)


def _between(one: datetime | None, other: datetime | None) -> float | None:
    return (other - one).total_seconds() if one and other and other >= one else None


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


def summary(episode: Episode) -> list[Fact]:
    red = episode.red
    refs = tuple(of_answer(red, one) for one in red.run.with_status("fail"))
    return [Fact(red.run.sentence, refs)] if red.run.sentence and refs else []


def impact(episode: Episode) -> list[Fact]:
    """What served, how it answered, which flags were on: the blast radius as far as it is known."""
    red, run = episode.red, episode.red.run
    facts: list[Fact] = []
    if run.serving:
        facts.append(Fact(f"The platform served {run.serving}.", (of_serving(red),)))
    for name in ("health.edge", "code.served", "code.dynos", "health.origin_blocked"):
        answer = run.of(name)
        if answer is not None and answer.status != "unknown":
            facts.append(Fact(f"{_asked(answer)}: {answer.observed}.", (of_answer(red, answer),)))
    schema = run.of("schema.head")
    if schema is not None and schema.status != "unknown":
        facts.append(Fact(f"The database was at {schema.observed}.", (of_answer(red, schema),)))
    facts += _flags(red)
    return facts


def _asked(answer: Answer) -> str:
    return {
        "health.edge": "Health, asked through the edge",
        "code.served": "Asked which code it is, the app answered",
        "code.dynos": "The dynos",
        "health.origin_blocked": "A request past the edge got",
    }[answer.check]


def _flags(red: Recorded) -> Iterator[Fact]:
    answer = red.run.of("flags.config")
    values = answer.detail.get("flags") if answer else None
    if answer is None or not isinstance(values, Mapping):
        return
    groups: dict[str, list[str]] = {"on": [], "off": [], "set": []}
    for name, value in values.items():
        text = str(value).strip().lower()
        state = "on" if text in TRUE else "off" if text in FALSE else "set"
        groups[state].append(f"{name}={value}" if state == "set" else str(name))
    ref = (of_answer(red, answer),)
    for state, names in groups.items():
        if names:
            yield Fact(f"Flags {state}: {', '.join(names)}.", ref)


def causes(episode: Episode) -> list[tuple[str, Fact]]:
    """Each finding of the diagnosis that cites evidence which is in the record."""
    red = episode.red
    found: list[tuple[str, Fact]] = []
    for cause in red.run.causes:
        refs = of_checks(red, cause.cites)
        if refs and cause.sentence:
            found.append((cause.name, Fact(cause.sentence, refs)))
    return found


def phases(recorded: Recorded) -> Sequence[Mapping[str, Any]]:
    """The phases of the release command's own report, in order."""
    return [one for one in _list(_report(recorded.run), "phases") if isinstance(one, Mapping)]


def _report(run: RunRecord) -> Mapping[str, Any]:
    answer = run.of("release.report")
    report = answer.detail.get("report") if answer else None
    return report if isinstance(report, Mapping) else {}


def _list(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []


def trigger(episode: Episode) -> list[Fact]:
    red, run = episode.red, episode.red.run
    refs = of_checks(red, ("build.succeeded", "code.slug", "release.command"))
    if not run.commit or not refs:
        return []
    release = f" as release {run.release}" if run.release else ""
    return [Fact(f"The run was of commit {run.commit}{release}.", refs)]


def contributing(episode: Episode) -> list[Fact]:
    """What the release command reported, phase by phase: how far it got and where it ended."""
    answer = episode.red.run.of("release.report")
    if answer is None:
        return []
    ref = (of_answer(episode.red, answer),)
    report = _report(episode.red.run)
    facts = [Fact(f"{_phase_text(phase)}.", ref) for phase in phases(episode.red)]
    for phase in phases(episode.red):
        facts += [
            Fact(f"The variable {leak.get('variable')} was read at {leak.get('file')}:"
                 f"{leak.get('line')}, {leak.get('count')} times; it was set in the environment.",
                 ref)
            for leak in _list(phase, "leaks")
            if isinstance(leak, Mapping) and leak.get("present")
        ]  # fmt: skip
    if isinstance(report.get("exit"), int):
        facts.append(Fact(f"The release command exited with {report['exit']}.", ref))
    return facts


def _phase_text(phase: Mapping[str, Any]) -> str:
    name, status = str(phase.get("name")), str(phase.get("status"))
    text = f"Phase {name}: {status}"
    if phase.get("to"):
        text += f", schema from {phase.get('from') or 'nothing'} to {phase['to']}"
    if isinstance(phase.get("total"), int):
        text += f", {phase.get('failed')} of {phase['total']} tests failed"
        reasons = {
            f"{one.get('message')} {one.get('body') or ''}".strip()
            for one in _list(phase, "failures")
            if isinstance(one, Mapping)
        }
        if reasons:
            text += f" ({'; '.join(sorted(reasons)[:3])})"
        if isinstance(phase.get("sealed"), bool):
            text += ", sealed" if phase["sealed"] else ", not sealed"
    if isinstance(phase.get("seconds"), int | float) and phase["seconds"] >= 0.05:
        text += f", {told(float(phase['seconds']))}"
    return text


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
    started = moment(_report(red.run).get("started_at"))
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
        yield Moment(at, Fact(_phase_text(phase), refs), source, apart.margin, at + shift)


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
    begun = _between(when.began, when.failed)
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


def detection(episode: Episode) -> list[Fact]:
    red = episode.red
    failed = red.run.with_status("fail")
    if not failed:
        return []
    names = ", ".join(dict.fromkeys(one.check for one in failed))
    return [Fact(f"Found by {names}, in {red.kind}.", tuple(of_answer(red, one) for one in failed))]


def resolution(episode: Episode) -> list[Fact]:
    recovery = episode.recovery
    if recovery is None:
        return []
    at = recovery.at.strftime("%Y-%m-%d %H:%M:%SZ") if recovery.at else "a time not known"
    text = f"{recovery.kind} was green at {at}: {recovery.run.sentence}"
    return [Fact(text, (of_run(recovery),))]


def questions(episode: Episode) -> list[str]:
    """What the records do not say, and a review must."""
    red = episode.red
    asked = [f"{one.check} is unknown: {one.observed}" for one in red.run.with_status("unknown")]
    there = {one.check for one in red.run.answers}
    uncited = [cause for cause in red.run.causes if not set(cause.cites) & there]
    asked += [f"The finding {one.name} cites no evidence of the record: a guess" for one in uncited]
    missing = {name for cause in red.run.causes for name in cause.cites if name not in there}
    asked += [f"{name}: cited, and never answered" for name in sorted(missing)]
    if episode.chain_holds is None:
        asked.append("Where the document came from: it was read from no ledger")
    elif not episode.chain_holds:
        asked.append("Whether the record is as it was written: the ledger's chain is broken")
    asked += [f"Note of the run: {note}" for note in red.run.notes]
    asked += [
        "Who was affected, and for how long?",
        "Was data harmed?",
        "How severe is it?",
        "What set it off, beyond the run itself?",
        "How long had it been so before anybody could see it?",
    ]
    if episode.recovery is None:
        asked.append("How did it end? The record holds no green run after it.")
    return asked
