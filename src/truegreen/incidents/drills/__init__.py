"""Drills: faults put into the embedded platform that named checks must report, with a control."""

from truegreen.incidents.drills.drill import Drill, DrillResult, DrillRun
from truegreen.incidents.drills.release_smoke import DRILL as RELEASE_SMOKE

DRILLS: tuple[Drill, ...] = (RELEASE_SMOKE,)
BY_NAME = {drill.name: drill for drill in DRILLS}

__all__ = ["BY_NAME", "DRILLS", "Drill", "DrillResult", "DrillRun"]
