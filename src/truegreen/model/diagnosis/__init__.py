"""Named findings: what the evidence, taken together, says about the cause. Pure.

``signatures`` is the table of known lines, ``quoting`` finds them in captured text, ``rules`` reads
the situation as a whole. A finding cites the checks and quotes the lines that it rests on, and says
nothing that they do not; what nothing names is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

from truegreen.model.diagnosis.finding import Finding, Quote
from truegreen.model.diagnosis.quoting import recognised
from truegreen.model.diagnosis.rules import RULES
from truegreen.model.situation import Situation
from truegreen.model.verdict import Verdict

__all__ = ["Finding", "Quote", "diagnose"]


def diagnose(situation: Situation) -> tuple[Finding, ...]:
    """All findings that the situation supports: causes, then states, then risks."""
    found = [finding for rule in RULES for finding in rule(situation)]
    found += recognised(situation)
    found += _unknown(situation, found)
    rank = {"cause": 0, "state": 1, "risk": 2}
    return tuple(sorted(found, key=lambda finding: rank[finding.kind]))


def _unknown(situation: Situation, found: list[Finding]) -> Iterator[Finding]:
    judgement = situation.judgement
    if judgement.verdict is Verdict.RED and not any(one.kind == "cause" for one in found):
        yield Finding(
            "cause-unknown",
            "Nothing that was read names the cause.",
            judgement.failed,
            "read the release's output and the app's log; what failed is in the checks",
            kind="state",
        )
