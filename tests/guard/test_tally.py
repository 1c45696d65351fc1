"""What is counted, logged and shown of a guard; and that no secret is in any of it."""

import logging
import subprocess
import sys
import threading
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from truegreen.guard import HEROKU, GuardPolicy, Ranges, Tally
from truegreen.guard.asgi import OriginGuard as AsgiGuard
from truegreen.guard.metrics import asgi, exposition, wsgi
from truegreen.guard.profiles import GuardError
from truegreen.guard.tally import Refusal
from truegreen.guard.wsgi import OriginGuard
from truegreen.secret import Secret

TOKEN = "metrics-token"


def quiet(environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [])
    return [b"fine"]


def ask(app: Any, **environ: str) -> tuple[str, bytes]:
    answer: list[str] = []
    body = b"".join(app(environ, lambda status, headers: answer.append(status)))
    return answer[0], body


def test_no_request_is_lost_among_threads() -> None:
    policy = GuardPolicy("enforce", [Secret("right")])
    guard = OriginGuard(quiet, policy)

    def many() -> None:
        for _ in range(2_000):
            ask(guard, HTTP_X_ORIGIN_SECRET="right")
            ask(guard)

    threads = [threading.Thread(target=many) for _ in range(8)]
    for one in threads:
        one.start()
    while any(one.is_alive() for one in threads):
        assert set(policy.tally.counts) <= {"admitted", "secret_missing"}  # reading counts nothing
        threads[-1].join(0.01)
    for one in threads:
        one.join()
    assert guard.counts == {"admitted": 16_000, "secret_missing": 16_000}
    assert policy.tally.refusals == 16_000


def test_the_last_refusal_is_dated_and_only_refusals_are() -> None:
    now = [100.0]
    tally = Tally(clock=lambda: now[0])
    guard = OriginGuard(quiet, GuardPolicy("enforce", [Secret("right")], exempt={"/health"},
                                           tally=tally))  # fmt: skip
    ask(guard, HTTP_X_ORIGIN_SECRET="right")
    ask(guard, PATH_INFO="/health")
    assert guard.policy.last_refused_at is None
    ask(guard)
    now[0] = 200.0
    ask(guard, HTTP_X_ORIGIN_SECRET="right")
    assert guard.policy.last_refused_at == 100.0
    reported = OriginGuard(quiet, GuardPolicy("report", [Secret("right")]))
    assert ask(reported) == ("200 OK", b"fine")
    assert reported.policy.last_refused_at is None
    assert reported.counts == {"secret_missing": 1}


def test_an_observer_hears_every_request_and_cannot_break_one() -> None:
    heard: list[tuple[str, bool]] = []

    def observe(reason: str, allowed: bool) -> None:
        heard.append((reason, allowed))
        raise RuntimeError("the dashboard is down")

    tally = Tally(observe)
    guard = OriginGuard(quiet, GuardPolicy("enforce", [Secret("right")], tally=tally))
    assert ask(guard, HTTP_X_ORIGIN_SECRET="right")[0] == "200 OK"
    assert ask(guard)[0] == "403 Forbidden"
    assert heard == [("admitted", True), ("secret_missing", False)]
    assert tally.observer_errors == 2


def test_refusals_are_logged_by_sample_and_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    tally = Tally(log=logging.getLogger("origin"), log_seconds=10, clock=lambda: now[0])
    listed = Ranges(["104.16.0.0/13"])
    policy = GuardPolicy("enforce", [Secret("right-secret")], ranges=listed, profile=HEROKU,
                         tally=tally)  # fmt: skip
    guard = OriginGuard(quiet, policy)
    attack = {
        "PATH_INFO": "/x\nforged line" + "y" * 900,
        "QUERY_STRING": "token=query-secret",
        "HTTP_X_ORIGIN_SECRET": "wrong-secret",
        "HTTP_X_FORWARDED_FOR": "leaky-secret, 203.0.113.9",
        "HTTP_AUTHORIZATION": "Bearer secret",
    }
    for _ in range(5):
        ask(guard, **attack)
    now[0] = 10.0
    ask(guard, **attack)
    assert len(caplog.records) == 2
    refusal = caplog.records[1].__dict__["refusal"]
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.suppressed, refusal.allowed) == ("secret_mismatch", 4, False)
    assert refusal.address == "203.0.113.9"
    assert len(refusal.path) == 200
    for record in caplog.records:
        said = record.getMessage() + repr(record.__dict__["refusal"])
        assert "secret" not in said.replace("secret_mismatch", "")
        assert "\n" not in record.getMessage()
    reported = GuardPolicy("report", [Secret("right")], tally=tally)
    now[0] = 20.0
    ask(OriginGuard(quiet, reported))
    assert caplog.records[2].getMessage().startswith("origin guard: would refuse secret_missing")


def test_a_clock_that_is_set_back_does_not_silence_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [86_400.0]
    tally = Tally(log=logging.getLogger("origin"), log_seconds=10, clock=lambda: now[0])
    guard = OriginGuard(quiet, GuardPolicy("enforce", [Secret("right")], tally=tally))
    for at, logged in ((86_400, 1), (86_405, 1), (100, 2), (105, 2), (110, 3), (86_400, 4)):
        now[0] = float(at)
        ask(guard)
        assert len(caplog.records) == logged


def test_a_refusal_that_names_no_address_is_logged_without_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tally = Tally(log=logging.getLogger("origin"), log_seconds=0)
    policy = GuardPolicy("enforce", [Secret("right")], ranges=Ranges.shipped(), profile=HEROKU,
                         exempt={"/health"}, tally=tally)  # fmt: skip
    guard = OriginGuard(quiet, policy)
    assert ask(guard, PATH_INFO="/health")[0] == "200 OK"  # neither this nor the next is refused
    assert ask(OriginGuard(quiet, GuardPolicy("off", tally=tally)))[0] == "200 OK"
    for forwarded in ({}, {"HTTP_X_FORWARDED_FOR": "unknown"}, {"HTTP_X_FORWARDED_FOR": ""}):
        assert ask(guard, **forwarded)[0] == "403 Forbidden"
    assert [record.__dict__["refusal"].address for record in caplog.records] == [None] * 3
    assert {record.getMessage() for record in caplog.records} == {
        "origin guard: refused secret_missing path='' address=- suppressed=0"
    }


def test_an_observer_hears_of_asgi_requests_too() -> None:
    heard: list[tuple[str, bool]] = []
    tally = Tally(lambda reason, allowed: heard.append((reason, allowed)))

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    async def send(message: Any) -> None: ...

    guard = AsgiGuard(app, GuardPolicy("enforce", [Secret("right")], tally=tally))
    for value in (b"right", b"wrong"):
        scope = {"type": "http", "headers": [(b"x-origin-secret", value)]}
        with pytest.raises(StopIteration):
            guard(scope, None, send).send(None)  # type: ignore[arg-type, attr-defined]
    assert heard == [("admitted", True), ("secret_mismatch", False)]


def test_the_text_for_prometheus_has_each_count_once() -> None:
    tally = Tally(clock=lambda: 50.0)
    old = Ranges(["104.16.0.0/13"], date="1970-01-01", max_age_days=1)
    policy = GuardPolicy("enforce", [Secret("right")], ranges=old, profile=HEROKU, tally=tally,
                         clock=lambda: 3600.0)  # fmt: skip
    ask(OriginGuard(quiet, policy))
    text = exposition(policy)
    assert 'truegreen_guard_requests_total{mode="enforce",reason="secret_missing"} 1\n' in text
    assert "truegreen_guard_last_refusal_timestamp_seconds 50.000\n" in text
    assert "truegreen_guard_ranges_age_seconds 3600.000\n" in text
    assert "truegreen_guard_ranges_stale 0.000\n" in text
    assert text.count("# TYPE") == 4
    assert exposition(policy) == text
    assert "ranges_age" not in exposition(GuardPolicy("off"))


def test_prometheus_own_parser_reads_the_same_counts() -> None:
    tally = Tally(clock=lambda: 1.7e9)
    policy = GuardPolicy("enforce", [Secret("right")], ranges=Ranges.shipped(), profile=HEROKU,
                         tally=tally)  # fmt: skip
    empty = {family.name for family in text_string_to_metric_families(exposition(policy))}
    assert "truegreen_guard_last_refusal_timestamp_seconds" not in empty
    guard = OriginGuard(quiet, policy)
    for secret in ("right", "wrong", "wrong", None):
        ask(guard, **({} if secret is None else {"HTTP_X_ORIGIN_SECRET": secret}))
    families = {
        family.name: family for family in text_string_to_metric_families(exposition(policy))
    }
    counter = families["truegreen_guard_requests"]
    assert (counter.type, bool(counter.documentation)) == ("counter", True)
    assert {one.labels["reason"]: one.value for one in counter.samples} == policy.tally.counts
    assert {one.labels["mode"] for one in counter.samples} == {"enforce"}
    refused = families["truegreen_guard_last_refusal_timestamp_seconds"]
    assert refused.type == "gauge"
    assert policy.tally.counts["secret_mismatch"] == 2


def test_the_counts_are_served_to_who_has_the_token_and_came_through_the_edge() -> None:
    policy = GuardPolicy("enforce", [Secret("right")])
    guard = OriginGuard(wsgi(quiet, policy, Secret(TOKEN)), policy)
    path = {"PATH_INFO": "/-/guard/metrics"}
    edge = {"HTTP_X_ORIGIN_SECRET": "right"}
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}
    assert ask(guard, **path, **bearer)[0] == "403 Forbidden"
    assert ask(guard, **path, **edge) == ("200 OK", b"fine")
    for wrong in ("Bearer \u20ac", "Bearer", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"):
        assert ask(guard, **path, **edge, HTTP_AUTHORIZATION=wrong) == ("200 OK", b"fine")
    for elsewhere in ({}, {"PATH_INFO": "/-/guard/metrics/"},
                      {**path, "SCRIPT_NAME": "/admin"}):  # fmt: skip
        assert ask(guard, **edge, **bearer, **elsewhere) == ("200 OK", b"fine")
    assert b"truegreen_guard_requests_total" in ask(guard, **path, **edge, **bearer)[1]
    mounted = {"SCRIPT_NAME": "/-/guard", "PATH_INFO": "/metrics"}
    assert b"truegreen_guard_requests_total" in ask(guard, **mounted, **edge, **bearer)[1]


@pytest.mark.parametrize("token", ["", "\u20ac" * 16, "token\n", "a\0b"])
def test_a_token_that_no_header_carries_does_not_start(token: str) -> None:
    for face in (wsgi, asgi):
        with pytest.raises(GuardError, match="the token of the metrics") as caught:
            face(quiet, GuardPolicy("off"), Secret(token))  # type: ignore[arg-type]
        assert not token or token not in str(caught.value)


HEADERS = {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",  # as Prometheus asks for it
    "cache-control": "no-store",
}


def test_the_counts_come_with_their_type_and_length_and_head_without_them() -> None:
    policy = GuardPolicy("off")
    served = wsgi(quiet, policy, Secret(TOKEN))
    for method in ("GET", "HEAD"):
        environ = {"PATH_INFO": "/-/guard/metrics", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}
        lines: list[Any] = []
        parts = served(environ | {"REQUEST_METHOD": method}, lambda _, told: lines.extend(told))  # type: ignore[arg-type, return-value]  # noqa: B023
        told = {name.lower(): value for name, value in lines}
        length = int(told.pop("content-length"))
        assert (told, length) == (HEADERS, len(exposition(policy)))
        assert len(b"".join(parts)) == (length if method == "GET" else 0)


def test_the_asgi_face_of_the_counts_asks_for_the_token_too() -> None:
    entered: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        entered.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    served = asgi(app, GuardPolicy("off"), Secret(TOKEN))
    scope = {"type": "http", "path": "/-/guard/metrics", "headers": []}
    for headers in ([], [(b"authorization", b"Bearer x")]):
        with pytest.raises(StopIteration):
            served(scope | {"headers": headers}, None, send).send(None)  # type: ignore[arg-type, attr-defined]
    right = {"headers": [(b"authorization", f"Bearer {TOKEN}".encode())]}
    for other in ({"path": "/-/guard/metrics/"}, {"type": "websocket"}, {"type": "lifespan"}):
        with pytest.raises(StopIteration):
            served(scope | right | other, None, send).send(None)  # type: ignore[arg-type, attr-defined]
    assert (len(entered), sent) == (5, [])
    for method in ("GET", "HEAD"):
        with pytest.raises(StopIteration):
            served(scope | right | {"method": method}, None, send).send(None)  # type: ignore[arg-type, attr-defined]
    assert sent[0]["status"] == 200
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert int(told.pop("content-length")) == len(sent[1]["body"])
    assert told == HEADERS
    assert b"truegreen_guard" in sent[1]["body"]
    assert (sent[2], sent[3]["body"]) == (sent[0], b"")


def test_a_child_forked_while_another_thread_logs_can_log() -> None:
    script = """
import logging, os, signal
from truegreen.guard import GuardPolicy, Tally, tally
from truegreen.guard.wsgi import OriginGuard
from truegreen.secret import Secret
mine = Tally(log=logging.getLogger("guard"))
guard = OriginGuard(None, GuardPolicy("enforce", [Secret("right")], tally=mine))
tally._LOCK.acquire()
child = os.fork()
if child == 0:
    signal.alarm(20)  # its end, if it waits for the lock
    guard({"PATH_INFO": "/"}, lambda *_: None)
    os._exit(0 if mine.counts == {"secret_missing": 1} else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "0\n"
    assert "refused secret_missing" in ran.stderr
