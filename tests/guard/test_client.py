"""Who the visitor was: believed of whom, in which spelling, read when the application asks."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.guard import DIRECT, HEROKU, GuardPolicy, Profile, Ranges, client_address
from truegreen.guard.asgi import OriginGuard as AsgiGuard
from truegreen.guard.wsgi import OriginGuard as WsgiGuard
from truegreen.secret import Secret

EDGE = Ranges(["104.16.0.0/13"], client_header="cf-connecting-ip")
OFFICE = Ranges(["192.0.2.0/24"])


class Access:
    def reason(self, token: str | None) -> str:
        return ""


def enforce(**more: Any) -> GuardPolicy:
    return GuardPolicy("enforce", [Secret("right")], **more)


def asked(
    policy: GuardPolicy, *lines: tuple[str, str], peer: str = "10.0.0.1", path: str = "/"
) -> list[str | None]:
    """What ``client_address`` tells the application in WSGI and in ASGI; fewer: it was refused."""
    told: list[str | None] = []

    def app(environ: dict[str, Any], start: object) -> list[bytes]:
        told.append(client_address(environ))
        return []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        told.append(client_address(scope))

    async def send(message: Any) -> None: ...

    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "PATH_INFO": path}
    for name, value in lines:
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    WsgiGuard(app, policy)(environ, lambda *_: None)  # type: ignore[arg-type, return-value]
    headers = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    scope = {"type": "http", "path": path, "headers": headers, "client": (peer, 1)}
    asyncio.run(AsgiGuard(asgi, policy)(scope, None, send))  # type: ignore[arg-type]
    return told


SECRET = ("x-origin-secret", "right")
ROUTER = ("x-forwarded-for", "198.51.100.1, 104.16.0.1")
VISITOR = ("cf-connecting-ip", "203.0.113.9")


@pytest.mark.parametrize(
    ("named", "believed"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["2001:DB8:0::1"], "2001:db8::1"),
        (["203.0.113.9", "203.0.113.9"], None),
        (["203.0.113.9,203.0.113.9"], None),
        (["nonsense"], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_client_is_what_the_edge_says_in_one_spelling(
    named: list[str], believed: str | None
) -> None:
    lines = [("cf-connecting-ip", one) for one in named]
    for policy in (
        enforce(), enforce(ranges=EDGE, profile=HEROKU), enforce(access=Access()),
    ):  # fmt: skip
        assert asked(policy, SECRET, ROUTER, *lines) == [believed, believed]


def test_visitors_are_told_apart() -> None:
    policy = enforce(ranges=EDGE, profile=HEROKU)
    for number in range(300):
        visitor = f"203.{number >> 8}.{number & 255}.1"
        assert asked(policy, SECRET, ROUTER, ("cf-connecting-ip", visitor)) == [visitor] * 2
    assert asked(policy, SECRET, ROUTER) == [None] * 2


def test_nobody_is_believed_who_did_not_pass() -> None:
    wrong = ("x-origin-secret", "wrong")
    assert asked(enforce(), wrong, VISITOR) == []
    assert asked(enforce(exempt={"/health"}), wrong, VISITOR, path="/health") == [None] * 2
    assert asked(enforce(exempt={"/health"}), VISITOR, path="/health") == [None] * 2
    report = GuardPolicy("report", [Secret("right")])
    assert asked(report, wrong, VISITOR) == [None] * 2
    assert asked(report, SECRET, VISITOR) == ["203.0.113.9"] * 2
    assert asked(GuardPolicy("off"), SECRET, VISITOR) == [None] * 2


def test_a_check_that_anybody_passes_makes_nobody_believed() -> None:
    unsafe = GuardPolicy("enforce", checks=("presence_unsafe",))
    assert asked(unsafe, VISITOR) == [None] * 2


@pytest.mark.parametrize(
    ("profile", "peer", "line", "reached"),
    [
        (HEROKU, "10.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        (DIRECT, "::ffff:192.0.2.8", "192.0.2.7", "192.0.2.8"),
    ],
)
def test_behind_an_allowlist_the_client_is_the_one_that_reached_us(
    profile: Profile, peer: str, line: str, reached: str
) -> None:
    for policy in (
        GuardPolicy("enforce", checks=["ranges"], ranges=OFFICE, profile=profile),
        enforce(ranges=OFFICE, profile=profile, client_header=""),
        enforce(ranges=Ranges(["192.0.2.0/24"]), profile=profile, client_header=""),
    ):
        lines = (SECRET, ("x-forwarded-for", line), VISITOR)
        assert asked(policy, *lines, peer=peer) == [reached] * 2


def test_what_the_application_does_to_the_peer_afterwards_changes_nothing() -> None:
    """As ProxyFix does, which would put a forged address there."""
    policy = GuardPolicy("enforce", checks=["ranges"], ranges=OFFICE, profile=DIRECT)
    told: list[str | None] = []

    def app(environ: dict[str, Any], start: object) -> list[bytes]:
        environ["REMOTE_ADDR"] = "203.0.113.66"
        told.append(client_address(environ))
        return []

    WsgiGuard(app, policy)({"REMOTE_ADDR": "192.0.2.7"}, lambda *_: None)  # type: ignore[arg-type, return-value]
    assert told == ["192.0.2.7"]


@settings(deadline=None)
@given(st.dictionaries(st.just("truegreen.client"), st.one_of(st.none(), st.text(), st.integers())))
def test_asking_never_raises(request: dict[str, object]) -> None:
    client_address(request)
