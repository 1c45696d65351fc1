"""A process that has imported everything and forks a ship for each line on its standard input.

Not a test. Each child ships as ``truegreen ship`` does (lease, engine, ledger), and kills itself
with SIGKILL at the moment that the line names: a step's boundary, or before or after a request.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulated_platform import TOKEN

from truegreen.config import load_config
from truegreen.errors import TrueGreenError
from truegreen.heroku.localhost import direct_transport
from truegreen.ledger import Ledger
from truegreen.secret import Secret
from truegreen.ship.durable import DurableEngine
from truegreen.ship.lease import lease_of
from truegreen.ship.leases import Leases
from truegreen.ship.means import Means
from truegreen.ship.pipeline import Guards, ship
from truegreen.ship.progress import StepState
from truegreen.ship.source import read_source
from truegreen.ship.target import Target
from truegreen.state import locate


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Counting(httpx.BaseTransport):
    """Notes each request, and dies before or after the one that it was told."""

    def __init__(self, at: list[Any]) -> None:
        self.at = at
        self.seen: list[str] = []
        self.inner = direct_transport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(f"{request.method} {request.url.path}")
        number = len(self.seen) - 1
        if self.at == ["before", number]:
            die()
        response = self.inner.handle_request(request)
        if self.at == ["after", number]:
            response.read()
            die()
        return response


class Dying:
    """A watcher that dies at a step's boundary, and notes the boundaries that it saw."""

    def __init__(self, at: list[Any]) -> None:
        self.at = at
        self.seen: list[tuple[str, str]] = []

    def step(self, name: str, state: StepState, text: str) -> None:
        self.seen.append((name, str(state)))
        if self.at == ["step", name, str(state)]:
            die()

    def output(self, step: str, line: str) -> None:
        return

    def evidence(self, item: object) -> None:
        return


def run(told: dict[str, Any]) -> dict[str, Any]:
    root = Path(told["root"])
    config, source = load_config(root), read_source(root)
    location = locate(root, told["environ"])
    transport, watcher = Counting(told["at"]), Dying(told["at"])
    environment = config.environments["production"]
    target = Target("url", told["api"], Secret(TOKEN), environment, Means(transport=transport))
    with Ledger.open(location) as ledger:
        try:
            shipped = ship(
                config,
                source,
                lambda: target,
                watcher,
                ledger=ledger,
                guards=Guards(
                    engine=lambda: DurableEngine.start(location),
                    lease=lambda app, tell: lease_of(
                        lambda: Leases.open(location), app, source.commit, wait=told.get("wait")
                    ),
                ),
            )
        except TrueGreenError as error:
            return {"exit": error.exit_code, "said": str(error)}
    return {
        "exit": shipped.verdict.exit_code,
        "verdict": str(shipped.verdict),
        "sentence": shipped.document["sentence"],
        "notes": shipped.document["notes"],
        "steps": watcher.seen,
        "requests": transport.seen,
    }


def main() -> None:
    for line in sys.stdin:
        told = json.loads(line)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as out:
                json.dump(run(told), out)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(json.dumps({"killed": killed, "result": json.loads(text) if text else None}),
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
