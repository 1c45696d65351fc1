"""The failure sentence and the diagnosis, on the situations that they are for."""

from __future__ import annotations

from datetime import UTC, datetime

from truegreen.model import (
    Evidence,
    ReleaseState,
    Schema,
    Situation,
    SmokeFailures,
    Status,
    diagnose,
    sentence,
)

NOW = datetime(2026, 6, 21, 19, 36, tzinfo=UTC)
OLD, NEW = "3c1a" + "0" * 36, "9f02" + "0" * 36
LEAK = {
    "variable": "FLAG_ENFORCE_CF_ORIGIN",
    "file": "raptor/settings.py",
    "line": 31,
    "present": True,
}
REQUIRED = ("release.command", "release.report", "schema.head")


def evidence(**statuses: str) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(name.replace("__", "."), Status(status), f"seen {status}", "wanted", "there", NOW)
        for name, status in statuses.items()
    )


def that_day(*, deployed: bool) -> Situation:
    failed = ReleaseState(154, "failed", deployed, NEW)
    old = ReleaseState(153, "succeeded", not deployed, OLD)
    heads = ("0046",) if deployed else ("0044",)
    return Situation(
        app="raxx-api-prod",
        commit=NEW,
        release=failed,
        serving=failed if deployed else old,
        served_commit=NEW if deployed else OLD,
        schema=Schema("0046", heads, "at head" if deployed else "ahead"),
        failed_phase="smoke",
        phase_reason="",
        smoke=SmokeFailures(14, 14, "403 direct_origin_blocked", (LEAK,)),
        evidence=evidence(
            release__command="fail",
            release__report="fail",
            schema__head="pass" if deployed else "fail",
        ),
        required=REQUIRED,
    )


def test_the_sentence_of_that_day_when_the_platform_holds_the_old_code() -> None:
    assert sentence(that_day(deployed=False)) == (
        "raxx-api-prod still serves v153 (3c1a0000); v154 (9f020000) failed in its release "
        "command: smoke 14 of 14 failed with 403 direct_origin_blocked; schema IS at 0046, "
        "ahead of the code that serves."
    )


def test_the_sentence_of_that_day_when_the_platform_deploys_anyway() -> None:
    assert sentence(that_day(deployed=True)) == (
        "raxx-api-prod serves v154 (9f020000), though its release command failed; it failed in "
        "its release command: smoke 14 of 14 failed with 403 direct_origin_blocked; schema at "
        "0046, the head of the code that serves."
    )


def test_a_failed_release_that_serves_is_called_so_once() -> None:
    without = that_day(deployed=True)._replace(failed_phase=None, smoke=None)
    assert sentence(without).startswith(
        "raxx-api-prod serves v154 (9f020000), though its release command failed; release.report: "
    )


def test_what_was_released_later_serves_now_and_not_still() -> None:
    later = ReleaseState(155, "succeeded", True, OLD)
    overtaken = that_day(deployed=False)._replace(serving=later)
    assert sentence(overtaken).startswith("raxx-api-prod now serves v155 (3c1a0000); v154")


def test_findings_name_the_variable_the_line_and_where_the_schema_is() -> None:
    held = {finding.name: finding for finding in diagnose(that_day(deployed=False))}
    assert set(held) == {
        "smoke-inherited-environment",
        "release-command-failed",
        "schema-ahead-of-code",
    }
    assert "FLAG_ENFORCE_CF_ORIGIN read at raptor/settings.py:31" in (
        held["smoke-inherited-environment"].sentence
    )
    deployed = {finding.name for finding in diagnose(that_day(deployed=True))}
    assert "failed-release-serves" in deployed
    assert "schema-ahead-of-code" not in deployed


def test_green_counts_the_checks_that_passed() -> None:
    situation = Situation(
        app="a-b",
        commit=NEW,
        release=ReleaseState(2, "succeeded", True, NEW),
        serving=ReleaseState(2, "succeeded", True, NEW),
        served_commit=NEW,
        schema=Schema("0046", ("0046",), "at head"),
        failed_phase=None,
        phase_reason="",
        smoke=None,
        required=REQUIRED,
        evidence=evidence(release__command="pass", release__report="pass", schema__head="pass"),
    )
    assert sentence(situation) == (
        "a-b serves v2 (9f020000): 3 of 3 required checks pass; schema at 0046."
    )
    assert diagnose(situation) == ()


def test_a_schema_that_is_elsewhere_is_said_with_the_head_of_the_code() -> None:
    moved = that_day(deployed=False)._replace(schema=Schema("0001", ("0002",), "unknown"))
    assert sentence(moved).endswith(
        "schema at 0001, not at the head of the code that serves (0002)."
    )
    nowhere = moved._replace(schema=Schema("0001", (), "unknown"))
    assert sentence(nowhere).endswith("; schema at 0001.")


def test_a_platform_that_is_away_is_said_and_nothing_is_made_up() -> None:
    situation = Situation(
        app="a-b",
        commit=NEW,
        release=None,
        serving=None,
        served_commit=None,
        schema=None,
        failed_phase=None,
        phase_reason="",
        smoke=None,
        required=("release.command",),
        evidence=evidence(release__command="unknown"),
    )
    assert sentence(situation) == (
        "a-b: what it serves is not known; not verified: release.command: seen unknown."
    )
    assert [finding.name for finding in diagnose(situation)] == ["platform-unknown"]
