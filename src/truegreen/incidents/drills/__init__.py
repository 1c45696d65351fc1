"""Drills: faults put into the embedded platform that named checks must report, with a control.

A drill is a TOML file (``plan``, ``drill_file``, ``shelf``) that is played on a stage (``scene``,
``asking``, ``play``, ``show``) and judged (``detection``); the founding one is written in Python
(``release_smoke``, ``judge``).
"""

from truegreen.incidents.drills.drill import Drill, DrillResult, DrillRun
from truegreen.incidents.drills.plan import Plan
from truegreen.incidents.drills.shelf import choose, drills, names
from truegreen.incidents.drills.show import Demand, exit_code, run_drills

__all__ = [
    "Demand",
    "Drill",
    "DrillResult",
    "DrillRun",
    "Plan",
    "choose",
    "drills",
    "exit_code",
    "names",
    "run_drills",
]
