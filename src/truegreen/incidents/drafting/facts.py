"""What the records of an episode say, as sentences with their evidence. Pure.

What a review needs and the records do not say becomes a question, never a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from truegreen.flags.grammar import FALSE, TRUE
from truegreen.incidents.drafting.episode import Episode, Recorded
from truegreen.incidents.drafting.refs import Fact, of_answer, of_checks, of_run, of_serving
from truegreen.incidents.drafting.report import items, phase_text, phases, report_of
from truegreen.incidents.record import Answer


def summary(episode: Episode) -> list[Fact]:
    red = episode.red
    refs = tuple(of_answer(red, one) for one in red.run.with_status("fail"))
    return [Fact(red.run.sentence, refs)] if red.run.sentence and refs else []


def impact(episode: Episode) -> list[Fact]:
    """What served, how it answered, which flags were on."""
    red, run = episode.red, episode.red.run
    facts = _serving(red)
    for name in ("health.edge", "code.served", "code.dynos", "health.origin_blocked"):
        answer = run.of(name)
        if answer is not None and answer.status != "unknown":
            facts.append(Fact(f"{_asked(answer)}: {answer.observed}.", (of_answer(red, answer),)))
    schema = run.of("schema.head")
    if schema is not None and schema.status != "unknown":
        facts.append(Fact(f"The database was at {schema.observed}.", (of_answer(red, schema),)))
    facts += _flags(red)
    return facts


def blast_radius(episode: Episode) -> list[Fact]:
    """As far as evidence knows it: what could be met was what served, behind the flags that were
    on. Who met it is a person's to say."""
    return [*_serving(episode.red), *_flags(episode.red)]


def _serving(red: Recorded) -> list[Fact]:
    if not red.run.serving:
        return []
    return [Fact(f"The platform served {red.run.serving}.", (of_serving(red),))]


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
    report = report_of(episode.red.run)
    facts = [Fact(f"{phase_text(phase)}.", ref) for phase in phases(episode.red)]
    for phase in phases(episode.red):
        facts += [
            Fact(f"The variable {leak.get('variable')} was read at {leak.get('file')}:"
                 f"{leak.get('line')}, {leak.get('count')} times; it was set in the environment.",
                 ref)
            for leak in items(phase, "leaks")
            if isinstance(leak, Mapping) and leak.get("present")
        ]  # fmt: skip
    if isinstance(report.get("exit"), int):
        facts.append(Fact(f"The release command exited with {report['exit']}.", ref))
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
