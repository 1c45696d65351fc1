"""The matrix says of each attack which checks refuse it: so it is, for every set of checks."""

from __future__ import annotations

from itertools import chain, combinations
from typing import Any

import pytest

from truegreen.embedded.router import forwarded_for
from truegreen.guard import DIRECT, HEROKU, HEROKU_LEGACY, GuardPolicy, Profile, Ranges
from truegreen.guard.asgi import OriginGuard as AsgiGuard
from truegreen.guard.attacks import (
    ATTACKER,
    Attack,
    Router,
    arriving,
    matrix,
    must_be_refused,
)
from truegreen.guard.selftest.inprocess import AsgiDriver, WsgiDriver
from truegreen.guard.selftest.run import run_in_process
from truegreen.guard.wsgi import OriginGuard
from truegreen.secret import Secret

SECRET = "Correct-horse-7"
EXEMPT = "/health"
ATTACKS = matrix(secret=SECRET, exempt=[EXEMPT])
RANGES = Ranges(["173.245.48.0/20", "2606:4700::/32"])
NAMES = ("secret", "ranges", "worker", "presence_unsafe")
CHECKS = list(chain.from_iterable(combinations(NAMES, n) for n in range(1, len(NAMES) + 1)))
ROUTERS: list[tuple[Profile, Router]] = [
    (HEROKU, "2.0"),
    (HEROKU_LEGACY, "legacy"),
    (DIRECT, "none"),
]


def policy(checks: tuple[str, ...], profile: Profile) -> GuardPolicy:
    return GuardPolicy(
        "enforce",
        [Secret(SECRET)],
        exempt={EXEMPT},
        checks=checks,
        ranges=RANGES if "ranges" in checks else None,
        profile=profile,
        workers={"ours.example"} if "worker" in checks else None,
    )


def wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"in"]


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise ValueError("no lifespan here")
    if scope["type"] == "websocket":
        return await send({"type": "websocket.accept"})
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"in"})


def expected(checks: tuple[str, ...], *, credulous: bool = False) -> set[str]:
    return {
        attack.name
        for attack in ATTACKS
        if not must_be_refused(attack, checks, credulous=credulous)
        and (credulous or attack.server != "credulous")
    }


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("profile", "router"), ROUTERS, ids=["heroku", "legacy", "direct"])
@pytest.mark.parametrize("checks", CHECKS, ids="+".join)
def test_exactly_what_no_check_catches_gets_in(
    checks: tuple[str, ...], profile: Profile, router: Router
) -> None:
    ours: dict[str, Any] = {"secret": SECRET, "header": "X-Origin-Secret", "path": "/"}
    ours["routers"] = [router]
    with AsgiDriver(AsgiGuard(asgi_app, policy(checks, profile))) as driver:
        result = run_in_process(driver, ATTACKS, websocket=True, **ours)
    assert {one.name for one in result.through} == expected(checks)
    assert [one.verdict for one in result.controls] == ["through"]
    if profile is HEROKU_LEGACY and "ranges" in checks and "secret" not in checks:
        return  # refused at start in WSGI: test_ranges_alone_in_wsgi… in conformance/
    wsgi = WsgiDriver(OriginGuard(wsgi_app, policy(checks, profile)))
    result = run_in_process(wsgi, ATTACKS, **ours)
    assert {one.name for one in result.through} == expected(checks)
    assert [one.verdict for one in result.controls] == ["through"]


@pytest.mark.parametrize("checks", CHECKS, ids="+".join)
def test_under_a_credulous_server_an_address_can_be_forged_and_nothing_else(
    checks: tuple[str, ...],
) -> None:
    """One that takes ``X_Forwarded_For`` for ``X-Forwarded-For``, and SCRIPT_NAME of a header."""
    wsgi = WsgiDriver(OriginGuard(wsgi_app, policy(checks, HEROKU)))
    ours: dict[str, Any] = {"secret": SECRET, "header": "X-Origin-Secret", "path": "/"}
    for router in ("2.0", "none"):
        result = run_in_process(wsgi, ATTACKS, routers=[router], credulous=True, **ours)
        sent = {one.name: one.verdict for one in result.attacks if "credulous" in one.via}
        assert set(sent) == {"xff_underscored", "exempt_cut_off/health"}
        through = {name for name, verdict in sent.items() if verdict == "through"}
        assert through == expected(checks, credulous=True) & set(sent)
        assert ("xff_underscored" in through) == (not {"secret"} & set(checks))


def test_the_secret_catches_everything_and_nothing_else_does() -> None:
    assert expected(("secret",)) == set()
    assert {"own_zone", "own_zone_rule"} <= expected(("ranges", "worker", "presence_unsafe"))
    assert "forged_cf_connecting_ip" in expected(("presence_unsafe",))
    assert "plain" not in expected(("presence_unsafe",))


def test_names_are_unique_and_every_attack_is_aimed() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) > 80
    assert all(attack.target.startswith(b"/") for attack in ATTACKS)


@pytest.mark.parametrize("version", ["2.0", "legacy"])
@pytest.mark.parametrize("attack", ATTACKS[:26], ids=lambda one: one.name)
def test_the_routers_are_the_embedded_platforms_routers(attack: Attack, version: Router) -> None:
    assert version != "none"
    ours = arriving(attack.headers, ATTACKER, version)
    assert sorted(ours) == sorted(forwarded_for(list(attack.headers), ATTACKER, version))


@pytest.mark.parametrize("secret", ["7", "1111", "abba", "clé", "with space", '"quoted"'])
def test_no_near_miss_is_the_secret_itself(secret: str) -> None:
    right = (b"X-Origin-Secret", secret.encode("latin-1"))
    for attack in matrix(secret=secret):
        lines = [pair for pair in attack.headers if pair[0].lower() == b"x-origin-secret"]
        assert lines != [right], attack
