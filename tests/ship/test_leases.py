"""Leases: one holder an app, taken over only after expiry or a proven end, and a queue in order."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from truegreen.errors import Refused
from truegreen.ship.holder import Holder, has_ended, process_name
from truegreen.ship.lease import LeaseLost, lease_of
from truegreen.ship.leases import SCHEMA, Held, Leases, Taken
from truegreen.state import Location, open_database
from truegreen.state.database import Database

APP = "http://api/apps/a"
_numbers = itertools.count()


def somebody(name: str = "") -> Holder:
    """A holder whose process nobody here can prove to have ended."""
    return Holder(f"{name or 'h'}-{next(_numbers)}", f"{name}@elsewhere", 7, "")


class Clocked:
    """A database whose clock is moved by hand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ahead = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def clock(self) -> float:
        return self._database.clock() + self.ahead


@pytest.fixture
def clock(location: Location) -> Iterator[Clocked]:
    clocked = Clocked(open_database(location, SCHEMA))
    yield clocked
    clocked.close()  # type: ignore[operator]


@pytest.fixture
def leases(clock: Clocked) -> Leases:
    return Leases(clock)  # type: ignore[arg-type]


def take(leases: Leases, holder: Holder, app: str = APP, *, wait: bool = False) -> Taken | Held:
    return leases.take(app, holder, "c" * 40, seconds=30, wait=wait)


def test_the_second_hears_who_holds_it_and_until_when(leases: Leases) -> None:
    assert isinstance(take(leases, somebody("ann")), Taken)
    held = take(leases, somebody("bob"))
    assert isinstance(held, Held)
    assert held.lease is not None
    assert (held.lease.owner, held.lease.commit) == ("ann@elsewhere", "c" * 40)
    assert 29 < held.lease.expires_at - held.now <= 30
    assert isinstance(take(leases, somebody("bob"), "http://api/apps/other"), Taken)


def test_it_is_taken_over_after_its_expiry_and_not_before(leases: Leases, clock: Clocked) -> None:
    first = take(leases, somebody("ann"))
    assert isinstance(first, Taken)
    clock.ahead = 29.0
    assert isinstance(take(leases, somebody("bob")), Held)
    clock.ahead = 31.0
    second = take(leases, somebody("bob"))
    assert isinstance(second, Taken)
    assert second.inherited is not None
    assert second.inherited.owner == "ann@elsewhere"
    assert leases.renew(first.lease, seconds=30) is None  # and ann hears of it
    leases.give_back(APP, first.lease.holder)  # which does not end bob's
    assert isinstance(take(leases, somebody("cid")), Held)


def test_a_renewed_lease_stays(leases: Leases, clock: Clocked) -> None:
    first = take(leases, somebody("ann"))
    assert isinstance(first, Taken)
    clock.ahead = 29.0
    assert leases.renew(first.lease, seconds=30) is not None
    clock.ahead = 58.0
    assert isinstance(take(leases, somebody("bob")), Held)


def test_who_waits_gets_it_in_order_and_nobody_jumps_the_queue(leases: Leases) -> None:
    ann, bob, cid, dan = (somebody(name) for name in ("ann", "bob", "cid", "dan"))
    assert isinstance(take(leases, ann), Taken)
    for waiting in (bob, cid):
        assert isinstance(take(leases, waiting, wait=True), Held)
    leases.give_back(APP, ann.id)
    refused = take(leases, dan)  # it is free, and two wait
    assert isinstance(refused, Held)
    assert refused.lease is None
    assert [one.owner for one in refused.before] == ["bob@elsewhere", "cid@elsewhere"]
    assert isinstance(take(leases, cid, wait=True), Held)
    assert isinstance(take(leases, bob, wait=True), Taken)
    leases.give_back(APP, bob.id)
    assert isinstance(take(leases, cid, wait=True), Taken)
    assert leases.look(APP).before == ()


def test_who_waited_and_went_away_is_named_to_the_next(leases: Leases, clock: Clocked) -> None:
    ann, bob, cid = (somebody(name) for name in ("ann", "bob", "cid"))
    take(leases, ann)
    take(leases, bob, wait=True)
    leases.give_back(APP, ann.id)
    clock.ahead = 31.0
    taken = take(leases, cid)
    assert isinstance(taken, Taken)
    assert [one.owner for one in taken.abandoned] == ["bob@elsewhere"]


def test_of_many_at_once_one_gets_it(location: Location) -> None:
    def one(_: int) -> bool:
        leases = Leases.open(location)
        try:
            return isinstance(take(leases, somebody()), Taken)
        finally:
            leases.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 1


def test_a_holder_that_provably_ended_is_inherited_from_at_once(location: Location) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = process_name(child.pid)
    leases = Leases.open(location)
    take(leases, somebody("ann")._replace(pid=child.pid, process=name))
    assert isinstance(take(leases, somebody("bob")), Held)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and nobody has buried it
    assert has_ended(name)
    taken = take(leases, somebody("bob"))
    child.communicate()
    assert isinstance(taken, Taken)
    assert taken.inherited is not None
    leases.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda boot, ns, pid, start: f"another-boot/{ns}/999999999/{start}",
        lambda boot, ns, pid, start: f"{boot}/pid:[1]/999999999/{start}",
        lambda boot, ns, pid, start: "",
        lambda boot, ns, pid, start: f"{boot}/{ns}/x/{start}",
    ],
)
def test_what_this_machine_cannot_know_is_no_proof(change: object) -> None:
    parts = process_name(os.getpid()).split("/")
    assert not has_ended(change(*parts))  # type: ignore[operator]
    assert not has_ended("/".join(parts))


def test_a_pid_that_was_given_to_another_process_is_proof() -> None:
    boot, namespace, pid, _ = process_name(os.getpid()).split("/")
    assert has_ended(f"{boot}/{namespace}/{pid}/1")


# while it is held


@contextmanager
def held(location: Location, seconds: float = 30.0, **how: object) -> Iterator[object]:
    with lease_of(lambda: Leases.open(location), APP, "c" * 40, seconds=seconds, **how) as lease:  # type: ignore[arg-type]
        yield lease


def test_the_heartbeat_keeps_it_for_longer_than_its_term(location: Location) -> None:
    with held(location, seconds=0.6) as lease:
        before = lease.claim.expires_at  # type: ignore[attr-defined]
        looker = Leases.open(location)
        for _ in range(200):
            found = looker.look(APP).lease
            if found is None or found.expires_at > before + 0.6:
                break
            time.sleep(0.02)
        looker.close()
        assert found is not None
        assert found.expires_at > before + 0.6
        lease.confirm()  # type: ignore[attr-defined]


def test_it_is_given_back_whatever_happens(location: Location) -> None:
    with pytest.raises(KeyboardInterrupt), held(location):
        raise KeyboardInterrupt
    leases = Leases.open(location)
    assert leases.look(APP).lease is None
    leases.close()


def test_one_that_was_taken_over_meanwhile_says_so_before_the_next_change(
    location: Location,
) -> None:
    with held(location) as lease:
        thief = Clocked(open_database(location, SCHEMA))
        thief.ahead = 31.0
        assert isinstance(take(Leases(thief), somebody("bob")), Taken)  # type: ignore[arg-type]
        with pytest.raises(LeaseLost, match="not ours any more"):
            lease.confirm()  # type: ignore[attr-defined]
        thief.close()  # type: ignore[operator]
    leases = Leases.open(location)
    found = leases.look(APP).lease
    leases.close()
    assert found is not None
    assert found.owner == "bob@elsewhere"  # ours ended without ending bob's


def test_waiting_ends_and_leaves_no_place_in_the_queue(location: Location) -> None:
    now, said = [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with held(location):
        with (
            pytest.raises(Refused, match="holds it until") as refused,
            held(location, wait=3.0, tell=said.append, sleep=sleep, clock=lambda: now[0]),
        ):
            pass
        assert "waited 3 s" in str(refused.value)
        leases = Leases.open(location)
        assert leases.look(APP).before == ()
        leases.close()
    assert len(said) >= 1
    assert said[0].startswith("queued: ")


def test_the_database_file_holds_what_people_ask(tmp_path: Path) -> None:
    from truegreen.state import locate

    location = locate(tmp_path, {})
    with held(location):
        leases = Leases.open(location)
        found = leases.look(APP).lease
        leases.close()
    assert found is not None
    assert found.pid == os.getpid()
    assert "@" in found.owner


def test_what_releases_shows_fits_its_schema(location: Location) -> None:
    import json

    import jsonschema

    import truegreen
    from truegreen.config import Environment
    from truegreen.secret import Secret
    from truegreen.ship.target import Target
    from truegreen.ship.turn import look_at_turn

    target = Target("url", "http://api", Secret("x"), Environment("production", "a"))
    schemas = Path(truegreen.__file__).parent / "outputs" / "schemas"
    schema = json.loads((schemas / "releases-lease.json").read_text())
    nobody = look_at_turn(location, target)
    jsonschema.validate(nobody.as_json(), schema)
    assert (nobody.busy, list(nobody.lines())) == (False, ["nobody ships a"])
    leases = Leases.open(location)
    take(leases, somebody("ann"))
    take(leases, somebody("bob"), wait=True)
    turn = look_at_turn(location, target)
    leases.close()
    jsonschema.validate(turn.as_json(), schema)
    ships, waits = turn.lines()
    assert ships.startswith("ann@elsewhere (pid 7, commit cccccccc) ships a since 20")
    assert waits.startswith("1. bob@elsewhere (pid 7, commit cccccccc) waits since 20")
