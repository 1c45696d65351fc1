"""Schedules of the embedded platform's own faults: drawn from a seed, put in and taken out by the
count of requests, so that a seed that fails fails again.

What a schedule is, and the transport that plays it. What must hold is test_schedules_embedded.py's.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass

import httpx

from truegreen.embedded import faults
from truegreen.embedded.faults import ApiFault, AppFault, ClockOffset, DatabaseDown, Fault
from truegreen.embedded.locate import PlatformInfo
from truegreen.heroku.localhost import direct_transport
from truegreen.ship.progress import Nobody, StepState

PATHS = (
    "*", "/apps/*", "/account", "/apps/*/releases*", "/apps/*/builds*", "/apps/*/slugs/*",
    "/apps/*/dynos*", "/apps/*/formation*", "/apps/*/config-vars", "/apps", "/sources*",
)  # fmt: skip
METHODS = ("*", "*", "GET", "POST")
RATES = (1.0, 1.0, 0.5, 0.25)
REQUESTS = 40  # of a ship without faults, roughly
TO_THE_END = 1_000_000
OF_THE_WORLD = (AppFault, DatabaseDown)  # true of the app itself, not of an answer about it


@dataclass(frozen=True)
class Planned:
    """A fault, and between which requests of the run it is in."""

    fault: Fault
    begins: int
    ends: int

    def __str__(self) -> str:
        ends = "the end" if self.ends >= TO_THE_END else str(self.ends)
        return f"{self.fault} from {self.begins} to {ends}"


def draw_fault(dice: random.Random, name: str, app: str) -> Fault:
    """A fault of the kind ``name`` with drawn values."""
    kind = faults.KINDS[name]
    values: dict[str, str] = {}
    if issubclass(kind, ApiFault):
        values["rate"] = str(dice.choice(RATES))
        if not name.startswith("stream-"):
            values |= {"path": dice.choice(PATHS), "method": dice.choice(METHODS)}
    if issubclass(kind, AppFault):
        values["app"] = app
    match name:
        case "api-rate-limit":
            values |= {"headers": dice.choice(("true", "false")),
                       "seconds": dice.choice(("0", "2", "30"))}  # fmt: skip
        case "api-timeout":
            values["seconds"] = dice.choice(("0.2", "1"))
        case "api-slow":
            values["seconds"] = dice.choice(("0.02", "0.2"))
        case "stream-cut" | "stream-reset":
            values["size"] = str(dice.choice((0, 1, 100)))
        case "clock-offset":
            values["offset"] = dice.choice(("-86400", "-60", "60", "86400"))
        case "edge-challenge":
            values["status"] = dice.choice(("200", "403", "503"))
    return faults.parse(name, values)


def draw_plan(dice: random.Random, app: str) -> tuple[Planned, ...]:
    """One to four faults of kinds drawn from all that there are, and in every fourth plan the
    answer to the making of the build is lost. One in eight plans is empty."""
    if dice.random() < 1 / 8:
        return ()
    plan = []
    for name in dice.sample(tuple(faults.KINDS), dice.randint(1, 4)):
        fault = draw_fault(dice, name, app)
        begins = dice.choice((0, dice.randrange(REQUESTS)))
        lasts = dice.choice((TO_THE_END, dice.randint(1, REQUESTS)))
        if isinstance(fault, OF_THE_WORLD):
            lasts = TO_THE_END  # so that what is true is the same at the end of the run
        plan.append(Planned(fault, begins, begins + lasts))
    if dice.random() < 1 / 4:  # the answer that counts most: built, and nobody was told
        lost = faults.ConnectionReset(path="/apps/*/builds", method="POST")
        plan.append(Planned(lost, 0, TO_THE_END))
    return tuple(plan)


class Weather(httpx.BaseTransport, Nobody):
    """Carries a run's requests, and puts faults in and takes them out as the plan says.

    It also watches the run: what is wrong with the app itself begins before the verification or
    not at all, so that a verdict cannot have been true when it was given and false afterwards.
    """

    def __init__(self, plan: tuple[Planned, ...], info: PlatformInfo) -> None:
        self.plan, self.info = plan, info
        self.inner = direct_transport()
        self.made = 0
        self.verifying = False
        self.put: dict[Planned, str] = {}
        self._gone: set[Planned] = set()
        self._lock = threading.Lock()

    def step(self, name: str, state: StepState, text: str) -> None:
        self.verifying |= name == "verify"

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            for one in self.plan:
                late = self.verifying and isinstance(one.fault, OF_THE_WORLD)
                fresh = one not in self.put and one not in self._gone
                if fresh and one.begins <= self.made < one.ends and not late:
                    self.put[one] = faults.add(one.fault, self.info)
                elif one in self.put and self.made >= one.ends:
                    self._take_out(one)
            self.made += 1
        return self.inner.handle_request(request)

    def world(self) -> tuple[Fault, ...]:
        """What is wrong with the app itself at this moment."""
        return tuple(one.fault for one in self.put if isinstance(one.fault, OF_THE_WORLD))

    def clear(self, *, world: bool) -> None:
        """Takes the faults of answers out; with ``world``, those of the app itself as well."""
        for one in tuple(self.put):
            if world or isinstance(one.fault, ApiFault | ClockOffset):
                self._take_out(one)

    def end(self) -> None:
        self.clear(world=True)
        self.inner.close()

    def _take_out(self, one: Planned) -> None:
        faults.remove(self.put.pop(one), self.info)
        self._gone.add(one)
