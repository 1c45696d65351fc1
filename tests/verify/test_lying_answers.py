"""Answers that would be green if they were believed as they stand: each was, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from truegreen.config.load import parse_config
from truegreen.errors import UsageError
from truegreen.heroku.localhost import client as http_client
from truegreen.heroku.models import FormationEntry, Release
from truegreen.model import Status, Verdict
from truegreen.ship.verification import ask, question_for
from truegreen.verify.probe import HttpAnswer, Prober

from .scene import (
    MIGRATE,
    NEW,
    OLD,
    PREFLIGHT,
    SMOKE,
    FakePlatform,
    Scene,
    dyno,
    healthy,
    release,
    report,
)
from .test_ask import Means


def said(body: bytes, status: int = 200, **headers: str) -> HttpAnswer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer("http://e.localhost:2/health", status, named, body)


def found(scene: Scene, check: str) -> tuple[Verdict, Status, str]:
    verification = scene.verify()
    evidence = verification.situation.of(check)
    assert evidence is not None
    return verification.verdict, evidence.status, evidence.observed


def test_one_dyno_that_is_listed_twice_is_one(scene: Scene) -> None:
    scene.formation = [FormationEntry("web", 2, "basic", "serve", "f")]
    scene.dynos = [dyno(), dyno()]
    assert found(scene, "code.dynos") == (Verdict.RED, Status.FAIL, "web: 1 of 2")


def test_a_process_type_that_is_listed_twice_wants_the_more(scene: Scene) -> None:
    scene.formation = [FormationEntry("web", count, "basic", "serve", "f") for count in (2, 1)]
    assert found(scene, "code.dynos") == (Verdict.RED, Status.FAIL, "web: 1 of 2")


def test_two_current_releases_are_none(scene: Scene) -> None:
    scene.releases = [release(3, 3, current=True), release(2, 2, current=True)]
    verdict, status, observed = found(scene, "release.current")
    assert (verdict, status) == (Verdict.UNVERIFIED, Status.UNKNOWN)
    assert observed == "the platform calls several releases current: v3, v2"


def test_the_right_code_on_an_older_release_is_not_the_release(scene: Scene) -> None:
    """A dyno that preboot keeps, or that nobody restarted: same slug, config vars of before."""
    old = said(json.dumps({"status": "ok", "commit": NEW, "release": "v2"}).encode())
    scene.edge = lambda nth: old
    verdict, status, observed = found(scene, "code.served")
    assert (verdict, status) == (Verdict.UNVERIFIED, Status.UNKNOWN)
    assert observed == "the app says that it runs as v2, not v3"


@pytest.mark.parametrize("told", ["v3", "2026.11", "v2.0.1", None, 2])
def test_a_release_that_is_ours_or_no_number_of_the_platforms_is_left_alone(
    scene: Scene, told: object
) -> None:
    scene.edge = lambda nth: said(
        json.dumps(
            {"commit": NEW, "release": told, "schema": {"current": "0046", "heads": ["0046"]}}
        ).encode()
    )
    assert scene.verify().verdict is Verdict.GREEN


def test_a_dyno_of_the_release_before_is_waited_for(scene: Scene) -> None:
    scene.change(settle=50.0)
    before = json.dumps({"commit": NEW, "release": "v2"}).encode()
    scene.edge = lambda nth: said(before) if nth < 5 else healthy()
    assert scene.verify().verdict is Verdict.GREEN


def test_a_body_that_names_two_commits_names_none(scene: Scene) -> None:
    scene.edge = lambda nth: said(f'{{"commit": "{OLD}", "commit": "{NEW}"}}'.encode())
    verdict, status, observed = found(scene, "code.served")
    assert (verdict, status) == (Verdict.UNVERIFIED, Status.UNKNOWN)
    assert observed == "the app does not say which commit it is"


def test_the_beginning_of_a_commit_is_neither_it_nor_other_code(scene: Scene) -> None:
    scene.edge = lambda nth: said(json.dumps({"commit": NEW[:7]}).encode())
    verdict, status, observed = found(scene, "code.served")
    assert (verdict, status) == (Verdict.UNVERIFIED, Status.UNKNOWN)
    assert observed == "the app says only bbbbbbb, with which other commits may begin too"
    scene.edge = lambda nth: said(json.dumps({"commit": OLD[:7]}).encode())
    assert found(scene, "code.served")[1] is Status.FAIL


def test_a_commit_in_capitals_is_the_same_commit(scene: Scene) -> None:
    scene.change(commit=NEW.upper())
    capitals = {"commit": NEW.upper(), "schema": {"current": "0046", "heads": ["0046"]}}
    scene.edge = lambda nth: said(json.dumps(capitals).encode())
    assert scene.verify().verdict is Verdict.GREEN


@pytest.mark.parametrize("word", ["error", "fail", "DOWN", "unhealthy"])
def test_a_200_whose_body_says_that_it_fails_is_no_pass(scene: Scene, word: str) -> None:
    scene.edge = lambda nth: said(json.dumps({"commit": NEW, "status": word}).encode())
    verdict, status, observed = found(scene, "health.edge")
    assert (verdict, status) == (Verdict.RED, Status.FAIL)
    assert observed == f"200, and its body says {word}"


@pytest.mark.parametrize("status", [204, 206, 301, 403, 500])
def test_no_status_but_200_is_one(scene: Scene, status: int) -> None:
    scene.edge = lambda nth: replace(healthy(), status=status)
    assert found(scene, "health.edge")[:2] == (Verdict.RED, Status.FAIL)


def test_a_redirect_says_where_to(scene: Scene) -> None:
    scene.edge = lambda nth: said(b"", 301, location="https://www.example.com/health\x1b[2J")
    observed = found(scene, "health.edge")[2]
    assert observed == "301 to https://www.example.com/health [2J"


@pytest.mark.parametrize(
    "headers",
    [{"x-cache": "HIT"}, {"x-cache": "MISS, HIT"}, {"x-cache": "Hit from cloudfront"},
     {"cache-status": 'ExampleCache; fwd=miss, "Edge"; hit; ttl=30'}],
)  # fmt: skip
def test_other_edges_name_their_caches_too(scene: Scene, headers: dict[str, str]) -> None:
    scene.edge = lambda nth: replace(healthy(), headers=headers)
    assert found(scene, "code.served")[:2] == (Verdict.UNVERIFIED, Status.UNKNOWN)


@pytest.mark.parametrize(
    "headers", [{"x-cache": "MISS"}, {"cache-status": "ExampleCache; fwd=bypass"}]
)
def test_what_other_edges_passed_on_counts(scene: Scene, headers: dict[str, str]) -> None:
    scene.edge = lambda nth: replace(healthy(), headers=headers)
    assert scene.verify().verdict is Verdict.GREEN


def test_a_schema_of_a_cache_is_not_where_the_database_is(scene: Scene) -> None:
    """The cache remembers a database at head; the release command left it behind."""
    scene.output = "Running migrations\n"
    scene.edge = lambda nth: replace(healthy(), headers={"cf-cache-status": "HIT"})
    assert found(scene, "schema.head")[1:] == (
        Status.UNKNOWN,
        "neither health nor the report says",
    )


def test_one_head_as_a_text_is_one_head(scene: Scene) -> None:
    scene.edge = lambda nth: healthy(heads="0046")
    assert found(scene, "schema.head")[1] is Status.PASS


def test_a_schema_that_says_nothing_is_no_database_without_a_revision(scene: Scene) -> None:
    scene.output = "Running migrations\n"
    scene.edge = lambda nth: said(json.dumps({"commit": NEW, "schema": {}}).encode())
    assert found(scene, "schema.head")[1] is Status.UNKNOWN


def test_a_report_whose_smoke_passed_without_a_test_is_unknown(scene: Scene) -> None:
    empty = SMOKE._replace(total=0, passed=0)
    scene.output = report(PREFLIGHT, MIGRATE, empty)
    assert found(scene, "release.report") == (
        Verdict.UNVERIFIED, Status.UNKNOWN, "smoke passed no test",
    )  # fmt: skip


def test_a_report_that_calls_failures_a_pass_is_not_believed(scene: Scene) -> None:
    scene.output = report(PREFLIGHT, MIGRATE, SMOKE._replace(passed=13, errors=1))
    assert found(scene, "release.report")[1:] == (
        Status.FAIL, "smoke counts as passed, and 1 of 14 failed",
    )  # fmt: skip


def test_another_app_is_not_asked_through_the_doors_of_the_configured_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same commit serves there: production's edge vouched for a staging that was down."""
    monkeypatch.setenv("HEALTH_TOKEN", "0123456789abcdef")
    data = {
        "service": {"name": "shop"},
        "health": {"token": "env:HEALTH_TOKEN"},
        "env": {"production": {"app": "shop-prod", "edge": "https://shop.example.com",
                               "origin": "https://o.example.com"}},
    }  # fmt: skip
    config = parse_config(data, file=tmp_path / "truegreen.toml", root=tmp_path)
    environment = config.environments["production"]
    other = question_for(config, environment, commit=NEW, app="shop-staging")
    assert (other.app, other.edge, other.origin) == ("shop-staging", "", "")
    assert other.health_token is None
    own = question_for(config, environment, commit=NEW, app="shop-prod")
    assert (own.edge, own.health_token is None) == ("https://shop.example.com", False)


@pytest.mark.parametrize("empty", [{"commit": ""}, {"commit": NEW, "app": ""}])
def test_an_empty_name_is_not_whatever_serves(tmp_path: Path, empty: dict[str, str]) -> None:
    config = parse_config({}, file=None, root=tmp_path)
    with pytest.raises(UsageError, match="empty"):
        question_for(config, config.environments["production"], **empty)  # type: ignore[arg-type]


def test_a_session_that_the_router_pins_to_one_dyno_is_not_taken_part_in() -> None:
    """Heroku's session affinity: a client that keeps the cookie would ask one dyno ten times.
    https://devcenter.heroku.com/articles/session-affinity"""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("cookie", ""))
        return httpx.Response(200, headers={"Set-Cookie": "heroku-session-affinity=web.1; path=/"})

    with http_client(transport=httpx.MockTransport(answer)) as http:
        for _ in range(3):
            Prober(http).get("https://shop.example.com/health")
    assert asked == ["", "", ""]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired"
         " (_ssl.c:1006)", ": certificate verify failed: certificate has expired"),
        ("[Errno -2] Name or service not known", ": Name or service not known"),
        ("", ""),
    ],
)  # fmt: skip
def test_why_there_is_no_connection_is_said_with_where_to(error: str, said: str) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(error)

    with http_client(transport=httpx.MockTransport(refuse)) as http:
        answer = Prober(http).get("https://user:pw@shop.example.com/health")
    assert answer.error == f"no connection to shop.example.com{said}"


def test_a_body_that_never_ends_is_no_answer() -> None:
    asked = iter(range(1000))

    def drip() -> Iterator[bytes]:
        while True:
            yield b" "

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=drip()))
    with http_client(transport=transport) as http:
        prober = Prober(http, clock=lambda: float(next(asked)))
        answer = prober.get("https://shop.example.com/health")
    assert (answer.status, answer.error) == (0, "shop.example.com gave no answer in time")


@pytest.mark.parametrize(
    ("body", "headers", "commit"),
    [
        (b"\xef\xbb\xbf" + b'{"commit": "%s"}' % NEW.encode(), {}, NEW),
        (b"\x1f\x8b not gzip", {"Content-Encoding": "gzip"}, None),
        (b'{"commit": "%s"' % NEW.encode(), {}, None),
        (b'{"commit": "%s"}' % NEW.encode() + b" " * 300_000, {}, None),
        (b"[" * 100_000, {}, None),
        (b'{"commit": NaN}', {}, None),
        (b'{"commit": %s}' % (b"9" * 5000), {}, None),
    ],
)
def test_a_commit_is_read_from_a_whole_document_or_not_at_all(
    body: bytes, headers: dict[str, str], commit: str | None
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=body))
    with http_client(transport=transport) as http:
        assert Prober(http).get("https://shop.example.com/health").commit == commit


class Restless(FakePlatform):
    """Every second look finds that another release has become current."""

    asked = 0

    def releases(self, app: str) -> list[Release]:
        self.asked += 1
        if self.asked % 2:
            return super().releases(app)
        return [release(3 + self.asked, 2, current=True), release(3, 3), release(2, 2)]


def test_a_world_that_never_holds_still_is_not_green(scene: Scene) -> None:
    means: Any = Means(scene)
    verification = ask(scene.question, Restless(scene), means=means)
    assert verification.verdict is Verdict.UNVERIFIED
    evidence = verification.situation.of("release.current")
    assert evidence is not None
    assert (evidence.status, evidence.observed) == (
        Status.UNKNOWN,
        "after none of 4 looks was it the same as before",
    )
