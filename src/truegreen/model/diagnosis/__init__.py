"""Named findings: what the evidence, taken together, says about the cause. Pure.

``signatures`` is the table of known lines, ``quoting`` finds them in captured text, ``rules`` reads
the situation as a whole. A finding cites the checks and quotes the lines that it rests on, and says
nothing that they do not; what nothing names is said to be unknown.
"""

from __future__ import annotations

import shlex
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
            _to_read(situation),
            kind="state",
        )


def _to_read(situation: Situation) -> str:
    """Where a person reads on, as commands of Heroku's own CLI (`truegreen platform env` points it
    at an embedded platform)."""
    app, release = shlex.quote(situation.app), situation.release
    failed = set(situation.judgement.failed)
    told = []
    if "build.succeeded" in failed:
        told.append("the build's output, which the platform keeps")
    elif release is not None and failed & {"release.command", "release.report", "schema.head"}:
        told.append(f"heroku releases:output {release.name} --app {app}")
    if not told and failed & {"code.dynos", "health.edge", "code.served"}:
        told.append(f"heroku logs --num 500 --app {app}")
    return "what failed is in the checks" + (f"; read: {'; '.join(told)}" if told else "")
