"""``smoke.live``: does the project's own suite pass against what serves?

A process of the project's, with an environment that holds what a process needs, what ``[live]
pass_env`` lets through, and where the app is: ``TRUEGREEN_APP_URL``, ``TRUEGREEN_COMMIT``. No
deploy token. It runs only once the release is current: before that it would test other code.
"""

from __future__ import annotations

import re

from truegreen.model import digest_of
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.live import LiveRun
from truegreen.verify.world import World

EXPECTED = "the suite passes"
_NO_TESTS = 5  # pytest: https://docs.pytest.org/en/stable/reference/exit-codes.html
_COUNTED = re.compile(r"\b(?P<count>\d+) passed\b")


def observe(world: World) -> Answer:
    command = world.question.live.command
    source = " ".join(command)
    target, edge = world.target(), world.edge()
    if target is None or not target.current:
        return unknown("it is not current, so other code would be tested", EXPECTED, source)
    if not edge:
        return unknown("no edge address is known", EXPECTED, source)
    return decide(world.live(), command)


def decide(run: LiveRun, command: tuple[str, ...]) -> Answer:
    """The answer for how the suite ended. Pure."""
    source = " ".join(command)
    more = {
        "digest": digest_of(run.output.encode()),
        "detail": {"exit": run.code, "tail": run.output[-2000:]},
    }
    last = next((line for line in reversed(run.output.splitlines()) if line.strip()), "")
    if run.problem:
        return unknown(run.problem, EXPECTED, source, **more)
    if run.code == _NO_TESTS and "pytest" in source:
        return unknown("the suite has no tests: nothing was asked", EXPECTED, source, **more)
    if run.code != 0:
        return failed(f"exit {run.code}: {last.strip('= ')[:200]}", EXPECTED, source, **more)
    counted = _COUNTED.search(last)
    if "pytest" in source and counted is None:
        return unknown("the suite passed no test", EXPECTED, source, **more)
    return passed(last.strip("= ")[:200] or "exit 0", EXPECTED, source, **more)
