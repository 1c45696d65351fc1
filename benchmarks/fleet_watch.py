"""One watch of fleet.py on a clock that runs faster: all that ``truegreen watch --all`` does, with
the clock that it is given. Prints each line with the hour's second at which it was said, and at the
end one line of JSON."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from truegreen.heroku import HerokuClient
from truegreen.ledger import Ledger
from truegreen.secret import Secret
from truegreen.state import locate
from truegreen.watch.budget import Terms
from truegreen.watch.run import look_on
from truegreen.watch.shared_budget import budget_key
from truegreen.watch.together import Together, lasting


def resident() -> float:
    """MB now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", type=Path)
    parser.add_argument("--api", required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="seconds a second")
    parser.add_argument("--began", type=float, required=True, help="CLOCK_MONOTONIC at second 0")
    parser.add_argument("--seconds", type=float, required=True, help="by the faster clock")
    chosen = parser.parse_args()

    def clock() -> float:
        return float((time.monotonic() - chosen.began) * chosen.rate)

    def say(line: str) -> None:
        print(f"{clock():.1f} {line}", flush=True)

    token = Secret(chosen.token_file.read_text(encoding="ascii").strip())
    where = locate(chosen.service)
    with HerokuClient(chosen.api, token) as client, Ledger.lasting(where) as ledger:
        together = Together(
            lasting(where), budget_key(chosen.api, token), Terms.within(chosen.calls),
            every_app=True, clock=clock, database_clock=clock,
        )  # fmt: skip
        client.rate_limit()  # what a watch of one app holds as well: the connection, its buffers
        before, began = resident(), time.process_time()
        found = look_on(
            client, None, ledger=ledger, seconds=chosen.seconds - clock(), every=10.0,
            calls_per_hour=chosen.calls, say=say, clock=clock,
            sleep=lambda seconds: time.sleep(seconds / chosen.rate), together=together,
        )  # fmt: skip
        told = {
            **found.as_json(), "changes": len(found.changes), "cpu": time.process_time() - began,
            "resident_before": before, "resident_after": resident(),
            "resident_most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }  # fmt: skip
    print(json.dumps(told), flush=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
