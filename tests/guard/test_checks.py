"""The further checks: ranges by profile, Workers, what goes together, which client is believed."""

import asyncio

import pytest

from truegreen.guard import (
    DIRECT,
    HEROKU,
    HEROKU_LEGACY,
    GuardError,
    GuardPolicy,
    Profile,
    Ranges,
    behind,
)
from truegreen.guard.asgi import OriginGuard as AsgiGuard
from truegreen.guard.wsgi import OriginGuard
from truegreen.secret import Secret

KEY, XFF, CLIENT = "x-origin-secret", "x-forwarded-for", "cf-connecting-ip"
EDGE = Ranges(["104.16.0.0/13", "2606:4700::/32"], client_header=CLIENT)
PASSED = {KEY: "right"}


def guard(profile: Profile = HEROKU, **more: object) -> GuardPolicy:
    return GuardPolicy("enforce", [Secret("right")], ranges=EDGE, profile=profile, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("profile", "forwarded", "peer", "reason"),
    [
        (HEROKU, "203.0.113.9, 104.16.0.1", "10.0.0.1", "admitted"),
        (HEROKU, "104.16.0.1", "10.0.0.1", "admitted"),
        (HEROKU, "x,\t2606:4700::1 ", "10.0.0.1", "admitted"),
        (HEROKU, "x, ::ffff:104.16.0.1", "10.0.0.1", "admitted"),
        (HEROKU, "104.16.0.1, 203.0.113.9", "10.0.0.1", "address_outside"),
        (HEROKU, "104.16.0.1,", "10.0.0.1", "address_malformed"),
        (HEROKU, "104.16.0.1, 104.16.0.1:80", "10.0.0.1", "address_malformed"),
        (HEROKU, "104.16.0.1, \xa0104.16.0.1", "10.0.0.1", "address_malformed"),
        (HEROKU, None, "104.16.0.1", "address_missing"),
        (HEROKU, "", "104.16.0.1", "address_missing"),
        (HEROKU_LEGACY, "203.0.113.9\n104.16.0.1, 104.16.0.1", "10.0.0.1", "forwarded_duplicated"),
        (HEROKU_LEGACY, "203.0.113.9, 104.16.0.1", "10.0.0.1", "admitted"),
        (DIRECT, "203.0.113.9", "104.16.0.1", "admitted"),
        (DIRECT, "104.16.0.1", "203.0.113.9", "address_outside"),
        (DIRECT, "104.16.0.1", None, "address_missing"),
        (DIRECT, "104.16.0.1", "unix:", "address_malformed"),
        (behind(2), "x, 104.16.0.1, 10.0.0.1", "10.0.0.1", "admitted"),
        (behind(2), "x, 203.0.113.9, 104.16.0.1", "10.0.0.1", "address_outside"),
        (behind(2), "x, y, 104.16.0.1, 10.0.0.1", "10.0.0.1", "admitted"),
        (behind(2), "x, 104.16.0.1, 203.0.113.9, 10.0.0.1", "10.0.0.1", "address_outside"),
        (behind(2), "104.16.0.1", "10.0.0.1", "forwarded_short"),
        (behind(3), "104.16.0.1, 10.0.0.1, 10.0.0.2", "10.0.0.1", "admitted"),
    ],
)
def test_the_profile_says_which_address_is_believed(
    profile: Profile, forwarded: str | None, peer: str | None, reason: str
) -> None:
    headers = PASSED if forwarded is None else PASSED | {XFF: forwarded}
    decision = guard(profile).decide("/", headers, peer)
    assert (decision.reason, decision.allowed) == (reason, reason == "admitted")


def test_an_address_of_the_edge_without_the_secret_is_refused() -> None:
    policy = guard()
    admitted = {XFF: "203.0.113.9, 104.16.0.1"}
    assert policy.decide("/", PASSED | admitted).allowed
    assert policy.decide("/", admitted).reason == "secret_missing"
    assert policy.decide("/", admitted | {KEY: "wrong"}).reason == "secret_mismatch"


def test_a_list_that_is_too_old_refuses_everything_and_says_so() -> None:
    now = [0.0]
    old = Ranges(
        ["104.16.0.0/13"], date="1970-01-01", max_age_days=1, client_header="cf-connecting-ip"
    )
    policy = GuardPolicy("enforce", [Secret("right")], exempt={"/health"}, ranges=old,
                         profile=HEROKU, clock=lambda: now[0])  # fmt: skip
    headers = PASSED | {XFF: "104.16.0.1"}
    assert policy.decide("/", headers).allowed
    assert not policy.list_stale
    entered: list[object] = []

    def app(environ: object, start: object) -> list[bytes]:
        entered.append(environ)
        return []

    async def asgi(scope: object, receive: object, send: object) -> None:
        entered.append(scope)

    async def send(message: object) -> None: ...

    wsgi_guard, asgi_guard = OriginGuard(app, policy), AsgiGuard(asgi, policy)
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    environ = {"HTTP_X_ORIGIN_SECRET": "right", "HTTP_X_FORWARDED_FOR": "104.16.0.1"}
    for now[0], let_in in ((86_399.9, 2), (86_400.0, 0)):  # to the second, in each adapter
        entered.clear()
        wsgi_guard(environ.copy(), lambda *_: None)  # type: ignore[arg-type, return-value]
        asyncio.run(asgi_guard({"type": "http", "headers": lines}, None, send))  # type: ignore[arg-type]
        assert len(entered) == let_in
    assert policy.decide("/", headers).reason == "ranges_stale"
    assert not policy.decide("/", headers).allowed
    assert policy.decide("/health", headers).allowed
    assert (policy.list_stale, policy.list_age_days) == (True, 1.0)


def test_workers_pass_only_for_listed_zones() -> None:
    policy = GuardPolicy("enforce", [Secret("right")], workers={"Raxx.example"})
    for worker, allowed in (
        (None, True), ("raxx.example", True), ("RAXX.example", True), ("evil.example", False),
        ("raxx.example,evil.example", False), ("", False), ("raxx.example\nraxx.example", False),
    ):  # fmt: skip
        headers = PASSED if worker is None else PASSED | {"cf-worker": worker}
        assert policy.decide("/", headers).allowed is allowed, worker
    nobody = GuardPolicy("enforce", [Secret("right")], workers=())
    assert nobody.decide("/", PASSED | {"cf-worker": "raxx.example"}).reason == "worker_refused"


class Bouncer:
    def reason(self, token: str | None) -> str:
        return "" if token == "good" else "access_missing"


def test_access_is_joined_by_and() -> None:
    policy = GuardPolicy("enforce", [Secret("right")], access=Bouncer())
    token = {"cf-access-jwt-assertion": "good"}
    assert policy.decide("/", PASSED | token).allowed
    assert policy.decide("/", PASSED).reason == "access_missing"
    assert policy.decide("/", token).reason == "secret_missing"


@pytest.mark.parametrize(
    "settings",
    [
        {"ranges": EDGE},  # no profile
        {"checks": ["secret"], "ranges": EDGE, "profile": HEROKU},
        {"checks": ["secret", "ranges"], "profile": HEROKU},
        {"checks": ["secret", "worker"]},
        {"checks": ["secret", "access"]},
        {"workers": "raxx.example"},
        {"exempt": "/"},
        {"exempt": ["health"]},
        {"exempt": ["/health?x"]},
        {"exempt": ["/gesundheit-ü"]},
    ],
)
def test_settings_that_do_not_fit_together_do_not_start(settings: dict[str, object]) -> None:
    with pytest.raises(GuardError):
        GuardPolicy("enforce", [Secret("right")], **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("hops", [0, -1, 17, True, "1"])
def test_a_count_of_proxies_that_cannot_be_is_refused(hops: object) -> None:
    with pytest.raises(GuardError):
        behind(hops)  # type: ignore[arg-type]


def test_ranges_alone_do_not_start_in_wsgi_where_lines_are_not_merged() -> None:
    def app(environ: object, start: object) -> list[bytes]:
        return []

    for profile in (HEROKU_LEGACY, behind(1)):
        alone = GuardPolicy("enforce", checks=["ranges"], ranges=EDGE, profile=profile)
        with pytest.raises(GuardError, match="forged"):
            OriginGuard(app, alone)
        OriginGuard(app, guard(profile))  # with the secret it is a further check
        OriginGuard(app, GuardPolicy("off", checks=["ranges"], ranges=EDGE, profile=profile))
        more = {"checks": ["ranges", "access"], "access": Bouncer()}
        OriginGuard(app, GuardPolicy("enforce", ranges=EDGE, profile=profile, **more))  # type: ignore[arg-type]
        OriginGuard(app, GuardPolicy("enforce", checks=["presence_unsafe"], profile=profile))
    for profile in (HEROKU, DIRECT, behind(1, merges_lines=True)):
        OriginGuard(app, GuardPolicy("enforce", checks=["ranges"], ranges=EDGE, profile=profile))


def test_a_path_is_exempt_as_a_whole_mount_point_included() -> None:
    def app(environ: object, start: object) -> list[bytes]:
        return [b"in"]

    outer = OriginGuard(app, GuardPolicy("enforce", [Secret("right")], exempt={"/health"}))
    for script, path, body in (("", "/health", b"in"), ("/admin", "/health", b"blocked")):
        environ = {"SCRIPT_NAME": script, "PATH_INFO": path}
        assert body in b"".join(outer(environ, lambda *_: None))  # type: ignore[arg-type, return-value]
