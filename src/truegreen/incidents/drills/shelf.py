"""Which drills there are: those of this package, and those beside a service's incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from truegreen.config import Config
from truegreen.errors import ConfigError, UsageError
from truegreen.incidents.drills.drill import Drill
from truegreen.incidents.drills.drill_file import read_plan
from truegreen.incidents.drills.plan import Plan, Then
from truegreen.incidents.drills.release_smoke import DRILL as RELEASE_SMOKE

_SHIPPED = Path(__file__).parent / "shipped"
FOLDER = "drills"  # below the folder of the reviews


def drills_folder(config: Config) -> Path:
    """Where a service keeps its own drills."""
    return config.root / config.incidents.path / FOLDER


def shipped() -> dict[str, Drill | Plan]:
    """The drills of this package by name, the founding one first."""
    found: dict[str, Drill | Plan] = {RELEASE_SMOKE.name: RELEASE_SMOKE}
    for path in sorted(_SHIPPED.glob("*.toml")):
        found[path.stem] = read_plan(path)
    return found


def drills(config: Config | None) -> dict[str, Drill | Plan]:
    """All drills by name, the service's own last. Raises ConfigError for a file that is none, or
    that has the name of one of this package."""
    found = shipped()
    if config is None:
        return found
    for path in sorted(drills_folder(config).glob("*.toml")):
        if path.stem in found:
            raise ConfigError(
                str(path), "", "has the name of a shipped drill", fix="give it another name"
            )
        found[path.stem] = _with_review(config, read_plan(path, root=config.root))
    return found


def _with_review(config: Config, plan: Plan) -> Plan:
    """The gap then as the drill's review says it, where the drill itself does not."""
    if not plan.incident or plan.then != Then():
        return plan
    from truegreen.incidents.folder import find_review  # YAML: of those that have a review only

    try:
        detection = find_review(config, plan.incident).document.incident.detection
    except UsageError:  # that there is no such review is `incident lint`'s to say
        return plan
    if detection is None:
        return plan
    return replace(plan, then=Then(detection.gap, detection.by))


def names(config: Config | None) -> frozenset[str]:
    """The names alone, without reading a file: also of those that cannot be read."""
    found = {RELEASE_SMOKE.name, *(path.stem for path in _SHIPPED.glob("*.toml"))}
    if config is not None:
        found |= {path.stem for path in drills_folder(config).glob("*.toml")}
    return frozenset(found)


def choose(found: Mapping[str, Drill | Plan], wanted: tuple[str, ...]) -> list[Drill | Plan]:
    """The drills called ``wanted``, each once. UsageError with the nearest name for an unknown."""
    for name in wanted:
        if name not in found:
            near = get_close_matches(name, found, n=1, cutoff=0.5)
            raise UsageError(
                f"there is no drill {name!r}",
                hint=f"did you mean {near[0]}?" if near else "truegreen drill list",
            )
    return [found[name] for name in dict.fromkeys(wanted)]


def as_json(drill: Drill | Plan) -> dict[str, Any]:
    """The drill as ``drill list --json`` tells it."""
    if isinstance(drill, Drill):
        return drill.as_json()
    return {
        "name": drill.name,
        "title": drill.title,
        "checks": [drill.check, *drill.also],
        "within": drill.within,
        "incident": drill.incident,
        "source": "shipped" if drill.root is None else drill.source,
    }
