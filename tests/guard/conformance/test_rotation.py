"""The secret is rotated under load, and no legitimate request is refused at any moment.

Old secret everywhere; then dynos that take both; then the edge sends the new one; then dynos that
take the new one only. The load comes through the embedded edge and router all the while, and an
attacker asks past the edge.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from .apps import HEADER
from .front import Front, in_front
from .servers import Server, ask, listening

OLD, NEW = "the-old-secret", "the-new-secret"
CLIENTS = 3
MOST = 4000  # requests of each client: the load ends whatever happens
LONG = 60.0


class Load:
    """Legitimate clients through the edge, one attacker past it; counts statuses."""

    def __init__(self, front: Front) -> None:
        self.statuses: Counter[str] = Counter()
        self._front = front
        self._over = threading.Event()
        self._done = [0] * (CLIENTS + 1)
        self._threads = [threading.Thread(target=self._go, args=(n,)) for n in range(CLIENTS + 1)]

    def _go(self, number: int) -> None:
        legitimate = number < CLIENTS
        front = self._front
        driver = front.through_the_edge if legitimate else front.past_the_edge
        while not self._over.is_set() and self._done[number] < MOST:
            answer = ask(driver) if legitimate else ask(driver, "/", (HEADER, "forged"))
            self.statuses[f"{'legitimate' if legitimate else 'attack'} {answer.summary}"] += 1
            self._done[number] += 1
            self._over.wait(0.01)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(LONG)

    def settle(self, rounds: int = 5) -> None:
        """Until every client has got that many more answers: what was under way is over."""
        wanted = [done + rounds for done in self._done]
        until = time.monotonic() + LONG
        while any(done < want for done, want in zip(self._done, wanted, strict=True)):
            assert time.monotonic() < until, (self._done, wanted, self.statuses)
            time.sleep(0.01)


@contextmanager
def dyno(server: str, app: str, made: socket.socket, **secrets: str) -> Iterator[int]:
    process = Server(server, app, made, secrets)
    try:
        port: int = made.getsockname()[1]
        yield port
    finally:
        process.stop()


@pytest.mark.parametrize(
    ("server", "app"), [("gunicorn", "flask"), ("uvicorn", "starlette"), ("waitress", "wsgi")]
)
def test_rotation_refuses_no_legitimate_request_and_admits_no_attack(server: str, app: str) -> None:
    with ExitStack() as stack:
        sockets = [stack.enter_context(listening()) for _ in range(3)]
        old = stack.enter_context(dyno(server, app, sockets[0], ORIGIN_SECRET=OLD))
        both = stack.enter_context(
            dyno(server, app, sockets[1], ORIGIN_SECRET=NEW, ORIGIN_SECRET_PREVIOUS=OLD)
        )
        new = stack.enter_context(dyno(server, app, sockets[2], ORIGIN_SECRET=NEW))
        front = stack.enter_context(in_front("2.0", OLD, old))
        with Load(front) as load:
            load.settle()
            front.dynos = [old, both]
            load.settle()
            front.dynos = [both]
            load.settle()
            front.secret = NEW
            load.settle()
            front.dynos = [both, new]
            load.settle()
            front.dynos = [new]
            load.settle()
        expected = {"legitimate 200", "attack 403 direct_origin_blocked"}
        assert set(load.statuses) == expected, load.statuses
        assert load.statuses["legitimate 200"] >= 30 * CLIENTS
        assert ask(front.past_the_edge, "/", (HEADER, OLD)).status == 403
        assert ask(front.past_the_edge, "/", (HEADER, NEW)).status == 200


def test_a_rotation_without_the_overlap_does_refuse_legitimate_requests() -> None:
    """That the load would show it: the edge sends the new secret to dynos that know the old one."""
    with ExitStack() as stack:
        made = stack.enter_context(listening())
        old = stack.enter_context(dyno("waitress", "wsgi", made, ORIGIN_SECRET=OLD))
        front = stack.enter_context(in_front("2.0", OLD, old))
        with Load(front) as load:
            load.settle()
            front.secret = NEW
            load.settle()
    assert load.statuses["legitimate 403 direct_origin_blocked"] > 0
