"""A line of jobs as values, for the page and the document of it; no database is asked."""

from __future__ import annotations

from typing import Any

from truegreen.ship.leases import Claim
from truegreen.workers.job import Job, Seen
from truegreen.workers.line import Line, Waits
from truegreen.workers.order import Understands

AT = 1_782_072_000.0  # 2026-06-21T20:00:00Z
API = "https://api.example/apps/"


def job(number: int, app: str = "shop", **other: Any) -> Job:
    """One that waits; with ``taken_at`` one that is carried out."""
    values: dict[str, Any] = dict.fromkeys(
        ("worker", "owner", "process", "prefix", "note", "message", "hint"), ""
    )
    values |= dict.fromkeys(("taken_at", "beat_at", "ended_at", "exit_code", "verdict", "run"))
    values |= {
        "id": number, "place": API + app, "app": app, "environment": "production",
        "repository": "https://git.example.com/shop.git", "commit": f"{number:08d}" + "a" * 32,
        "options": "{}", "protocol": 1, "asked_by": "ada@runner-1", "asked_at": AT - 600,
        "state": "running" if "taken_at" in other else "waiting", "attempt": 0, "lost": 0,
        "progress": "[]",
    }  # fmt: skip
    return Job(**(values | other))


def running(number: int, app: str = "shop", **other: Any) -> Job:
    values = {
        "taken_at": AT - 95, "beat_at": AT - 4, "owner": "deploy@worker-1", "attempt": 1,
        "progress": '[["build", "done", ""], ["release", "running", "v154"]]',
    }  # fmt: skip
    return job(number, app, **(values | other))


def seen(name: str = "worker-1", newest: int = 1, slots: int = 1, busy: int = 1) -> Seen:
    return Seen(
        name, f"deploy@{name}", "1.4.0", Understands(1, newest), slots, busy, beat_at=AT - 4
    )


def claim(app: str, owner: str, ago: float = 60.0, commit: str = "c" * 40) -> Claim:
    return Claim(API + app, owner, owner, 4711, "", commit, AT - ago, AT + 20)


def line(
    begun: tuple[Job, ...] = (),
    waiting: tuple[Waits, ...] = (),
    workers: tuple[Seen, ...] = (),
    left_out: int = 0,
) -> Line:
    return Line(begun, waiting, left_out, workers, AT)


BUSY = line(
    (
        running(17),
        running(12, "billing", attempt=2, note="deploy@worker-2 went away in the middle"),
    ),
    (
        Waits(job(18), 0, AT - 95),
        Waits(job(19, asked_by="kim@laptop", note="the worker was stopped", attempt=1), 1, AT - 95),
        Waits(job(21, "search"), 0, AT - 900),
        Waits(job(20, "mail"), 0, AT - 300),
        Waits(job(22, "next-app", protocol=2), 0, AT - 30),
    ),
    (seen(), seen("worker-2", slots=2, busy=2)),
    left_out=3,
)


class LineOnly:
    """Stands where a Queue is read."""

    def __init__(self, told: Line) -> None:
        self._told = told

    def line(self) -> Line:
        return self._told

    def close(self) -> None:
        return
