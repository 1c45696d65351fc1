"""The diagnosis names a cause where a line shows it, quotes that line, and invents none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from truegreen.model import (
    Cluster,
    Evidence,
    Finding,
    ReleaseState,
    Situation,
    SmokeFailures,
    Status,
    Text,
    diagnose,
)
from truegreen.model.shell import swallowed_part

NOW = datetime(2026, 6, 21, 19, 36, tzinfo=UTC)
CHECKS = (
    "build.succeeded",
    "release.command",
    "release.report",
    "code.slug",
    "code.dynos",
    "health.edge",
    "code.served",
)


def situation(
    *failed: str,
    output: str = "",
    log: str = "",
    build: str = "",
    status: str = "failed",
    **fields: Any,
) -> Situation:
    texts = (("build", build), ("release", output), ("log", log))
    evidence = tuple(
        Evidence(name, Status.FAIL if name in failed else Status.PASS, "seen", "wanted", "x", NOW)
        for name in CHECKS
    )
    values: dict[str, Any] = {
        "app": "raxx-api-prod",
        "commit": "9" * 40,
        "release": ReleaseState(4, status, status == "succeeded", "9" * 40),
        "serving": ReleaseState(3, "succeeded", True, "3" * 40),
        "served_commit": None,
        "schema": None,
        "failed_phase": None,
        "phase_reason": "",
        "smoke": None,
        "evidence": evidence,
        "required": CHECKS,
        "texts": tuple(Text(kind, f"{kind} text", body) for kind, body in texts if body),
    }
    return Situation(**(values | fields))


def causes(of: Situation) -> dict[str, Finding]:
    return {finding.name: finding for finding in diagnose(of) if finding.kind == "cause"}


RELEASE_LINES = {
    "alembic-multiple-heads": "alembic.util.exc.CommandError: Multiple head revisions are present "
    "for given argument 'head'; please specify a specific target revision",
    "alembic-unknown-revision": "alembic.util.exc.CommandError: Can't locate revision identified "
    "by '0046'",
    "alembic-not-at-head": "ERROR [alembic.util.messaging] Target database is not up to date.",
    "lock-timeout": "psycopg.errors.LockNotAvailable: canceling statement due to lock timeout",
    "statement-timeout": "psycopg.errors.QueryCanceled: canceling statement due to statement "
    "timeout",
    "database-unreachable": 'connection to server at "db.example.com" (10.0.0.9), port 5432 '
    "failed: Connection refused",
    "schema-object-missing": 'psycopg.errors.UndefinedTable: relation "betas" does not exist',
    "import-error": "ModuleNotFoundError: No module named 'celery'",
    "syntax-error": "SyntaxError: invalid syntax",
    "program-not-found": "/bin/bash: line 1: alembik: command not found",
    "memory-quota": "heroku[release.1]: Error R14 (Memory quota exceeded)",
    "disk-full": "OSError: [Errno 28] No space left on device",
}


@pytest.mark.parametrize("name", RELEASE_LINES)
def test_a_line_of_the_release_output_names_its_cause_and_is_quoted(name: str) -> None:
    line = RELEASE_LINES[name]
    found = causes(situation("release.command", output=f"one\ntwo\n{line}\nlast\n"))
    assert set(found) == {name}
    (quote,) = found[name].quotes
    assert (quote.source, quote.number, quote.text) == ("release text", 3, line)
    assert found[name].cites == ("release.command",)
    assert found[name].next_step


LOG_LINES = {
    "port-not-bound": "heroku[web.1]: Error R10 (Boot timeout) -> Web process failed to bind to "
    "$PORT within 60 seconds of launch",
    "memory-quota": "heroku[web.1]: Error R15 (Memory quota vastly exceeded)",
    "import-error": "app[web.1]: ImportError: cannot import name 'soft' from 'raptor.cells' "
    "(/app/raptor/cells.py)",
}


@pytest.mark.parametrize("name", LOG_LINES)
def test_a_line_of_the_app_log_names_why_dynos_are_not_up(name: str) -> None:
    found = causes(situation("code.dynos", log=LOG_LINES[name], status="succeeded"))
    assert set(found) == {name}


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("ERROR: No matching distribution found for flaskk==9.9", "flaskk==9.9"),
        ("  cause: Because flaskk was not found in the package registry and you …", "flaskk"),
        (
            "  cause: Because there is no version of flask==99.1 and you require flask==99.1, we"
            " can conclude that your requirements are unsatisfiable.",
            "flask==99.1",
        ),
        ("Because only flask<=3.1.3 is available and you require flask>=99, we", "flask>=99"),
    ],
)
def test_a_line_of_the_build_names_the_requirement_that_is_missing(line: str, package: str) -> None:
    found = causes(situation("build.succeeded", build=line))
    told = found["requirement-not-found"].sentence
    assert told == f"The package index does not have {package}."


@pytest.mark.parametrize("name", RELEASE_LINES)
def test_a_line_that_explains_a_check_which_passed_is_no_finding(name: str) -> None:
    assert causes(situation("code.slug", output=RELEASE_LINES[name])).keys() <= {
        "slug-of-other-commit"
    }


@pytest.mark.parametrize(
    "line",
    [
        "docs: what to do when the target database moves",
        "INFO revision 0046 located",
        "heads: 0046",
        "checking lock timeouts … fine",
        "no such tablet",
        "Killed",
    ],
)
def test_lines_that_only_talk_about_it_leave_the_cause_unknown(line: str) -> None:
    of = situation("release.command", output=line)
    assert causes(of) == {}
    assert "cause-unknown" in {finding.name for finding in diagnose(of)}


MISSING = """Traceback (most recent call last):
  File "/app/raptor/settings.py", line 12, in <module>
    key = os.environ["STRIPE_KEY"]
  File "<frozen os>", line 679, in __getitem__
    raise KeyError(key) from None
KeyError: 'STRIPE_KEY'
"""


def test_a_variable_that_the_environment_lacked_is_named() -> None:
    found = causes(situation("release.command", output=MISSING, config_names=frozenset({"A"})))
    assert "demands STRIPE_KEY" in found["missing-config-var"].sentence
    assert found["missing-config-var"].quotes[0].number == 6


def test_a_variable_that_was_set_since_is_said_to_be_there_now() -> None:
    of = situation("release.command", output=MISSING, config_names=frozenset({"STRIPE_KEY"}))
    assert "have it now" in causes(of)["missing-config-var"].sentence
    assert "retry" in causes(of)["missing-config-var"].next_step


def test_a_key_error_of_a_plain_dict_is_no_missing_variable() -> None:
    plain = 'File "/app/x.py", line 1, in f\n    d["STRIPE_KEY"]\nKeyError: \'STRIPE_KEY\'\n'
    assert causes(situation("release.command", output=plain)) == {}


@pytest.mark.parametrize(
    "line",
    [
        "django.core.exceptions.ImproperlyConfigured: Set the STRIPE_KEY environment variable",
        'environs.exceptions.EnvError: Environment variable "STRIPE_KEY" not set',
    ],
)
def test_libraries_that_demand_a_variable_are_understood(line: str) -> None:
    found = causes(situation("release.command", output=line))
    assert "STRIPE_KEY" in found["missing-config-var"].sentence


def test_a_guard_that_answers_in_place_of_the_routes_is_named() -> None:
    tests = tuple(f"t::{n}" for n in range(14))
    smoke = SmokeFailures(14, 14, "", (), (Cluster("403 direct_origin_blocked", tests),))
    found = causes(situation("release.report", failed_phase="smoke", smoke=smoke))
    assert "answered 14 of 14 smoke tests" in found["guard-answered-smoke"].sentence


def test_an_exit_code_that_the_shell_swallowed_is_named_with_the_failing_line() -> None:
    of = situation(
        "release.report",
        status="succeeded",
        output="Running\nalembic.util.exc.CommandError: boom\n",
        commands={"release": "alembic upgrade head; python -m smoke"},
    )
    finding = causes(of)["exit-code-swallowed"]
    assert "';'" in finding.sentence
    assert [quote.number for quote in finding.quotes] == [1, 2]


def test_a_command_that_could_swallow_is_not_blamed_without_a_failure_in_its_output() -> None:
    of = situation(
        "code.dynos",
        status="succeeded",
        output="all well",
        commands={"release": "alembic upgrade head || true"},
    )
    assert "exit-code-swallowed" not in causes(of)


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("alembic upgrade head; pytest", ";"),
        ("alembic upgrade head || true", "|| true"),
        ("alembic upgrade head || :", "|| :"),
        ("pytest | tee out", "|"),
        ("sleep 9 &", "&"),
        ("alembic upgrade head && pytest", ""),
        ("truegreen release", ""),
        ("set -e; alembic upgrade head; pytest", ""),
        ("bash -c 'alembic upgrade head; pytest'", ""),
        ("set -o pipefail && pytest | tee out", ""),
        ("pytest > out 2>&1", ""),
        ("test -f x || exit 1", ""),
        ("pytest;", ""),
        ("", ""),
    ],
)
def test_what_in_a_command_hides_an_exit_code(command: str, part: str) -> None:
    assert swallowed_part(command) == part


def test_a_slug_of_other_code_an_expired_release_and_a_pending_one_have_names() -> None:
    assert "slug-of-other-commit" in causes(situation("code.slug", status="succeeded"))
    assert "release-expired" in causes(situation("release.command", status="expired"))
    pending = diagnose(situation("release.command", status="pending"))
    assert "release-pending" in {finding.name for finding in pending}


def test_a_challenge_page_is_named_as_the_edge_s_answer() -> None:
    of = situation(status="succeeded")
    challenged = Evidence(
        "health.edge",
        Status.UNKNOWN,
        "a challenge page answered",
        "200",
        "x",
        NOW,
        detail={"interstitial": "challenge page"},
    )
    rest = tuple(item for item in of.evidence if item.check != "health.edge")
    assert "edge-challenge" in causes(of._replace(evidence=(*rest, challenged)))


def test_a_green_situation_has_no_finding_even_with_alarming_text() -> None:
    assert diagnose(situation(output=MISSING, status="succeeded")) == ()


def test_a_huge_output_and_an_endless_line_are_quoted_in_bounds() -> None:
    of = situation("release.command", output="x\n" * 50_000 + RELEASE_LINES["lock-timeout"])
    assert set(causes(of)) == {"lock-timeout"}
    of = situation("release.command", output="Multiple head revisions are present" + "y" * 10**6)
    assert len(causes(of)["alembic-multiple-heads"].quotes[0].text) <= 300


def finding(of: Situation, name: str) -> Finding:
    return next(one for one in diagnose(of) if one.name == name)


def test_a_build_that_failed_quotes_what_its_output_names() -> None:
    output = "-----> Installing\nERROR: No matching distribution found for flaskk\n"
    found = finding(situation("build.succeeded", build=output, release=None), "build-failed")
    assert found.sentence == "The build of 99999999 failed; nothing was released."
    assert [one.text for one in found.quotes] == [
        "ERROR: No matching distribution found for flaskk"
    ]


@pytest.mark.parametrize(
    ("output", "quoted"),
    [
        ("-----> Python\n !     No version\n-----> Pip\nerror: No solution\n !     No\n",
         "error: No solution"),
        ("-----> Python\n !     A warning\n-----> Pip\n !     It is full\n !     Build failed\n",
         "!     It is full"),
        ("-----> Python\n !     A warning\n-----> Discovering process types\n", None),
    ],
)  # fmt: skip
def test_of_a_build_the_line_is_quoted_that_ended_it_and_no_warning(
    output: str, quoted: str | None
) -> None:
    found = finding(situation("build.succeeded", build=output, release=None), "build-failed")
    assert [one.text for one in found.quotes] == ([] if quoted is None else [quoted])


@pytest.mark.parametrize("serves_nothing", [True, False])
def test_a_platform_that_has_nothing_did_answer(serves_nothing: bool) -> None:
    """The first release of an app: its build failed, or nobody ever shipped."""
    of = situation("build.succeeded", release=None, serving=None, serves_nothing=serves_nothing)
    unknown = {"release.command", "code.slug", "code.served"}
    of = of._replace(
        evidence=tuple(
            replace(one, status=Status.UNKNOWN) if one.check in unknown else one
            for one in of.evidence
        )
    )
    names = [one.name for one in diagnose(of)]
    assert ("platform-unknown" in names) is not serves_nothing
    never = Evidence("build.succeeded", Status.UNKNOWN, "no build", "one", "builds", NOW)
    of = of._replace(evidence=(never, *(e for e in of.evidence if e.check != never.check)))
    assert ("not-shipped" in causes(of)) is serves_nothing


@pytest.mark.parametrize(
    ("failed", "read"),
    [
        ("build.succeeded", "the build's output, which the platform keeps"),
        ("release.command", "heroku releases:output v4 --app raxx-api-prod"),
        ("code.dynos", "heroku logs --num 500 --app raxx-api-prod"),
    ],
)
def test_where_nothing_names_the_cause_a_command_says_where_to_read_on(
    failed: str, read: str
) -> None:
    assert finding(situation(failed), "cause-unknown").next_step.endswith(f"; read: {read}")


def test_a_commit_that_was_never_shipped_to_this_app_is_said() -> None:
    of = situation("code.served", release=None)
    nothing = Evidence("build.succeeded", Status.UNKNOWN, "no build", "one", "builds", NOW)
    of = of._replace(evidence=(nothing, *(e for e in of.evidence if e.check != nothing.check)))
    assert causes(of)["not-shipped"].sentence == (
        "raxx-api-prod has neither a build nor a release of 99999999."
    )
    assert "not-shipped" not in causes(situation("build.succeeded", release=None))


def test_a_release_that_somebody_s_later_one_overtook_is_said() -> None:
    of = situation("release.current", status="succeeded")
    later = ReleaseState(5, "succeeded", True, "3" * 40)
    assert causes(of._replace(serving=later))["overtaken-by-release"].sentence == (
        "v5 (33333333) was released after v4, and serves other code."
    )
    assert "overtaken-by-release" not in causes(of)
    same = ReleaseState(5, "succeeded", True, "9" * 40)
    assert "overtaken-by-release" not in causes(of._replace(serving=same))


def test_a_health_path_that_leads_elsewhere_is_said() -> None:
    of = situation(status="succeeded")
    told = Evidence("health.edge", Status.FAIL, "301 to https://x.example.com/", "200", "x", NOW,
                    detail={"status": 301})  # fmt: skip
    moved = of._replace(evidence=(told, *(e for e in of.evidence if e.check != told.check)))
    assert "301 to https://x.example.com/" in causes(moved)["health-redirected"].sentence
