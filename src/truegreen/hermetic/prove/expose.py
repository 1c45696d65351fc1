"""What a suite would do without its seal on another machine: run once with that machine's values.

Pins hold, and so does what the seal sets of its own accord (the scratch database): nothing here
can reach what the values lead to elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truegreen.config import Config
from truegreen.errors import Unverified
from truegreen.hermetic.prove.compare import Outcome, differing, printable
from truegreen.hermetic.prove.orders import RESULT
from truegreen.hermetic.prove.plan import Case
from truegreen.hermetic.prove.suite import Prepare, open_server
from truegreen.hermetic.result import LeakedRead, read_result


@dataclass(frozen=True, slots=True)
class Exposure:
    """``changed``: tests that end differently there, with how. ``leaks``: variables that would be
    inherited, by the line that reads them."""

    tests: int
    changed: Mapping[str, Outcome]
    leaks: tuple[LeakedRead, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "tests": self.tests,
            "changed": [
                {"test": test, "outcome": one.state, "message": printable(one.message)}
                for test, one in self.changed.items()
            ],
            "leaks": [
                {"variable": one.variable, "file": one.file, "line": one.line, "count": one.count}
                for one in self.leaks
            ],
        }


def expose(
    config: Config,
    prepare: Prepare,
    environ: Mapping[str, str],
    values: Mapping[str, str],
) -> Exposure:
    """Runs the suite sealed, then with ``values`` set over the seal, and compares.

    ``prepare``: as in ``run.prove``. Raises Unverified when there are no tests or no result.
    """
    with open_server(config, prepare, environ, {}) as (server, sealed):
        tests = server.collect().tests
        foreign = {k: v for k, v in values.items() if k not in sealed.pinned}
        unchanged, exposed = server.run(
            [Case({}, tests, cold=True), Case(foreign, tests, cold=True, recorded=True)]
        )
        result = read_result(exposed.folder / RESULT)
        if not tests:
            raise Unverified("the suite has no tests: nothing can leak", hint=server.tail())
        if result is None:
            raise Unverified("the exposed run came to no result", hint=server.tail())
    changed = differing(unchanged.outcomes, exposed.outcomes, tests)
    return Exposure(
        tests=len(tests),
        changed={test: exposed.outcomes[test] for test in changed},
        leaks=tuple(one for one in result.leaks if one.present and one.variable in foreign),
    )
