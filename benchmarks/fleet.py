"""A thousand apps watched under one token: calls an hour, seconds to a failed release, memory.

python3 bootstrap.py python benchmarks/fleet.py [--apps N] [--hours H] [--rate R]

The API is the embedded platform's own, over HTTP, with its real release commands; its dynos are on
paper. The calls are counted by the API, not by the watch.

Part 1, without webhooks, on a clock that runs R times as fast (injected; each call is real): the
hour in which every app is looked at for the first time, and one after it, with releases that fail
in both. Part 2, with webhooks, in real time: `truegreen board` and two `truegreen watch --all` as
processes of their own. Part 3: what scale.py computes with. Under three minutes.
"""

from __future__ import annotations

import argparse
import bisect
import contextlib
import json
import os
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import fleet_scale
import httpx
from board import memory
from embedded_stage import Table
from fleet_stage import READY, calls, name_of

from truegreen.embedded import locate
from truegreen.watch import Terms

HERE = Path(__file__).parent
HOLD = 1.5  # seconds that a release is pending in part 2
GRANTED, BY_HOOK, BY_LIST, MEMORY = 4500, 5.0, 300.0, 200.0
SECRET = "fleet-s3cret"


@dataclass(frozen=True)
class Api:
    """The platform as who deploys sees it; none of this is the watch's."""

    url: str
    token_file: Path
    web: httpx.Client

    def fail(self, app: str, hold: float) -> float:
        """Makes a release of ``app`` whose command fails after ``hold`` seconds; CLOCK_MONOTONIC
        when it had failed."""
        config = {"FAIL": "1", "HOLD": f"{hold:g}"}
        self.web.patch(f"/apps/{app}/config-vars", json=config).raise_for_status()
        while True:
            newest = self.web.get(
                f"/apps/{app}/releases", headers={"Range": "version ..; max=1, order=desc"}
            ).json()[0]
            if newest["status"] == "failed":
                return time.monotonic()
            time.sleep(0.01)


class Lines:
    """What a watch says, by who is asked for: the moment of each app's failed release."""

    def __init__(self) -> None:
        self._told: queue.Queue[tuple[str, float]] = queue.Queue()
        self._seen: dict[str, float] = {}
        self.last = ""

    def read(self, stream: IO[str]) -> None:
        for line in stream:
            self.last = line
            if line.rstrip().endswith(" failed"):
                self._told.put((line.split()[-3], time.monotonic()))

    def heard(self, app: str, timeout: float) -> float | None:
        """When ``app``'s failed release was told; None when it was not within ``timeout``."""
        until = time.monotonic() + timeout
        while app not in self._seen:
            try:
                name, at = self._told.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return None
            self._seen.setdefault(name, at)
        return self._seen[app]


class Stalls:
    """The longest time (seconds) in which this machine let nobody run: with a clock that runs
    faster, it is as much longer."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._ended = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(0.01):
            now = time.monotonic()
            self.longest = max(self.longest, now - before - 0.01)
            before = now

    def stop(self) -> None:
        self._ended.set()


@contextlib.contextmanager
def running(*command: str, folder: Path, err: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A process of ours; stderr is read when ``err``, else stdout. Ended with SIGTERM."""
    pipes: dict[str, Any] = {"stderr": subprocess.PIPE} if err else {"stdout": subprocess.PIPE}
    environ = {**os.environ, "WEBHOOK_SECRET": SECRET}
    with subprocess.Popen(command, text=True, cwd=folder, env=environ, **pipes) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def service(folder: Path, api: Api) -> Path:
    folder.mkdir()
    (folder / "truegreen.toml").write_text(
        f'[service]\nname = "fleet"\n[env.production]\napp = "{name_of(0)}"\n'
        f'platform = "{api.url}"\ntoken = "file:{api.token_file}"\n',
        encoding="utf-8",
    )
    return folder


def most_in_an_hour(at: Sequence[float]) -> int:
    """Of moments in order (seconds): the most within any 3,600 seconds."""
    return max((bisect.bisect(at, one + 3600) - n for n, one in enumerate(at)), default=0)


def without_webhooks(
    folder: Path, stage: Path, api: Api, table: Table, rate: float, hours: float
) -> dict[str, Any]:
    """Part 1. Failed releases of apps that nobody has looked at yet, and of apps that were."""
    apps = len(api.web.get("/apps").json())
    began = time.monotonic()
    seconds = hours * 3600
    lines, lasted, stalls = Lines(), [], Stalls()
    command = (
        sys.executable, str(HERE / "fleet_watch.py"), str(service(folder / "polled", api)),
        "--api", api.url, "--token-file", str(api.token_file), "--calls", str(GRANTED),
        "--rate", str(rate), "--began", str(began), "--seconds", str(seconds),
    )  # fmt: skip
    with running(*command, folder=folder) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=lines.read, args=(process.stdout,))
        reader.start()
        chosen = random.Random(9).sample(range(apps), apps)
        ends = began + (seconds - 600) / rate
        time.sleep(300 / rate)
        while time.monotonic() < ends:
            app = name_of(chosen.pop())
            failed = api.fail(app, hold=random.Random(len(chosen)).uniform(0, 120 / rate))
            told = lines.heard(app, timeout=1200 / rate)
            lasted.append(float("inf") if told is None else (told - failed) * rate)
            time.sleep(30 / rate)
        process.wait(120)
        reader.join()
    stalls.stop()
    found: dict[str, Any] = json.loads(lines.last)
    asked = calls(stage, began)
    at = [(call.at - began) * rate for call in asked]
    table.row(
        f"{apps:,} apps, calls in the fullest hour of {hours:g} (counted by the API)",
        f"{most_in_an_hour(at):,}", f"≤ {GRANTED:,}", holds=most_in_an_hour(at) <= GRANTED,
    )  # fmt: skip
    table.row(
        f"a failed release seen without webhooks, {len(lasted)} of them",
        f"median {statistics.median(lasted):.0f} s, worst {max(lasted):.0f} s",
        f"≤ {BY_LIST:.0f} s", holds=max(lasted) <= BY_LIST,
    )  # fmt: skip
    table.row(
        "memory of the watch, at most", f"{found['resident_most']:.0f} MB", f"≤ {MEMORY:.0f} MB",
        holds=found["resident_most"] <= MEMORY,
    )  # fmt: skip
    late = [call for call, moment in zip(asked, at, strict=True) if moment > seconds - 3600]
    unchanged = sum(call.status == 304 for call in late) / len(late)
    table.row("answers in the last hour that were 304", f"{100 * unchanged:.0f} %")
    table.row("the round: the look that is longest ago, at the end",
              f"{found['pressure']['round'] / 60:.0f} min")  # fmt: skip
    table.row("longest wait of an app that was to be looked at next",
              f"{found['pressure']['most_behind']:.0f} s")  # fmt: skip
    table.row("of that, this machine stood still for (its clock's time)",
              f"{stalls.longest * rate:.0f} s")  # fmt: skip
    return {**found, "asked": asked, "at": at}


def with_webhooks(
    folder: Path, stage: Path, api: Api, table: Table, failures: int
) -> dict[str, float]:
    """Part 2, in real time."""
    apps = len(api.web.get("/apps").json())
    place = service(folder / "hooked", api)
    own = (sys.executable, "-m", "truegreen")
    board = (*own, "board", str(place), "--port", "0", "--hints-secret", "env:WEBHOOK_SECRET")
    watch = (*own, "watch", str(place), "--all", "--calls", str(GRANTED))
    lines = Lines()
    with contextlib.ExitStack() as stack:
        serving = stack.enter_context(running(*board, folder=folder, err=True))
        assert serving.stderr is not None
        address = serving.stderr.readline().strip()
        watches = [stack.enter_context(running(*watch, folder=folder)) for _ in range(2)]
        for one in watches:
            assert one.stdout is not None
            threading.Thread(target=lines.read, args=(one.stdout,), daemon=True).start()
        failing = random.Random(5).sample(range(apps), 2 * failures)
        hook = {"url": f"{address}hints", "include": ["api:release"], "level": "sync",
                "secret": SECRET}  # fmt: skip
        for number in failing:
            made = api.web.post(f"/apps/{name_of(number)}/webhooks", json=hook)
            made.raise_for_status()
        page = httpx.Client(base_url=address)
        while sum(one["apps"] for one in page.get("/watch.json").json()["watches"]) < apps:
            time.sleep(0.2)  # until both have listed the apps
        time.sleep(6)  # and have divided them
        began = time.monotonic()
        took = []
        for number in failing[:failures]:
            failed = api.fail(name_of(number), hold=HOLD)
            told = lines.heard(name_of(number), timeout=60)
            took.append(float("inf") if told is None else told - failed)
            time.sleep(max(0.0, 5.0 - took[-1]))
        table.row(
            f"a failed release seen by webhook, {failures} of them, 2 watches, real time",
            f"median {statistics.median(took):.1f} s, worst {max(took):.1f} s",
            f"≤ {BY_HOOK:.0f} s", holds=max(took) <= BY_HOOK,
        )  # fmt: skip
        ended = [api.fail(name_of(number), hold=0) for number in failing[failures:]]
        heard = [lines.heard(name_of(number), timeout=60) for number in failing[failures:]]
        late = [float("inf") if h is None else h - e for h, e in zip(heard, ended, strict=True)]
        table.row(f"the same, {failures} at once", f"worst {max(late):.1f} s")
        asked = calls(stage, began)
        spent = len(asked)
        told = page.get("/watch.json").json()
        terms = Terms.within(GRANTED)
        granted = terms.rate * (time.monotonic() - began) + terms.burst
        table.row(
            "calls of both watches in that time", f"{spent} in {time.monotonic() - began:.0f} s",
            f"≤ {granted:.0f} ({terms.burst:.0f} at once)", holds=spent <= granted,
        )  # fmt: skip
        table.row("what the board's page of watches says then", told["sentence"])
        for one, name in ((watches[0], "a watch"), (watches[1], "the other"), (serving, "board")):
            most = memory(one.pid, "VmHWM")
            table.row(f"memory of {name}, at most", f"{most:.0f} MB", f"≤ {MEMORY:.0f} MB",
                      holds=most <= MEMORY)  # fmt: skip
        rate = fleet_scale.flood(table, address, SECRET)
        apps_failed = [name_of(number) for number in failing[:failures]]
        return {
            "hints": rate,
            "release": fleet_scale.calls_of_a_release(asked, apps_failed, began),
        }


@contextlib.contextmanager
def staged(folder: Path, apps: int) -> Iterator[Api]:
    command = (sys.executable, str(HERE / "fleet_stage.py"), str(folder), "--apps", str(apps))
    with running(*command, folder=HERE, err=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.strip() == READY:
                break
        threading.Thread(target=process.stderr.read, daemon=True).start()
        info = locate.find_running(folder)
        assert info is not None
        token = info.token().reveal()
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "who deploys"}
        with httpx.Client(base_url=info.api, headers=headers, timeout=30) as web:
            yield Api(info.api, info.token_file, web)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=2.0, help="of part 1, by its clock")
    parser.add_argument("--rate", type=float, default=90.0, help="how fast that clock runs")
    parser.add_argument("--failures", type=int, default=8, help="of part 2")
    chosen = parser.parse_args()
    table = Table()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="truegreen-fleet-") as name:
        folder, stage = Path(name), Path(name) / "platform"
        stage.mkdir()
        with staged(stage, chosen.apps) as api:
            print(
                f"{chosen.apps:,} apps; part 1 on a clock {chosen.rate:g} times as fast, part 2 in"
                " real time\n\n| what | measured | claim | |\n|---|---|---|---|"
            )
            found = without_webhooks(folder, stage, api, table, chosen.rate, chosen.hours)
            hooked = with_webhooks(folder, stage, api, table, chosen.failures)
        measured = fleet_scale.measured(found, hooked, folder)
    print(f"\n{time.monotonic() - began:.0f} s in all\n")
    print(fleet_scale.arithmetic(measured))
    sys.exit(0 if table.held else 1)


if __name__ == "__main__":
    main()
