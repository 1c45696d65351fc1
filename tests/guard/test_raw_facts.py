"""Whatever anybody sends: no exception, and in mode enforce nobody gets in without the secret."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.guard import DIRECT, HEROKU, HEROKU_LEGACY, GuardPolicy, Ranges, behind, metrics
from truegreen.guard.asgi import OriginGuard as AsgiGuard
from truegreen.guard.judge import judge
from truegreen.guard.wsgi import OriginGuard as WsgiGuard
from truegreen.secret import Secret

EDGE = Ranges(["104.16.0.0/13", "2606:4700::/32"], client_header="cf-connecting-ip")
SECRETS = ("s" * 32, "ünicode-latin-1")
PROFILES = (HEROKU, HEROKU_LEGACY, DIRECT, behind(3))
POLICIES = [
    GuardPolicy("enforce", [Secret(one) for one in SECRETS]),
    GuardPolicy("enforce", [Secret(SECRETS[0])], exempt={"/health"}),
    *(GuardPolicy("enforce", [Secret(SECRETS[0])], ranges=EDGE, profile=one, workers={"a.example"})
      for one in PROFILES),
]  # fmt: skip

address = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["104.16.0.1", "2606:4700::1", "::ffff:104.16.0.1", "unknown", ""]),
    st.text(max_size=20),
)
line = st.lists(address, max_size=4).map(", ".join)
text = st.one_of(line, st.text(), st.sampled_from([SECRETS[0][:-1], SECRETS[0] + " ", "a.example"]))
fact = st.one_of(st.none(), text, st.tuples(line, line).map("\n".join))
latin = st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
NAMES = ["x-origin-secret", "x-forwarded-for", "cf-connecting-ip", "cf-worker", "X-Origin-Secret",
         "x_origin_secret", "x_forwarded_for", "x-origin_secret"]  # fmt: skip


def is_secret(value: str | None) -> bool:
    return value is not None and value in SECRETS


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(POLICIES), fact, fact, fact, fact, st.text())
def test_raw_facts_never_raise_and_never_get_in_without_the_secret(
    policy: GuardPolicy, secret: str | None, address: str | None, client: str | None,
    worker: str | None, path: str,
) -> None:  # fmt: skip
    reason = judge(policy.rules, secret, address, client, worker)
    allowed, settled = policy.settle(reason, path)
    if not is_secret(secret):
        assert reason.startswith("secret_")
        assert not allowed or settled == "exempt"
    assert allowed == (settled in {"admitted", "exempt"})
    assert (settled == "exempt") <= (path == "/health")


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(POLICIES),
    st.lists(st.tuples(st.sampled_from(NAMES), st.one_of(latin, line)), max_size=8),
    st.sampled_from(["/", "/health", "//health", "/health/"]),
)
def test_both_adapters_hold_for_any_lines_of_headers(
    policy: GuardPolicy, lines: list[tuple[str, str]], path: str
) -> None:
    entered: list[Any] = []

    def app(environ: Any, start: Any) -> list[bytes]:
        entered.append(environ)
        return []

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        entered.append(scope)

    async def send(message: Any) -> None: ...

    environ: dict[str, Any] = {"PATH_INFO": path, "REMOTE_ADDR": "104.16.0.1"}
    for name, value in lines:
        if "_" in name:  # servers drop it
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in lines]
    given = [value for name, value in raw if name == b"x-origin-secret"]
    could = path == "/health" or any(
        value.decode("latin-1") in SECRETS for value in given if len(given) == 1
    )
    WsgiGuard(app, policy)(environ, lambda status, headers: None)
    assert could or not entered
    assert not any("HTTP_X_ORIGIN_SECRET" in one for one in entered)
    entered.clear()
    scope = {"type": "http", "path": path, "method": "GET", "headers": raw, "client": None}
    with suppress(StopIteration):
        AsgiGuard(asgi_app, policy)(scope, None, send).send(None)  # type: ignore[arg-type, attr-defined]
    assert could or not entered
    assert not any(name == b"x-origin-secret" for one in entered for name, _ in one["headers"])


KEY = "only-for-the-edge-0123456789"


def crash_report(error: BaseException) -> str:
    """What a crash reporter sends: the ``repr`` of all that each frame on the way knows."""
    frames = [one.tb_frame for one in iterate(error.__traceback__)]
    return "\n".join(
        repr(one.f_locals) for one in frames if "/truegreen/" in one.f_code.co_filename
    )


def iterate(traceback: Any) -> Iterator[Any]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("mode", ["enforce", "report", "off"])
@pytest.mark.parametrize("more", [{}, {"checks": ["secret", "presence_unsafe"]}])
def test_an_application_that_raises_does_not_report_the_secret(
    mode: str, more: dict[str, Any]
) -> None:
    policy = GuardPolicy(mode, [Secret(KEY), Secret(KEY[::-1])], **more)
    token = Secret("the-token-of-the-metrics")

    def app(environ: Any, start: Any) -> list[bytes]:
        raise ZeroDivisionError

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    environ = {"PATH_INFO": "/", "HTTP_X_ORIGIN_SECRET": KEY, "HTTP_CF_CONNECTING_IP": "192.0.2.1"}
    with pytest.raises(ZeroDivisionError) as raised:
        WsgiGuard(metrics.wsgi(app, policy, token), policy)(environ, lambda *_: None)  # type: ignore[arg-type, return-value]
    told = crash_report(raised.value)
    headers = [(b"x-origin-secret", KEY.encode()), (b"cf-connecting-ip", b"192.0.2.1")]
    scope = {"type": "http", "path": "/", "headers": headers}
    with pytest.raises(ZeroDivisionError) as raised:
        AsgiGuard(metrics.asgi(asgi_app, policy, token), policy)(scope, None, None).send(None)  # type: ignore[arg-type, attr-defined]
    told += crash_report(raised.value)
    assert "environ" in told
    assert "scope" in told
    for one in (KEY, KEY[::-1], token.reveal()):
        assert one not in told
