"""Does a run of the drill show what the drill demands? Pure functions over ship's document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SMOKE_TESTS = 14
FLAG = "FLAG_ENFORCE_CF_ORIGIN"
REASON = "403 direct_origin_blocked"


def control_problems(document: Mapping[str, Any], that_day: Mapping[str, Any]) -> tuple[str, ...]:
    """A control without the fault has to be green, and the workflow of that day agrees."""
    problems: list[str] = []
    if document["verdict"] != "green":
        problems.append(f"the control is {document['verdict']}: {document['sentence']}")
    smoke = phase_of(document, "smoke")
    if smoke is None or smoke.get("passed") != SMOKE_TESTS:
        seen = "no smoke phase" if smoke is None else f"{smoke.get('passed')} passed"
        problems.append(f"the control's smoke suite: {seen}, wanted {SMOKE_TESTS} passed")
    if smoke is not None and smoke.get("sealed") is not True:
        problems.append("the control's smoke suite was not sealed")
    if that_day["conclusion"] != "success":
        problems.append(f"the workflow of that day says {that_day['conclusion']} of the control")
    return tuple(problems)


def fault_problems(
    document: Mapping[str, Any], that_day: Mapping[str, Any], *, world: str, before: int
) -> tuple[str, ...]:
    """The fault has to be red, by the named checks, for the named reason, in the right world.

    ``before`` is the version that served before the fault was shipped.
    """
    problems: list[str] = []
    if that_day["conclusion"] != "success":
        problems.append(
            f"the workflow of that day says {that_day['conclusion']}: it was fooled then, "
            "so this is not that day"
        )
    if document["verdict"] != "red":
        problems.append(f"the verdict is {document['verdict']}, not red")
    for name in ("release.command", "release.report"):
        status = check_of(document, name).get("status")
        if status != "fail":
            problems.append(f"{name} says {status}, not fail")
    problems += _smoke(document)
    problems += _schema_and_serving(document, world, before)
    return tuple(problems)


def _smoke(document: Mapping[str, Any]) -> list[str]:
    smoke = phase_of(document, "smoke")
    if smoke is None:
        return ["the report has no smoke phase"]
    problems: list[str] = []
    if (smoke.get("failed"), smoke.get("total")) != (SMOKE_TESTS, SMOKE_TESTS):
        told = f"{smoke.get('failed')} of {smoke.get('total')}"
        problems.append(f"smoke: {told} failed, wanted {SMOKE_TESTS} of {SMOKE_TESTS}")
    if REASON not in str(check_of(document, "release.report").get("observed")):
        problems.append(f"release.report does not name {REASON}")
    leak = leak_of(document)
    if leak is None:
        problems.append(f"no leak of {FLAG} is named")
    elif not (leak.get("present") and leak.get("file") and leak.get("line")):
        problems.append(f"the leak of {FLAG} lacks its file, its line or its presence")
    return problems


def _schema_and_serving(document: Mapping[str, Any], world: str, before: int) -> list[str]:
    problems: list[str] = []
    names = {finding["name"] for finding in document["diagnosis"]}
    serving = document["serving"]["version"]
    ahead = "schema-ahead-of-code" in names
    relation = (document["schema"] or {}).get("relation")
    if world == "hold":
        if serving != before:
            problems.append(f"v{serving} serves, and the old code (v{before}) should")
        if not ahead or relation != "ahead":
            problems.append(f"the schema is ahead of the code, and is said to be {relation}")
    else:
        version = (document["release"] or {}).get("version")
        if serving != version or "failed-release-serves" not in names:
            problems.append(f"the failed release v{version} serves, and v{serving} is named")
        if ahead or relation != "at head":
            problems.append(f"the schema is at the code's head, and is said to be {relation}")
    return problems


def check_of(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The check called ``name``, or an empty mapping."""
    for check in document["checks"]:
        if check["name"] == name:
            found: Mapping[str, Any] = check
            return found
    return {}


def phase_of(document: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A phase of the release command's own report, or None."""
    report = check_of(document, "release.report").get("detail", {}).get("report", {})
    for phase in report.get("phases", ()):
        if phase["name"] == name:
            found: Mapping[str, Any] = phase
            return found
    return None


def leak_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The leak of the guard's flag, as the release command's report names it, or None."""
    smoke = phase_of(document, "smoke") or {}
    return next((leak for leak in smoke.get("leaks", ()) if leak["variable"] == FLAG), None)
