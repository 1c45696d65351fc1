"""Was the fault reported as the drill demands? Pure functions over what was observed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from truegreen.incidents.drills.plan import Plan

_ANYTHING = "…"


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of the question. ``answers``: status by the name of whoever was asked; ``at``: when
    each said so, in seconds of one clock. ``document`` is ship's; empty for a refusal."""

    verdict: str  # green | red | unverified | refused
    sentence: str
    answers: Mapping[str, str]
    at: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[tuple[str, str], ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reporters(self) -> tuple[str, ...]:
        """Who did not say ``pass``, in the order in which they said so."""
        names = [name for name, status in self.answers.items() if status != "pass"]
        return tuple(sorted(names, key=lambda name: self.at.get(name, float("inf"))))


def control_problems(observed: Observed, that_day: Mapping[str, Any]) -> tuple[str, ...]:
    """A control without the fault has to be green, and the workflow of that day agrees."""
    problems: list[str] = []
    if observed.verdict != "green":
        problems.append(f"the control is {observed.verdict}: {observed.sentence}")
    if that_day.get("conclusion", "success") != "success":
        problems.append(f"the workflow of that day says {that_day['conclusion']} of the control")
    return tuple(problems)


def fault_problems(
    plan: Plan,
    observed: Observed,
    words: Mapping[str, str],
    that_day: Mapping[str, Any],
    gap: float | None,
) -> tuple[str, ...]:
    """The fault has to be reported by the named check, in time, in the right words.

    ``words``: what the templates' words stand for in this run. ``gap``: seconds from the moment
    the fault was true until the named check said so; None when it never did.
    """
    problems: list[str] = []
    if observed.verdict != plan.verdict:
        told = observed.sentence
        problems.append(f"the verdict is {observed.verdict}, not {plan.verdict}: {told}")
    problems += _reporters(plan, observed)
    if gap is not None and gap > plan.within:
        problems.append(f"{plan.check} reported it after {gap:.1f} s, not within {plan.within:g} s")
    wanted = filled(plan.sentence, words)
    if wanted and not matches(wanted, observed.sentence):
        problems.append(f"the sentence is {observed.sentence!r}, not {wanted!r}")
    problems += _finding(plan, observed, words)
    if plan.workflow and that_day.get("conclusion") != plan.workflow:
        problems.append(
            f"the workflow of that day says {that_day.get('conclusion')} of the fault, "
            f"not {plan.workflow}: this is not that day"
        )
    return tuple(problems)


def _reporters(plan: Plan, observed: Observed) -> list[str]:
    problems: list[str] = []
    status = observed.answers.get(plan.check, "nothing")
    if status != ("fail" if plan.status == "refused" else plan.status):
        others = ", ".join(observed.reporters) or "nobody"
        problems.append(f"{plan.check} says {status}, not {plan.status}; reported by {others}")
    strangers = [
        name for name in observed.reporters if name != plan.check and name not in plan.also
    ]
    for name in strangers:
        problems.append(f"{name} reported it ({observed.answers[name]}), and is not named for it")
    return problems


def _finding(plan: Plan, observed: Observed, words: Mapping[str, str]) -> list[str]:
    if not plan.finding:
        return []
    sentences = [sentence for name, sentence in observed.findings if name == plan.finding]
    if not sentences:
        named = ", ".join(name for name, _ in observed.findings) or "nothing"
        return [f"the diagnosis is {named}, not {plan.finding}"]
    wanted = filled(plan.because, words)
    if wanted and not any(matches(wanted, sentence) for sentence in sentences):
        return [f"{plan.finding} says {sentences[0]!r}, not {wanted!r}"]
    return []


def filled(template: str, words: Mapping[str, str]) -> str:
    """``template`` with this run's own words in it."""
    return template.format_map(words)


def matches(wanted: str, said: str) -> bool:
    """Whether ``said`` is ``wanted``, in which ``…`` stands for anything on its line."""
    parts = [re.escape(part) for part in wanted.split(_ANYTHING)]
    return re.fullmatch(".*".join(parts), said) is not None
