"""Random schedules of faults: never a false green, never past the deadline, never two releases.

A schedule is a seed: what is wrong with the world, and what is wrong with each answer of the API,
by the request and how often it was made, so that a seed that fails fails again. The seeds of a run
are printed. All 2,000 (CI plays the first 120):

    TRUEGREEN_SCHEDULES=2000 pytest tests/reliability/test_schedules.py -n 2 -rP
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulated_platform import Faults, InMemory, SimulatedPlatform, Times
from simulated_world import BASE, World

from truegreen.config import load_config
from truegreen.errors import ConfigError, Refused, Unverified
from truegreen.ledger import Ledger
from truegreen.ship.pipeline import Guards, ship
from truegreen.ship.progress import Nobody, StepState
from truegreen.ship.source import read_source

SCHEDULES = int(os.environ.get("TRUEGREEN_SCHEDULES", "120"))
BLOCKS = 8  # tests that the schedules are dealt to, so that they run side by side
RUNS = 3  # of the same command, one after the other, with ever fewer faults
# Seconds by the world's clock: a build (1,800), a release command (60), dynos (20), and what a
# verification may ask again for (20 s a question, one after another on this clock).
DEADLINE = 1800 + 60 + 20 + 60 * 20

WORLDS = ("build_fails", "release_fails", "release_sticks", "dyno_crashes", "serves_old_code",
          "origin_open", "challenge")  # fmt: skip
KINDS = ("never_reached", "lost_answer", "500", "502", "429", "cut", "not_json", "wrong_types",
         "empty_list", "slow")  # fmt: skip


class Weather:
    """What happens to requests: by the seed, the request, and how often it was made."""

    def __init__(self, seed: int, rate: float, world: World, witness: Witness) -> None:
        self.seed, self.rate, self.world, self.witness = seed, rate, world, witness
        self.made: Counter[str] = Counter()
        self.outage = (0.0, 0.0)

    def _draw(self, request: httpx.Request) -> str:
        key = f"{request.method} {request.url.host} {request.url.path}"
        dice = random.Random(f"{self.seed} {key} {self.made[key]}")
        return dice.choice(KINDS) if dice.random() < self.rate else ""

    def before(self, request: httpx.Request) -> httpx.Response | None:
        self.world.wait(0.02)
        key = f"{request.method} {request.url.host} {request.url.path}"
        self.made[key] += 1
        if self.outage[0] <= self.world.now < self.outage[1]:
            raise httpx.ConnectError("refused", request=request)
        match self._draw(request):
            case "never_reached":
                raise httpx.ConnectError("refused", request=request)
            case "500":
                return httpx.Response(500, json={"id": "x", "message": "x"}, request=request)
            case "502":
                return httpx.Response(502, html="<h1>502</h1>", request=request)
            case "429":
                return httpx.Response(429, headers={"Retry-After": "2"}, request=request)
            case "slow":
                self.world.wait(15.0)
                raise httpx.ReadTimeout("slow", request=request)
        return None

    def after(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        self.witness.look()
        kind = self._draw(request)
        data = answer.content
        if kind == "lost_answer":
            raise httpx.ReadError("reset", request=request)
        if kind == "cut":
            data = data[: len(data) // 2]
        elif kind == "not_json":
            data = b"<html></html>"
        elif kind == "wrong_types":
            data = b'{"0": "1"}' if data.startswith(b"[") else b"[1]"
        elif kind == "empty_list" and data.startswith(b"["):
            data = b"[]"
        else:
            return answer
        return httpx.Response(
            answer.status_code,
            headers={"content-type": "application/json"},
            content=data,
            request=request,
        )


class Witness(Nobody):
    """Whether the world was as green says, at any moment of the verification."""

    def __init__(self, world: World, commit: str) -> None:
        self.world, self.commit = world, commit
        self.verifying = self.held = False

    def step(self, name: str, state: StepState, text: str) -> None:
        self.verifying |= name == "verify"
        self.look()

    def look(self) -> None:
        self.held |= self.verifying and self.world.platform.truly_serves(self.commit)


def play(seed: int, world: World, source: Any, config: Any, ledger: Ledger) -> list[str]:
    """One schedule: the verdicts of its runs. Asserts what must never happen."""
    dice = random.Random(seed)
    wrong = dice.choice(WORLDS) if dice.random() < 0.4 else ""
    faults = Faults(**({wrong: True} if wrong else {}))
    if dice.random() < 0.15:
        faults.another_deploys_at = dice.uniform(0.5, 40.0)
    times = Times(dice.uniform(0, 20), dice.uniform(0, 10), dice.uniform(0, 6))
    world.platform = SimulatedPlatform(
        BASE, clock=lambda: world.now, wait=world.wait, times=times, faults=faults,
        serving=dice.choice([None, "0" * 40]),
    )  # fmt: skip
    rate = dice.choice([0.0, 0.02, 0.1, 0.3])
    verdicts: list[str] = []
    for number in range(RUNS):
        witness = Witness(world, source.commit)
        weather = Weather(seed * 10 + number, rate / (number + 1), world, witness)
        if dice.random() < 0.2:
            begin = world.now + dice.uniform(0, 20)
            weather.outage = (begin, begin + dice.uniform(1, 120))
        world.transport = InMemory(world.platform, weather.before, weather.after)
        world.platform.settle()
        began, before = world.now, len(world.platform.of(source.commit))
        builds = len(world.platform.builds)
        try:
            shipped = ship(
                config, source, world.target, witness,
                ledger=ledger, guards=Guards(forward_only=False),
            )  # fmt: skip
        except (Refused, Unverified, ConfigError) as error:
            verdicts.append(f"exit {error.exit_code}")
        else:
            verdicts.append(str(shipped.verdict))
            if verdicts[-1] == "green":
                assert witness.held, f"seed {seed}, run {number}: a false green"
        assert world.now - began <= DEADLINE, f"seed {seed}: {world.now - began:.0f} s"
        made = world.platform.of(source.commit)
        assert len(made) - before <= 1, f"seed {seed}, run {number}: two releases in one run"
        assert len(world.platform.builds) - builds <= 1, f"seed {seed}: two builds in one run"
        world.wait(30.0)
    good = [one for one in world.platform.of(source.commit) if one.ends_as == "succeeded"]
    if not faults.another_deploys_at:
        assert len(good) <= 1, f"seed {seed}: released {len(good)} times"
        assert len([b for b in world.platform.builds if not b.fails]) <= 1, f"seed {seed}: builds"
    return verdicts


@pytest.mark.parametrize("block", range(BLOCKS))
def test_schedules_of_faults(block: int, tmp_path: Path) -> None:
    world = World(tmp_path)
    config, source = load_config(world.root), read_source(world.root)
    seeds = range(block, SCHEDULES, BLOCKS)
    seen: Counter[str] = Counter()
    with Ledger.open(tmp_path / "ledger.sqlite3") as ledger:
        for seed in seeds:
            seen.update(play(seed, world, source, config, ledger))
    print(f"seeds {block}, {block + BLOCKS}, … below {SCHEDULES}: {dict(seen)}")
    assert {"green", "red"} <= set(seen), "a test in which nothing is green shows nothing"
