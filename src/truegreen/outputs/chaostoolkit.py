"""A drill as an experiment of Chaos Toolkit (https://chaostoolkit.org/reference/api/experiment/).

A drill brings its own stage, fault and control, so the whole of it is the hypothesis, with a
tolerance on its exit status, and nothing is left for the method. It is to be run once:
``chaos run --hypothesis-strategy after-method-only``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST = 600  # seconds
STRATEGY = "after-method-only"


def experiment(drill: Mapping[str, Any]) -> dict[str, Any]:
    """The experiment of a drill as ``drill list --json`` tells it."""
    name, check = drill["name"], drill["checks"][0]
    return {
        "version": "1.0.0",
        "title": drill["title"],
        "description": (
            f"TrueGreen's drill {name}: the fault must be reported by {check}, and a control "
            f"without the fault must stay green. chaos run --hypothesis-strategy {STRATEGY} FILE"
        ),
        "tags": ["truegreen", "drill", check],
        "steady-state-hypothesis": {
            "title": f"{check} reports the fault in time, and the control stays green",
            "probes": [
                {
                    "type": "probe",
                    "name": "run-the-drill",
                    "tolerance": 0,  # exit 1: not detected; 3: the drill could not be made
                    "provider": {
                        "type": "process",
                        "path": "truegreen",
                        "arguments": ["drill", "run", "--", name],
                        "timeout": _LONGEST,
                    },
                }
            ],
        },
        "method": [],
        "rollbacks": [],
    }
