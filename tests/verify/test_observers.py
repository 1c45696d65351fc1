"""Each check: what makes it pass, fail, or stay unknown. One fact is broken at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from truegreen.config import FlagDeclaration, Flags
from truegreen.heroku.models import FormationEntry, Release
from truegreen.model import CHECKS, Status, Verdict
from truegreen.release.report import Failure, Leak
from truegreen.verify.probe import HttpAnswer

from .scene import (
    MIGRATE,
    NEW,
    OLD,
    PREFLIGHT,
    SMOKE,
    Scene,
    blocked,
    build,
    dyno,
    healthy,
    release,
    report,
)

EDGE = "http://e.localhost:2/health"


def test_an_app_that_is_as_it_should_be_is_green_with_every_check_asked(scene: Scene) -> None:
    verification = scene.verify()
    by_name = {e.check: e for e in verification.situation.evidence}
    assert {name: str(e.status) for name, e in by_name.items()} == {
        check.name: "pass" for check in CHECKS if check.asked
    }
    assert verification.verdict is Verdict.GREEN
    assert verification.findings == ()
    assert all(e.observed and e.expected and e.source and e.digest for e in by_name.values())


def test_a_healthy_verify_asks_each_fact_once_and_stays_in_its_budget(scene: Scene) -> None:
    scene.verify()
    assert len(scene.asked) == len(set(scene.asked))
    assert len(scene.asked) <= 12


def smoke_failed(scene: Scene) -> None:
    message = "assert 403 == 404"
    failures = tuple(
        Failure(f"t::{n}", message, '{"error": "direct_origin_blocked"}') for n in range(14)
    )
    smoke = SMOKE._replace(
        status="fail",
        passed=0,
        failed=14,
        sealed=False,
        failures=failures,
        leaks=(Leak("FLAG_A", "raptor/settings.py", 7, True, 14),),
    )
    scene.output = report(PREFLIGHT, MIGRATE, smoke, exit_code=13)


def set_(field: str, value: object) -> Callable[[Scene], None]:
    return lambda scene: setattr(scene, field, value)


def edge(answer: HttpAnswer) -> Callable[[Scene], None]:
    return set_("edge", lambda nth: answer)


def origin(*answers: HttpAnswer) -> Callable[[Scene], None]:
    return set_("origin", lambda headers: answers["CF-Connecting-IP" in headers])


def page(status: int, body: bytes = b"", **headers: str) -> HttpAnswer:
    return HttpAnswer(EDGE, status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


def opened() -> HttpAnswer:
    return HttpAnswer("http://o.localhost:1/health", 200, {}, b"{}")


BROKEN = [
    ("build.succeeded", "fail", set_("builds", [build(3, NEW, "failed")]), "failed"),
    ("build.succeeded", "unknown", set_("builds", [build(3, NEW, "pending")]), "pending"),
    ("build.succeeded", "unknown", lambda s: s.away.add("builds"), "no answer"),
    ("release.command", "fail", set_("releases", [release(3, 3, status="failed")]), "v3 failed"),
    ("release.command", "fail", set_("releases", [release(3, 3, status="expired")]), "expired"),
    ("release.command", "unknown", set_("releases", [release(3, 3, status="pending")]), "pending"),
    ("release.command", "unknown", set_("releases", [release(2, 2, current=True)]), "no release"),
    (
        "release.current",
        "fail",
        set_("releases", [release(4, 2, current=True), release(3, 3)]),
        "v4 is current",
    ),
    ("release.current", "fail", set_("releases", [release(3, 3)]), "no release is current"),
    ("release.report", "fail", smoke_failed, "smoke 14 of 14 failed with 403 direct_origin"),
    ("release.report", "unknown", set_("output", ""), "no output"),
    ("release.report", "unknown", set_("output", "done\n"), "without a report"),
    ("release.report", "unknown", set_("output", report(PREFLIGHT, complete=False)), "ends before"),
    ("release.report", "unknown", set_("output", report(PREFLIGHT, name="v2")), "is of v2"),
    ("release.report", "fail", set_("output", report(PREFLIGHT, exit_code=9)), "exit 9"),
    ("release.report", "unknown", lambda s: s.away.add("stream"), "no answer"),
    ("release.report", "unknown", set_("output", report()), "no phase"),
    ("release.report", "unknown", set_("slugs", {"slug-3": OLD}), "is of commit bbbbbbbb"),
    (
        "health.origin_blocked",
        "unknown",
        lambda s: setattr(s, "origin", lambda headers: page(403, cf_mitigated="challenge")),
        "challenge page",
    ),
    ("code.slug", "fail", set_("slugs", {"slug-3": OLD}), OLD[:8]),
    ("code.slug", "unknown", set_("slugs", {"slug-3": None}), "names no commit"),
    ("code.dynos", "fail", set_("dynos", []), "web: 0 of 1"),
    ("code.dynos", "fail", set_("dynos", [dyno(state="crashed")]), "web.1 is crashed"),
    ("code.dynos", "fail", set_("dynos", [dyno(state="down")]), "web.1 is down"),
    ("code.dynos", "fail", set_("dynos", [dyno(version=2)]), "web.1 is on v2"),
    ("code.dynos", "fail", set_("dynos", [dyno(), dyno("worker.1", version=2)]), "worker.1 is on"),
    ("code.dynos", "unknown", set_("dynos", [dyno(state="starting")]), "starting"),
    ("code.dynos", "fail", set_("formation", []), "wants no dynos"),
    ("code.dynos", "fail", set_("formation", [FormationEntry("web", 2, "b", "c", "d")]), "1 of 2"),
    ("code.dynos", "fail", set_("dynos", [dyno("run.1")]), "web: 0 of 1"),
    ("code.served", "fail", edge(healthy(OLD)), f"the app says {OLD[:8]}"),
    ("code.served", "unknown", edge(page(200, b"<h1>hello</h1>")), "does not say"),
    ("code.served", "unknown", edge(page(503)), "503"),
    ("health.edge", "fail", edge(page(503)), "503"),
    ("health.edge", "fail", edge(page(404)), "404"),
    ("health.edge", "unknown", edge(HttpAnswer(EDGE, 0, error="no connection")), "no connection"),
    ("health.edge", "unknown", edge(page(403, cf_mitigated="challenge")), "challenge page"),
    ("health.edge", "unknown", edge(page(200, b"<title>Just a moment...</title>")), "challenge"),
    (
        "health.edge",
        "unknown",
        edge(page(302, location="https://team.cloudflareaccess.com/cdn-cgi/access/login")),
        "login",
    ),
    ("health.origin_blocked", "fail", origin(opened(), opened()), "plain: 200"),
    ("health.origin_blocked", "fail", origin(blocked(), opened()), "forged CF-Connecting-IP: 200"),
    (
        "health.origin_blocked",
        "fail",
        set_("origin", lambda sent: opened() if "X-Origin-Secret" in sent else blocked()),
        "forged secret: 200",
    ),
    ("health.origin_blocked", "fail", origin(page(404), page(404)), "404"),
    ("health.origin_blocked", "unknown", origin(page(503), page(503)), "503"),
    ("health.origin_blocked", "unknown", origin(blocked(), page(503)), "503"),
    ("schema.head", "fail", edge(healthy(current="0045")), "0045, behind of the code"),
    ("schema.head", "fail", edge(healthy(heads=["0044"])), "0046, ahead of the code"),
    ("schema.head", "fail", edge(healthy(heads=["0046", "0047"])), "2 heads"),
    ("schema.head", "fail", edge(healthy(current=None)), "no revision"),
    ("schema.head", "fail", edge(healthy(current="ffff", heads=["eeee"])), "ffff, not eeee"),
    ("schema.head", "unknown", edge(healthy(heads=[])), "no head is known"),
    (
        "flags.config",
        "fail",
        lambda s: s.variables.update(FLAG_A="maybe"),
        "FLAG_A: 'maybe' is not a boolean",
    ),
    ("flags.config", "fail", lambda s: s.variables.update(FLAG_B="1"), "FLAG_B"),
    ("flags.config", "fail", lambda s: s.variables.pop("DATABASE_URL"), "DATABASE_URL is not set"),
    ("flags.config", "unknown", lambda s: s.away.add("config"), "no answer"),
]


@pytest.mark.parametrize(
    ("check", "status", "breaks", "says"), BROKEN, ids=[f"{b[0]}-{b[1]}-{b[3]}" for b in BROKEN]
)
def test_what_is_broken_is_named(
    scene: Scene, check: str, status: str, breaks: Callable[[Scene], None], says: str
) -> None:
    breaks(scene)
    verification = scene.verify()
    found = verification.situation.of(check)
    assert found is not None
    assert (str(found.status), says in found.observed) == (status, True), found
    assert verification.verdict is not Verdict.GREEN
    if status == "fail":
        assert verification.verdict is Verdict.RED
    assert verification.sentence.endswith(".")


def test_no_release_command_is_evidence_of_its_own(scene: Scene) -> None:
    scene.process_types = {"web": "w"}
    scene.output = ""
    found = scene.verify().situation.of("release.report")
    assert found is not None
    assert (found.status, found.observed) == (Status.PASS, "there is no release command")


def test_without_health_detail_the_report_says_where_the_schema_is(scene: Scene) -> None:
    scene.edge = lambda nth: HttpAnswer(EDGE, 200, {}, json.dumps({"commit": NEW}).encode())
    found = scene.verify().situation.of("schema.head")
    assert found is not None
    assert (found.status, found.observed) == (Status.PASS, "0046")
    assert found.source == "report of v3"


def test_without_any_of_the_two_the_schema_is_unknown(scene: Scene) -> None:
    scene.edge = lambda nth: HttpAnswer(EDGE, 200, {}, json.dumps({"commit": NEW}).encode())
    scene.output = report(PREFLIGHT)
    found = scene.verify().situation.of("schema.head")
    assert found is not None
    assert found.status is Status.UNKNOWN


def test_a_platform_that_is_away_is_asked_once_and_leaves_everything_unknown(scene: Scene) -> None:
    scene.away = {"all"}
    verification = scene.verify()
    assert {e.status for e in verification.situation.evidence} == {Status.UNKNOWN}
    assert verification.verdict is Verdict.UNVERIFIED
    assert scene.asked == ["app"]
    assert [finding.name for finding in verification.findings] == ["platform-unknown"]


def test_old_code_that_leaves_in_time_does_not_count(scene: Scene) -> None:
    scene.change(settle=60.0)
    scene.edge = lambda nth: healthy(OLD if nth in (0, 1, 3) else NEW)
    found = scene.verify().situation.of("code.served")
    assert found is not None
    assert (found.status, found.detail["commits"]) == (Status.PASS, [NEW] * 3)


def test_old_code_between_the_answers_counts_when_there_is_no_time_left(scene: Scene) -> None:
    scene.edge = lambda nth: healthy(OLD if nth == 2 else NEW)
    found = scene.verify().situation.of("code.served")
    assert found is not None
    assert found.status is Status.FAIL


def test_no_secret_of_the_config_vars_is_in_the_evidence(scene: Scene) -> None:
    scene.variables["FLAG_A"] = "maybe"
    assert "postgres://secret" not in repr(scene.verify())


def test_an_observer_that_breaks_is_unknown_and_says_so(scene: Scene) -> None:
    def explode(nth: int) -> HttpAnswer:
        raise ZeroDivisionError("by zero")

    scene.edge = explode
    verification = scene.verify()
    found = verification.situation.of("health.edge")
    assert found is not None
    assert found.status is Status.UNKNOWN
    assert "ZeroDivisionError" in found.observed
    assert verification.verdict is not Verdict.GREEN


def test_while_the_release_command_runs_nobody_expects_its_code_anywhere(scene: Scene) -> None:
    scene.releases = [release(3, 3, status="pending"), release(2, 2, current=True)]
    scene.dynos = [dyno(version=2)]
    scene.edge = lambda nth: healthy(OLD)
    verification = scene.verify()
    found = {e.check: str(e.status) for e in verification.situation.evidence}
    for name in ("release.command", "release.current", "code.dynos", "code.served"):
        assert found[name] == "unknown", name
    assert found["health.edge"] == "pass"
    assert verification.verdict is Verdict.UNVERIFIED
    assert "v3 (bbbbbbbb) is still pending" in verification.sentence


def test_a_first_release_that_is_pending_leaves_the_edge_unknown(scene: Scene) -> None:
    scene.releases = [release(3, 3, status="pending"), release(1, None, current=True)]
    scene.dynos = []
    scene.edge = lambda nth: page(503)
    verification = scene.verify()
    assert verification.verdict is Verdict.UNVERIFIED
    assert verification.sentence.startswith("raxx-api-prod serves no slug yet; v3")


def test_neither_a_secret_flag_nor_an_undeclared_variable_is_shown(scene: Scene) -> None:
    declared = {
        "FLAG_A": FlagDeclaration("FLAG_A"),
        "FLAG_DSN": FlagDeclaration("FLAG_DSN", type="str", default="", secret=True),
    }
    scene.change(flags=Flags(declared=declared))
    scene.variables.update(FLAG_DSN="hush-hush", FLAG_B="hush-hush-hush")
    found = next(e for e in scene.verify().situation.evidence if e.check == "flags.config")
    assert found.status is Status.FAIL
    assert "FLAG_B: begins with FLAG_ and is not declared" in found.observed
    assert "hush" not in repr(found)
    del scene.variables["FLAG_B"]
    found = next(e for e in scene.verify().situation.evidence if e.check == "flags.config")
    assert (found.status, found.observed) == (Status.PASS, "FLAG_A=1, FLAG_DSN=[redacted]")


def test_logs_are_read_only_when_something_at_the_dynos_is_to_be_explained(scene: Scene) -> None:
    scene.verify()
    assert "log" not in scene.asked
    scene.dynos = [dyno(state="crashed")]
    scene.log = "heroku[web.1]: Error R10 (Boot timeout) -> Web process failed to bind to $PORT"
    found = {finding.name: finding for finding in scene.verify().findings}
    assert found["port-not-bound"].quotes[0].source == "log of raxx-api-prod"
    assert found["dynos-not-up"].kind == "state"


def test_a_quoted_line_of_the_release_output_carries_no_config_value(scene: Scene) -> None:
    scene.variables["DATABASE_URL"] = "postgres://raptor:s3cret@db.example.com/x"
    scene.releases[0] = release(3, 3, status="failed")
    scene.output = (
        'could not translate host name "postgres://raptor:s3cret@db.example.com/x" to address'
    )
    found = {finding.name: finding for finding in scene.verify().findings}
    quoted = found["database-unreachable"].quotes[0].text
    assert "s3cret" not in quoted
    assert "[DATABASE_URL]" in quoted


def container(number: int, *, current: bool = False, status: str = "succeeded") -> Release:
    return replace(release(number, None, current=current, status=status), image=True)


def test_a_container_release_is_known_by_what_the_app_says(scene: Scene) -> None:
    scene.releases = [container(3, current=True), release(2, 2), release(1, None)]
    scene.change(after=2)
    verification = scene.verify()
    assert verification.verdict is Verdict.GREEN, verification.sentence
    assert "code.slug" not in verification.situation.required
    scene.edge = lambda nth: healthy(OLD)
    assert scene.verify().verdict is Verdict.RED
    scene.edge = lambda nth: HttpAnswer("http://e.localhost:2/health", 200, {}, b"{}")
    scene.change(required=tuple(n for n in scene.question.required if n != "code.served"))
    assert scene.verify().verdict is Verdict.UNVERIFIED, "nobody says which code runs"


def test_the_release_of_a_container_deploy_is_the_first_after_it_and_not_the_newest(
    scene: Scene,
) -> None:
    scene.releases = [
        container(5, current=True),
        container(4, status="failed"),
        release(3, None),  # a config change before the deploy's own
        release(2, 2),
    ]
    scene.change(after=2)
    verification = scene.verify()
    assert verification.situation.release is not None
    assert verification.situation.release.version == 4
    assert verification.verdict is Verdict.RED


def test_a_container_release_still_pending_when_its_output_has_ended_is_unverified(
    scene: Scene,
) -> None:
    scene.releases = [container(3, status="pending"), release(2, 2, current=True)]
    scene.change(after=2)
    verification = scene.verify()
    assert verification.verdict is Verdict.UNVERIFIED
    assert "is still pending: its release command has not ended" in verification.sentence


def test_a_promoted_slug_is_found_by_its_commit_though_no_build_here_made_it(
    scene: Scene,
) -> None:
    scene.builds = []
    verification = scene.verify()
    assert verification.verdict is Verdict.GREEN, verification.sentence
    found = verification.situation.of("build.succeeded")
    assert found is not None
    assert found.observed.startswith("promoted")
    scene.slugs = {"slug-3": OLD, "slug-2": OLD}
    assert scene.verify().verdict is Verdict.UNVERIFIED
