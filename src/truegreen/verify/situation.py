"""Puts what was read together into one value for the sentence and the diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from truegreen.heroku.models import Release
from truegreen.model import (
    Evidence,
    ReleaseState,
    Schema,
    Situation,
    SmokeFailures,
    Status,
    Text,
    clusters,
)
from truegreen.release.trailer import Phase
from truegreen.verify.observers.release_report import common_reason
from truegreen.verify.observers.schema_head import read_schema
from truegreen.verify.redaction import Redaction
from truegreen.verify.world import World

_T = TypeVar("_T")


def assemble(world: World, evidence: Sequence[Evidence]) -> Situation:
    """The situation of ``world``. Facts that could not be read are None, and nothing is raised."""
    target = _or_none(world.target)
    current = _or_none(world.current)
    phase = _failed_phase(world)
    answers = _or_none(world.health_samples) or ()
    served = next((answer.commit for answer in reversed(answers) if answer.commit), None)
    bare = current is not None and current.slug_id is None and not current.image
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
        required=_required(world, target),
        serves_nothing=bare,
        **_to_explain(world, evidence),
    )


def _required(world: World, target: Release | None) -> tuple[str, ...]:
    """What the question requires; of a container release nobody can ask for a build or a slug, so
    that the app itself must say which commit it is."""
    required = world.question.required
    if target is None or not target.image:
        return required
    kept = [name for name in required if name not in ("build.succeeded", "code.slug")]
    return tuple(dict.fromkeys((*kept, "code.served")))


def _to_explain(world: World, evidence: Sequence[Evidence]) -> dict[str, Any]:
    """What a diagnosis reads beyond the evidence; nothing when every check passed."""
    broken = {item.check for item in evidence if item.status is Status.FAIL}
    if any(i.check == "release.report" and i.status is Status.UNKNOWN for i in evidence):
        broken.add("release.report")
    if not broken:
        return {}
    target = _or_none(world.target)
    slug_id = target.slug_id if target else None
    slug = _or_none(lambda: world.slug(slug_id)) if slug_id else None
    config = _or_none(world.config_vars)
    return {
        "texts": tuple(_texts(world, broken, target, Redaction(config or {}))),
        "commands": slug.process_types if slug else {},
        "config_names": frozenset(config) if config is not None else None,
    }


def _texts(
    world: World, broken: set[str], target: Release | None, redaction: Redaction
) -> Iterator[Text]:
    if "build.succeeded" in broken:
        body = _or_none(world.build_output)
        if body:
            yield Text("build", "output of the build", redaction.of(body))
    if target is not None and broken & _OF_RELEASE:
        body = _or_none(world.output)
        if body:
            yield Text("release", f"output of v{target.version}", redaction.of(body))
    if broken & _OF_LOG and not world.pending():
        body = _or_none(world.log)
        if body:
            yield Text("log", f"log of {world.app_name}", redaction.of(body))


_OF_RELEASE = {"release.command", "release.report", "schema.head"}
_OF_LOG = {"code.dynos", "health.edge", "code.served"}


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
        clusters=clusters(phase.failures),
    )
