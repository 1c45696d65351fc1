"""What to do after a verdict that is not green: hold, retry, roll back or fix forward. Pure.

A recommendation is for a person; nothing here or elsewhere acts on it by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from truegreen.model.diagnosis import Finding
from truegreen.model.situation import Situation
from truegreen.model.verdict import Verdict

Action = Literal["hold", "retry", "roll back", "fix forward"]

# Causes that may be gone when the same slug is tried again, in words.
_TRANSIENT = {
    "lock-timeout": "the lock that it waited for",
    "statement-timeout": "what made the statement take too long",
    "database-unreachable": "what kept it from the database",
    "disk-full": "what filled the disk",
    "release-expired": "what made it take too long",
}
# What `truegreen rehearse` runs ahead of time.
_REHEARSED = frozenset(
    {
        "smoke-inherited-environment",
        "guard-answered-smoke",
        "preflight-refused",
        "missing-config-var",
        "alembic-multiple-heads",
        "alembic-unknown-revision",
        "import-error",
        "syntax-error",
        "program-not-found",
        "schema-object-missing",
    }
)
# Checks whose failure users of the app may notice.
_FELT = ("code.dynos", "health.edge", "code.served")


class Recommendation(NamedTuple):
    """``command`` is what does it ("" for hold and fix forward), ``rehearsal`` what would have
    shown it beforehand ("" where nothing would)."""

    action: Action
    why: str
    command: str = ""
    rehearsal: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "action": self.action,
            "why": self.why,
            "command": self.command,
            "rehearsal": self.rehearsal,
        }


def recommend(situation: Situation, findings: Iterable[Finding]) -> Recommendation | None:
    """What to do about ``situation``, or None when it is green.

    Retry only what may go differently with the same code; roll back only when the new code is
    what serves, and is felt; hold while nothing is known or the release has not ended.
    """
    judgement = situation.judgement
    if judgement.verdict is Verdict.GREEN:
        return None
    names = {finding.name for finding in findings}
    release, serving = situation.release, situation.serving
    if judgement.verdict is Verdict.UNVERIFIED:
        why = "nothing is known to be wrong, and not everything is known; ask again first"
        if release is not None and release.status == "pending":
            why = f"{release.name} has not ended; ask again when it has"
        return Recommendation("hold", why, "truegreen verify")
    rehearsal = "truegreen rehearse shows this before a deploy" if names & _REHEARSED else ""
    new_serves = release is not None and serving is not None and serving.version == release.version
    if not new_serves:
        return _old_code_serves(situation, names, rehearsal)
    if any(check in judgement.failed for check in _FELT):
        why = f"{release.name if release else 'the release'} serves, and does not serve well"
        if "flags-unreadable" in names or "missing-config-var" in names:
            why += "; a config var is the cause, so setting it is quicker than going back"
            return Recommendation("fix forward", why, "", rehearsal)
        if "edge-challenge" in names or "edge-login" in names:
            why = "the edge answered, not the app: going back would change nothing"
            return Recommendation("hold", why, "truegreen verify", rehearsal)
        felt = [check for check in _FELT if check in judgement.failed]
        if felt == ["code.served"] and "stale-code-served" in names:
            why = "an old dyno answers besides the new ones, and preboot's leave in 3 minutes"
            return Recommendation("hold", why, "truegreen verify", rehearsal)
        return Recommendation(
            "roll back",
            why + "; the preflight says whether the schema allows it",
            "truegreen rollback --plan",
            rehearsal,
        )
    return Recommendation(
        "fix forward",
        "the new code serves, and what failed is not felt by its users",
        "",
        rehearsal,
    )


def _old_code_serves(situation: Situation, names: set[str], rehearsal: str) -> Recommendation:
    release, serving = situation.release, situation.serving
    still = f"{serving.name} serves on" if serving else "nothing new serves"
    if "not-shipped" in names:
        why = f"{still}, and this commit was never on its way: look before anything else"
        return Recommendation("hold", why, "truegreen releases")
    if "overtaken-by-release" in names:
        why = f"{still}, released by somebody after this one: look whose it is before anything else"
        return Recommendation("hold", why, "truegreen releases")
    if names & _TRANSIENT.keys() and release is not None:
        cause = min(names & _TRANSIENT.keys())
        return Recommendation(
            "retry",
            f"{still}; {_TRANSIENT[cause]} may be gone by now",
            "truegreen retry",
            rehearsal,
        )
    if "schema-ahead-of-code" in names:
        return Recommendation(
            "fix forward",
            f"{still}, on a schema that is ahead of it; the migration is not undone by itself",
            "",
            rehearsal,
        )
    return Recommendation(
        "fix forward", f"{still}, so there is time to mend the cause", "", rehearsal
    )
