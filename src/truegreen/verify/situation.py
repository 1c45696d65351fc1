"""Puts what was read together into one value for the sentence and the diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TypeVar

from truegreen.heroku.models import Release
from truegreen.model import Evidence, ReleaseState, Schema, Situation, SmokeFailures
from truegreen.release.trailer import Phase
from truegreen.verify.observers.release_report import common_reason
from truegreen.verify.observers.schema_head import read_schema
from truegreen.verify.world import World

_T = TypeVar("_T")


def assemble(world: World, evidence: Sequence[Evidence]) -> Situation:
    """The situation of ``world``. Facts that could not be read are None, and nothing is raised."""
    target = _or_none(world.target)
    current = _or_none(world.current)
    phase = _failed_phase(world)
    answers = _or_none(world.health_samples) or ()
    served = next((answer.commit for answer in reversed(answers) if answer.commit), None)
    bare = current is not None and current.slug_id is None
    return Situation(
        app=world.app_name,
        commit=_or_none(world.commit),
        release=_state(world, target),
        serving=None if bare else _state(world, current),
        served_commit=served,
        schema=_schema(world),
        failed_phase=phase.name if phase else None,
        phase_reason=phase.problems[0] if phase and phase.problems else "",
        smoke=_smoke(phase),
        evidence=tuple(evidence),
        required=world.question.required,
        serves_nothing=bare,
    )


def _or_none(read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except Exception:  # noqa: BLE001 - the evidence of the check says what broke
        return None


def _state(world: World, release: Release | None) -> ReleaseState | None:
    if release is None:
        return None
    return ReleaseState(
        version=release.version,
        status=release.status,
        current=release.current,
        commit=_or_none(lambda: world.commit_of(release)),
        description=release.description,
    )


def _failed_phase(world: World) -> Phase | None:
    report = _or_none(world.report)
    if report is None:
        return None
    return next((phase for phase in report.phases if phase.status != "pass"), None)


def _schema(world: World) -> Schema | None:
    found = _or_none(lambda: read_schema(world))
    return found[0] if found else None


def _smoke(phase: Phase | None) -> SmokeFailures | None:
    if phase is None or phase.name != "smoke":
        return None
    return SmokeFailures(
        total=phase.total or 0,
        failed=(phase.failed or 0) + (phase.errors or 0),
        reason=common_reason(phase),
        leaks=tuple(asdict(leak) for leak in phase.leaks),
    )
