"""Where the drills' service is: Raptor, unless another one is named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from truegreen.errors import UsageError
from truegreen.incidents.drills.drill import Drill
from truegreen.incidents.drills.plan import Plan

_EXAMPLE = Path("examples") / "raptor"


def find_service(named: Path | None) -> Path:
    """The root of the service to drill.

    ``named`` if given; else the current folder or one above it that is or holds Raptor, else the
    one of the checkout that this package was installed from. UsageError when there is none.
    """
    if named is not None:
        return named.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "raptor" / "origin_guard.py").is_file():
            return folder
        if (folder / _EXAMPLE / "raptor" / "origin_guard.py").is_file():
            return folder / _EXAMPLE
    checkout = Path(__file__).resolve().parents[4] / _EXAMPLE
    if (checkout / "Procfile").is_file():
        return checkout
    raise UsageError(
        "Raptor, the drills' service, is not here",
        hint="run it in a checkout of TrueGreen, or name the service with --service DIR",
    )


def needed(drills: Iterable[Drill | Plan]) -> bool:
    """Whether one of ``drills`` drills Raptor itself."""
    return any(isinstance(drill, Drill) for drill in drills)
