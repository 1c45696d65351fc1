"""Named findings: what the evidence, taken together, says about the cause. Pure.

A finding cites the checks that it rests on and says nothing that they do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from truegreen.model.evidence import Status
from truegreen.model.sentence import short
from truegreen.model.situation import Situation


@dataclass(frozen=True, slots=True)
class Finding:
    """One named cause or risk. ``name`` is stable; ``cites`` are names of checks."""

    name: str
    sentence: str
    cites: tuple[str, ...]
    next_step: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "sentence": self.sentence,
            "cites": list(self.cites),
            "next_step": self.next_step,
        }


def diagnose(situation: Situation) -> tuple[Finding, ...]:
    """All findings that the situation supports, causes before risks."""
    found: list[Finding] = []
    for rule in (
        _platform,
        _build,
        _smoke_environment,
        _release_command,
        _failed_release_serves,
        _schema_ahead,
        _schema_behind,
        _flags,
        _dynos,
        _origin_open,
        _stale_code,
    ):
        found.extend(rule(situation))
    return tuple(found)


def _failed(situation: Situation, check: str) -> bool:
    item = situation.of(check)
    return item is not None and item.status is Status.FAIL


def _platform(situation: Situation) -> Iterator[Finding]:
    unknown = situation.judgement.unknown
    if situation.serving is None and situation.release is None and "release.command" in unknown:
        item = situation.of("release.command")
        why = item.observed if item else "it was never asked"
        yield Finding(
            "platform-unknown",
            f"The platform gave no answer about {situation.app}: {why}.",
            ("release.command",),
            "start or reach the platform, then ask again: truegreen verify",
        )


def _build(situation: Situation) -> Iterator[Finding]:
    if _failed(situation, "build.succeeded"):
        item = situation.of("build.succeeded")
        yield Finding(
            "build-failed",
            f"The build of {short(situation.commit)} failed: {item.observed if item else ''}.",
            ("build.succeeded",),
            "read the build's output; nothing was released",
        )


def _smoke_environment(situation: Situation) -> Iterator[Finding]:
    smoke = situation.smoke
    if situation.failed_phase != "smoke" or smoke is None or not smoke.failed:
        return
    inherited = [leak for leak in smoke.leaks if leak.get("present")]
    if not inherited:
        return
    places = ", ".join(
        f"{leak.get('variable')} read at {leak.get('file')}:{leak.get('line')}"
        for leak in inherited[:3]
    )
    yield Finding(
        "smoke-inherited-environment",
        f"The smoke suite ran with the platform's environment, which it does not pin: {places}.",
        ("release.report",),
        "pin them in [smoke.env] of truegreen.toml and keep the seal on ([smoke] seal = true)",
    )


def _release_command(situation: Situation) -> Iterator[Finding]:
    if _failed(situation, "release.command") and situation.release is not None:
        phase = situation.failed_phase
        where = f" in its phase {phase}" if phase else ", without a report that says where"
        yield Finding(
            "release-command-failed",
            f"The release command of {situation.release.name} failed{where}.",
            ("release.command", "release.report") if phase else ("release.command",),
            "fix the cause and ship again; the platform does not undo what migrate did",
        )


def _failed_release_serves(situation: Situation) -> Iterator[Finding]:
    release, serving = situation.release, situation.serving
    if release is None or release.status != "failed":
        return
    if serving is not None and serving.version == release.version:
        yield Finding(
            "failed-release-serves",
            f"{release.name} is current although its release command failed.",
            ("release.command", "release.current"),
            "roll back to the baseline only after looking at the schema",
        )


def _schema_ahead(situation: Situation) -> Iterator[Finding]:
    schema = situation.schema
    if schema is not None and schema.relation == "ahead":
        serving = situation.serving
        code = f"{serving.name} ({short(serving.commit)})" if serving else "the serving code"
        heads = ", ".join(schema.heads) or "no head"
        yield Finding(
            "schema-ahead-of-code",
            f"The database is at {schema.current}; {code} knows only {heads}.",
            ("schema.head", "release.report"),
            "check that the serving code bears the newer schema; then fix forward",
        )


def _schema_behind(situation: Situation) -> Iterator[Finding]:
    schema = situation.schema
    if schema is not None and schema.relation == "behind":
        heads = ", ".join(schema.heads) or "no head"
        yield Finding(
            "schema-behind-code",
            f"The database is at {schema.current}; the code that serves needs {heads}.",
            ("schema.head",),
            "run the release command again (it migrates), then verify",
        )


def _flags(situation: Situation) -> Iterator[Finding]:
    item = situation.of("flags.config")
    if item is not None and item.status is Status.FAIL:
        yield Finding(
            "flags-unreadable",
            f"The app's config vars do not fit the declared flags: {item.observed}.",
            ("flags.config",),
            "set the variable to a value of its type; a new release follows by itself",
        )


def _dynos(situation: Situation) -> Iterator[Finding]:
    item = situation.of("code.dynos")
    if item is not None and item.status is Status.FAIL and item.detail.get("not_up"):
        yield Finding(
            "dynos-not-up",
            f"Dynos are not up: {item.observed}.",
            ("code.dynos",),
            "read the app's log",
        )


def _origin_open(situation: Situation) -> Iterator[Finding]:
    item = situation.of("health.origin_blocked")
    if item is not None and item.status is Status.FAIL and item.detail.get("open"):
        yield Finding(
            "origin-open",
            f"The origin answers requests that did not come through the edge: {item.observed}.",
            ("health.origin_blocked",),
            "turn the origin guard on: its flag, and its secret on both sides",
        )


def _stale_code(situation: Situation) -> Iterator[Finding]:
    item = situation.of("code.served")
    release = situation.release
    if item is None or item.status is not Status.FAIL or release is None:
        return
    if release.status == "succeeded" and release.current:
        yield Finding(
            "stale-code-served",
            f"{release.name} is current, and the app still answers as other code: {item.observed}.",
            ("code.served", "release.current"),
            "wait for old dynos to leave (preboot: 3 minutes), then verify again",
        )
