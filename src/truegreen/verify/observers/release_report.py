"""``release.report``: what the release command said of itself, in its report trailer."""

from __future__ import annotations

from truegreen.heroku.models import Release
from truegreen.model import clusters, digest_of, short
from truegreen.release.trailer import Phase, Report, as_json
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World

EXPECTED = "every phase passed"


def observe(world: World) -> Answer:
    target = world.target()
    if target is None:
        return unknown("the platform has no release of this commit", EXPECTED, "releases")
    if target.slug_id and "release" not in world.slug(target.slug_id).process_types:
        return passed(
            "there is no release command",
            EXPECTED,
            f"slug {target.slug_id}",
            digest=world.slug(target.slug_id).raw_digest,
        )
    source = f"output stream of v{target.version}"
    text = world.output()
    report = world.report()
    if report is None:
        seen = "no output" if not text else "output without a report trailer"
        return unknown(seen, EXPECTED, source, digest=digest_of((text or "").encode()))
    more = {"digest": digest_of((text or "").encode()), "detail": {"report": as_json(report)}}
    foreign = _foreign(report, target, world.commit_of(target))
    if foreign:
        return unknown(foreign, EXPECTED, source, **more)
    broken = [phase for phase in report.phases if phase.status != "pass"]
    if broken:
        return failed(_told(broken[0]), EXPECTED, source, **more)
    if not report.complete:
        return unknown("the report ends before the last phase", EXPECTED, source, **more)
    if report.exit != 0:
        return failed(f"exit {report.exit}", EXPECTED, source, **more)
    if (smoke := next((one for one in report.phases if one.name == "smoke"), None)) is not None:
        if bad := (smoke.failed or 0) + (smoke.errors or 0):
            told = f"smoke counts as passed, and {bad} of {smoke.total} failed"
            return failed(told, EXPECTED, source, **more)
        if smoke.passed == 0:
            return unknown("smoke passed no test", EXPECTED, source, **more)
    if not report.phases:
        return unknown("the report has no phase: nothing was asked", EXPECTED, source, **more)
    return passed(", ".join(_told(phase) for phase in report.phases), EXPECTED, source, **more)


def _foreign(report: Report, target: Release, commit: str | None) -> str:
    if report.release and report.release != f"v{target.version}":
        return f"the report is of {report.release}"
    if report.commit and commit and report.commit != commit:
        return f"the report is of commit {short(report.commit)}"
    return ""


def _told(phase: Phase) -> str:
    if phase.name == "smoke" and phase.total is not None:
        bad = (phase.failed or 0) + (phase.errors or 0)
        if phase.status == "pass":
            return f"smoke {phase.passed} of {phase.total} passed"
        if bad:
            reason = common_reason(phase)
            return f"smoke {bad} of {phase.total} failed" + (f" with {reason}" if reason else "")
    if phase.name == "migrate" and phase.status == "pass":
        return f"migrate {phase.from_revision or 'nothing'} to {phase.to_revision or 'nothing'}"
    problem = f": {phase.problems[0]}" if phase.problems else ""
    return f"{phase.name} {'passed' if phase.status == 'pass' else 'failed'}{problem}"


def common_reason(phase: Phase) -> str:
    """What all failures have in common, ``403 direct_origin_blocked``; "" when they differ."""
    groups = clusters(phase.failures)
    return groups[0].signature if len(groups) == 1 else ""
