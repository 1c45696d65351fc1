"""Drills that were run, in the service's ledger: the board's page of drills is read from there."""

from __future__ import annotations

from collections.abc import Sequence

from truegreen.config import Config
from truegreen.incidents.drills.drill import DrillResult
from truegreen.ledger import Ledger
from truegreen.state import locate

KIND = "drill"  # of the records; their body is DrillResult.as_json() and a sentence


def record(config: Config, results: Sequence[DrillResult]) -> None:
    """One record a drill, where the service keeps a ledger already: drilling begins none."""
    where = locate(config.root)
    if not Ledger.begun(where):
        return
    with Ledger.open(where) as ledger:
        for one in results:
            body = {**one.as_json(), "sentence": f"drill {one.name}: {_told(one)}"}
            ledger.append(KIND, app="", commit=None, verdict=None, body=body)


def _told(one: DrillResult) -> str:
    if one.unmade:
        return f"could not be made: {one.unmade}"
    return "reported as it should be" if one.passed else "; ".join(one.all_problems) or "not held"
