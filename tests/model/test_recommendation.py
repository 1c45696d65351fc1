"""What is recommended after red: only what the situation supports, and never a deploy by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from truegreen.model import Evidence, Finding, ReleaseState, Situation, Status
from truegreen.model.recommendation import Recommendation, recommend

NOW = datetime(2026, 6, 21, 19, 36, tzinfo=UTC)


def advice(
    failed: str, *causes: str, new_serves: bool = False, status: str = "failed"
) -> Recommendation | None:
    name, how, _ = failed.partition("?")
    verdict = Status.UNKNOWN if how else (Status.FAIL if name else Status.PASS)
    evidence = (Evidence(name or "release.command", verdict, "s", "w", "x", NOW),)
    release = ReleaseState(4, status, new_serves, "9" * 40)
    serving = release if new_serves else ReleaseState(3, "succeeded", True, "3" * 40)
    situation = Situation(
        app="a",
        commit="9" * 40,
        release=release,
        serving=serving,
        served_commit=None,
        schema=None,
        failed_phase=None,
        phase_reason="",
        smoke=None,
        evidence=evidence,
        required=(evidence[0].check,),
    )
    return recommend(situation, [Finding(cause, "x", (name,)) for cause in causes])


def test_green_needs_no_advice() -> None:
    assert advice("") is None


@pytest.mark.parametrize(
    ("failed", "causes", "new_serves", "action"),
    [
        ("release.command", ("lock-timeout",), False, "retry"),
        ("release.command", ("database-unreachable",), False, "retry"),
        ("release.command", ("import-error",), False, "fix forward"),
        ("release.command", ("smoke-inherited-environment",), False, "fix forward"),
        ("release.command", ("schema-ahead-of-code",), False, "fix forward"),
        ("code.dynos", ("port-not-bound",), True, "roll back"),
        ("code.dynos", ("missing-config-var",), True, "fix forward"),
        ("health.edge", (), True, "roll back"),
        ("health.edge", ("edge-challenge",), True, "hold"),
        ("code.served", ("stale-code-served",), True, "hold"),
        ("health.edge", ("stale-code-served",), True, "roll back"),
        ("code.served", ("not-shipped",), False, "hold"),
        ("release.current", ("overtaken-by-release",), False, "hold"),
        ("flags.config", ("flags-unreadable",), True, "fix forward"),
        ("health.edge?", (), True, "hold"),
    ],
)
def test_the_action_follows_from_who_serves_and_why_it_failed(
    failed: str, causes: tuple[str, ...], new_serves: bool, action: str
) -> None:
    found = advice(failed, *causes, new_serves=new_serves)
    assert found is not None
    assert found.action == action
    assert found.why


def test_a_rollback_is_recommended_with_the_plan_first() -> None:
    found = advice("code.dynos", new_serves=True)
    assert found is not None
    assert found.command == "truegreen rollback --plan"


def test_rehearse_is_offered_where_it_would_have_shown_the_cause() -> None:
    found = advice("release.command", "smoke-inherited-environment")
    assert found is not None
    assert "truegreen rehearse" in found.rehearsal
    found = advice("release.command", "lock-timeout")
    assert found is not None
    assert found.rehearsal == ""


def test_a_pending_release_is_waited_for() -> None:
    found = advice("release.command?", status="pending")
    assert found is not None
    assert (found.action, "has not ended" in found.why) == ("hold", True)


def test_why_is_said_in_words_and_not_by_a_finding_s_name() -> None:
    found = advice("release.command", "release-expired", status="expired")
    assert found is not None
    assert found.why == "v3 serves on; what made it take too long may be gone by now"
