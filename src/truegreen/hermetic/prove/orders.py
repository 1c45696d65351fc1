"""What client and fork server say to each other, and the file in which a run leaves its outcomes.

Values and their text form; one JSON object a line, ASCII, so that values that are not UTF-8
(surrogates) travel unharmed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from truegreen.hermetic.prove.compare import Outcome

OUTCOMES = "outcomes.jsonl"
RESULT = "result.json"
COLLECTED = "collected"  # the state of a module that could be imported


@dataclass(frozen=True, slots=True)
class Order:
    """One run. ``values``: variables to set (None: remove) before the application is imported, or
    before the tests of what is imported already. ``tests`` None: all. ``folder``: its own, for
    what it writes. ``collect``: import and collect only, then take orders oneself. ``recorded``:
    who reads what is written down."""

    id: int
    values: Mapping[str, str | None]
    tests: tuple[str, ...] | None
    folder: str
    timeout: float  # seconds
    collect: bool = False
    recorded: bool = True

    def line(self) -> bytes:
        data = {**asdict(self), "values": dict(self.values)}
        return json.dumps(data).encode("ascii") + b"\n"


def parse_order(line: bytes) -> Order:
    data: dict[str, Any] = json.loads(line)
    tests = data.pop("tests")
    return Order(tests=None if tests is None else tuple(tests), **data)


def read_outcomes(folder: Path) -> dict[str, Outcome]:
    """How each test ended, as far as the run came; the last line may be half a one.

    A test that was begun and has no end is ``crashed``: the process ended in it.
    """
    try:
        lines = (folder / OUTCOMES).read_bytes().splitlines()
    except OSError:
        return {}
    found: dict[str, Outcome] = {}
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        before = found.get(said["test"])
        found[said["test"]] = _after(before, said)
    return found


def _after(before: Outcome | None, said: Mapping[str, str]) -> Outcome:
    outcome, when = said["outcome"], said["when"]
    if when == "start":
        return Outcome("crashed")
    if when == "collect":
        return Outcome("error" if outcome == "failed" else COLLECTED, said["message"])
    settled = before if before is not None and before.state != "crashed" else None
    if outcome == "failed":
        if settled is not None and settled.state == "failed":
            return settled
        return Outcome("failed" if when == "call" else "error", said["message"])
    if outcome == "skipped":
        return settled or Outcome("skipped")
    if when == "call":
        return settled or Outcome("passed")
    return before or Outcome("crashed")
