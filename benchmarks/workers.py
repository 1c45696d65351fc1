"""Claim: three workers ship about as many times faster than one as there is processor for, nobody's
app is shipped twice at once, and a kill -9 costs a team no more than the ship that it hit.

APPS apps on the embedded platform's real API (dynos are stubbed: up after BOOT seconds), a new
commit of each. Workers are processes of their own, as `truegreen board --worker` starts them; the
platform, Postgres and this script share the machine with them. Prints tables.

    python3 bootstrap.py python benchmarks/workers.py [--apps 200]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from job_orders import order, sql
from shared_postgres import shared_postgres
from workers_yard import WorkerProcess, Yard, newer_version, yard

from truegreen.ship.holder import Holder
from truegreen.workers.job import Ending, Job
from truegreen.workers.order import UNDERSTOOD
from truegreen.workers.queue import Queue

BOOT = 0.5  # seconds
LEAST_GROWTH = 2.0  # from one worker to three, one ship at a time each
_DEADLINE = 600.0


def shipped(
    place: Yard, workers: int, jobs: int, apps: Sequence[str]
) -> tuple[float, float, list[Job]]:
    """(seconds, of a processor, the jobs) of a new commit to each of ``apps``; the workers are up
    before it begins."""
    commit = place.commit()
    with ExitStack() as stack:
        crew = [
            stack.enter_context(place.worker(f"w{number}", "--jobs", str(jobs)))
            for number in range(workers)
        ]
        warm(place, crew)
        began, used = time.monotonic(), processor()
        ended = place.ended([place.enqueue(app) for app in apps], _DEADLINE)
        wall, used = time.monotonic() - began, processor() - used
    check(place, ended, commit)
    return wall, used, ended


def warm(place: Yard, crew: Sequence[WorkerProcess]) -> None:
    """Every worker has signed on, and has forked its first child's ancestor."""
    while True:
        with Queue.open(place.location) as queue:
            if len(queue.workers()) >= len(crew):
                break
        time.sleep(0.1)
    time.sleep(3.0)


def check(place: Yard, jobs: Sequence[Job], commit: str) -> None:
    bad = [job for job in jobs if job.verdict != "green"]
    if bad:
        sys.exit(f"{len(bad)} of {len(jobs)} are not green: {bad[0].message or bad[0].verdict}")
    for job in jobs[:: max(1, len(jobs) // 20)]:
        if place.made(job.app, commit) != (1, 1):
            sys.exit(f"{job.app}: {place.made(job.app, commit)} builds and releases, not one each")


def overlapping(place: Yard) -> int:
    """Pairs of jobs of one app that were carried out at the same time."""
    return int(
        sql(
            place.location,
            "SELECT count(*) FROM job a JOIN job b ON a.place = b.place AND a.id < b.id"
            " WHERE a.taken_at < b.ended_at AND b.taken_at < a.ended_at",
        )[0][0]
    )


def growth(place: Yard, apps: Sequence[str]) -> float:
    """Prints the table; how many times faster three workers are than one."""
    print("| workers × jobs | apps | seconds | ships /s | growth | processor | a ship, median |")
    print("|---|---|---|---|---|---|---|")
    rates = []
    tenth, fifth = apps[: max(4, len(apps) // 10)], apps[: max(4, len(apps) // 5)]
    for workers, jobs, asked in ((1, 1, tenth), (2, 1, tenth), (3, 1, fifth), (3, 2, apps)):
        wall, used, ended = shipped(place, workers, jobs, asked)
        rates.append(len(asked) / wall)
        each = statistics.median((job.ended_at or 0) - (job.taken_at or 0) for job in ended)
        busy = used / wall / (os.cpu_count() or 1)
        print(
            f"| {workers} × {jobs} | {len(asked)} | {wall:.1f} | {rates[-1]:.2f} |"
            f" {rates[-1] / rates[0]:.2f}× | {busy:.0%} | {each:.2f} s |",
            flush=True,
        )
    return rates[2] / rates[0]


def processor() -> float:
    """Seconds of the whole machine's processors that were not idle, since it was started."""
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    ticks = [int(one) for one in fields[:8]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def queue_alone(place: Yard, jobs: int = 1000) -> None:
    """What the queue itself takes, without a ship."""
    holder = Holder("bench", "bench@host", os.getpid(), "")
    with Queue.open(place.location) as queue:
        began = time.monotonic()
        for number in range(jobs):
            queue.enqueue(order(f"queue-{number % 250}"))
        enqueued = time.monotonic() - began
        began = time.monotonic()
        while (job := queue.take(holder, UNDERSTOOD)) is not None:
            queue.end(job, Ending(0, "green", 1))
        taken = time.monotonic() - began
    print(f"| {jobs / enqueued:,.0f} /s | {jobs / taken:,.0f} /s |")


def takeover(place: Yard) -> float:
    """Seconds from kill -9 to a worker and its ship until the job is somebody else's."""
    app = place.apps[0]
    commit = place.commit()
    number = place.enqueue(app)
    with place.worker("k1") as one, place.worker("k2") as two:
        place.step(number, "boot", "running")
        killed = one if f"job {number}: ships" in one.said() else two
        place.kill_child_of(app)
        killed.kill()
        began = time.monotonic()
        while place.job(number).attempt < 2:
            time.sleep(0.02)
        seconds = time.monotonic() - began
        (job,) = place.ended([number])
    check(place, [job], commit)
    return seconds


def renewal(place: Yard, apps: Sequence[str], folder: Path) -> str:
    """Workers of two versions while one replaces the other, with orders of both protocols."""
    commit = place.commit()
    newer = newer_version(folder)
    half = len(apps) // 2
    with ExitStack() as stack:
        old = [stack.enter_context(place.worker(f"old{n}")) for n in range(2)]
        warm(place, old)
        first = [place.enqueue(app) for app in apps[:half]]
        later = [place.enqueue(app, protocol=2) for app in apps[half:]]
        new = [stack.enter_context(place.worker(f"new{n}", source=newer)) for n in range(2)]
        place.ended(first[: half // 2], _DEADLINE)
        for one in old:
            one.process.terminate()
        ended = place.ended([*first, *later], _DEADLINE)
        check(place, ended, commit)
        by_old = sum(one.said().count(": green") for one in old)
        by_new = sum(one.said().count(": green") for one in new)
        wrong = sum(f"job {number}: ships" in one.said() for number in later for one in old)
    handed = sum(one.said().count("handed back") for one in old)
    return (
        f"{len(ended)} ships green, {half} of protocol 1 and {len(apps) - half} of protocol 2:"
        f" {by_old} by the old workers, {by_new} by the new ones; {wrong} of protocol 2 taken by an"
        f" old one, {handed} handed back"
    )


def memory() -> float:
    """MB of the largest process that this script has waited for (a worker, a child, Postgres)."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--apps", type=int, default=200)
    parser.add_argument("--part", choices=["all", "growth", "rest"], default="all")
    told = parser.parse_args()
    asked = told.apps
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as name:
        folder = Path(name)
        with (
            shared_postgres(folder / "postgres") as server,
            yard(folder, server.url(), apps=asked, boot=BOOT) as place,
        ):
            print(
                f"truegreen {version('truegreen')}, Python {platform.python_version()},"
                f" {os.cpu_count()} CPUs; {asked} apps, boot {BOOT:g} s\n"
            )
            grown = growth(place, place.apps) if told.part != "rest" else None
            if told.part != "growth":
                rest(place, folder)
            overlaps = overlapping(place)
    print(f"\nships of one app at the same time: {overlaps}")
    print(f"largest process: {memory():.0f} MB")
    if grown is not None:
        print(f"claim: from 1 to 3 workers ≥ {LEAST_GROWTH:g}×; {grown:.2f}×")
    if overlaps or (grown is not None and grown < LEAST_GROWTH):
        sys.exit(1)


def rest(place: Yard, folder: Path) -> None:
    """The queue alone, a takeover, a renewal."""
    print("\n| jobs enqueued | taken and ended |\n|---|---|")
    queue_alone(place)
    print(f"\nkill -9 to a worker and its ship: another has the job after {takeover(place):.1f} s")
    print(f"renewal: {renewal(place, place.apps[:40], folder)}")


if __name__ == "__main__":
    main()
