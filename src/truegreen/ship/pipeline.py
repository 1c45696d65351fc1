"""One run of ``ship``: gates → baseline → build → release phase → verify → verdict → ledger.

Data goes one way; each step hands on what it found. What was changed is remembered, so that an
interrupted run says so, and the same command goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from truegreen.config import Config
from truegreen.errors import ConfigError, Interrupted, PlatformRefused, Refused, Unverified
from truegreen.gates.result import GateResult
from truegreen.heroku import HerokuClient
from truegreen.heroku.localhost import client as http_client
from truegreen.heroku.models import Release
from truegreen.ledger import Ledger
from truegreen.model import ReleaseState, Status, Verdict, short
from truegreen.outputs.document import verification_document
from truegreen.ship.manifest import Manifest, read_manifest
from truegreen.ship.progress import Journal, StepState, Watcher
from truegreen.ship.source import Source
from truegreen.ship.steps import (
    Built,
    baseline,
    find_or_create_app,
    find_or_create_build,
    find_or_create_release,
    follow_release,
    scale_first,
    wait_for_dynos,
    wait_for_first_answer,
)
from truegreen.ship.target import Target
from truegreen.ship.verification import PROBE_TIMEOUT, ask, question_for
from truegreen.verify.probe import Prober
from truegreen.verify.run import Verification

GateAnswers = Callable[[], Sequence[GateResult]]
PATIENCE = 20.0  # seconds in which one question to the platform is asked again
AWAY_PATIENCE = 5.0  # … and once it has been away for longer than its own patience
SETTLE = 15.0  # seconds in which old dynos may still answer
_PLATFORM_TIME = ("build", "release", "boot")  # what is the platform's to spend, not ours


@dataclass(slots=True)
class Run:
    """What one run has done so far."""

    journal: Journal
    timings: dict[str, float] = field(default_factory=dict)
    changed: bool = False
    booted: bool = False  # its dynos are up: then old ones may still be leaving
    away: bool = False  # the platform gave no answer in the middle
    notes: list[str] = field(default_factory=list)
    baseline: Release | None = None

    def mark_changed(self) -> None:
        self.changed = True

    @contextmanager
    def step(self, name: str, text: str = "") -> Iterator[Step]:
        self.journal.step(name, StepState.RUNNING, text)
        began = time.monotonic()
        step = Step()
        try:
            yield step
        except BaseException as error:
            told = str(error) or type(error).__name__
            self.journal.step(name, StepState.FAILED, told)
            raise
        else:
            self.journal.step(name, step.state, step.text)
        finally:
            self.timings[name] = time.monotonic() - began


@dataclass(slots=True)
class Step:
    """How a step ended, to be filled in by it."""

    state: StepState = StepState.DONE
    text: str = ""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The end of a run: the document of the contract, and the verdict in it."""

    document: dict[str, Any]
    verdict: Verdict


def ship(
    config: Config,
    source: Source,
    find: Callable[[], Target],
    watcher: Watcher,
    *,
    ledger: Ledger,
    gates: GateAnswers | None = None,
) -> Shipped:
    """Ships ``source`` and returns what is true afterwards; a run that got so far is recorded.

    ``gates`` gives the gates' answers (None: none is asked), before anything is changed. ``find``
    gives the target, and may start the embedded platform. Raises Refused when a gate is
    shut, UsageError for what can be known before anything is changed, and Interrupted when Ctrl-C
    came after something was changed. A platform that goes away after that is no exception but an
    unverified verdict.
    """
    began = time.monotonic()
    run = Run(Journal(watcher))
    manifest = read_manifest(config.root)
    target: Target | None = None
    try:
        _gates(run, gates)
        with run.step("platform") as step:
            target = find()
            step.text = target.api
        with target.client(patience=PATIENCE) as client:
            _account(client)
            output = _change(run, client, config, source, target, manifest)
        with target.client(patience=AWAY_PATIENCE if run.away else PATIENCE) as client:
            verification = _verify(run, client, config, source, target, output)
    except KeyboardInterrupt as error:
        if not run.changed:
            raise
        _record_interruption(run, ledger, target, source, time.monotonic() - began)
        raise Interrupted(
            f"interrupted in step {_last_step(run)}, after something was changed",
            hint="the same command goes on from there",
        ) from error
    total = time.monotonic() - began
    document = verification_document(
        verification.situation,
        timings=_timings(run, total),
        events=run.journal.events,
        notes=run.notes,
        baseline=_state(run.baseline),
    )
    ledger.append(
        "ship",
        app=target.app,
        commit=source.commit,
        verdict=str(verification.verdict),
        body=document,
    )
    return Shipped(document, verification.verdict)


def _gates(run: Run, answers: GateAnswers | None) -> None:
    if answers is None:
        run.notes.append("no gate was asked")
        return
    with run.step("gates") as step:
        results = answers()
        shut = [result for result in results if not result.open]
        if shut:
            raise Refused("; ".join(_why_shut(one) for one in shut), hint=shut[0].clears)
        step.text = ", ".join(f"{result.name} open" for result in results)


def _why_shut(result: GateResult) -> str:
    return f"gate {result.name}: {result.reason}"


def _account(client: HerokuClient) -> None:
    try:
        client.account()
    except PlatformRefused as error:
        if error.status != 401:
            raise
        raise ConfigError(
            "API token", "", "the platform refused it (401)", fix=error.hint or "log in again"
        ) from error


def _change(
    run: Run,
    client: HerokuClient,
    config: Config,
    source: Source,
    target: Target,
    manifest: Manifest,
) -> str | None:
    """Everything that changes the platform; the release command's output, as far as there is one.

    A platform that goes away in the middle ends this early; the verification then finds out what
    can be found out.
    """
    app = target.app
    try:
        if target.kind == "heroku":
            client.app(app)
        else:
            with run.step("app", app) as step:
                said: list[str] = []
                find_or_create_app(client, app, manifest, said.append)
                step.text = "; ".join(said) or app
        with run.step("baseline") as step:
            run.baseline = baseline(client, app)
            step.text = _told_baseline(run.baseline)
        built = _build(run, client, app, source)
        if built.build.status != "succeeded":
            return None
        return _release(run, client, config, source, target, built, manifest)
    except Unverified as error:
        if not run.changed:
            raise
        run.away = True
        run.notes.append(f"the platform gave no answer in the middle: {error.message}")
        return None


def _told_baseline(release: Release | None) -> str:
    if release is None or not release.slug_id:
        return "nothing serves yet"
    return f"v{release.version} serves"


def _build(run: Run, client: HerokuClient, app: str, source: Source) -> Built:
    with run.step("build", short(source.commit)) as step:
        built = find_or_create_build(
            client, app, source, lambda line: run.journal.output("build", line), run.mark_changed
        )
        if built.reused:
            step.state = StepState.SKIPPED
            step.text = f"{short(source.commit)} was built before: not built again"
            run.notes.append(step.text)
        elif built.build.status == "succeeded":
            step.text = short(source.commit)
        else:
            step.state = StepState.FAILED
            step.text = f"build {built.build.status}"
    return built


def _release(
    run: Run,
    client: HerokuClient,
    config: Config,
    source: Source,
    target: Target,
    built: Built,
    manifest: Manifest,
) -> str | None:
    app = target.app
    with run.step("release") as step:
        release, there = find_or_create_release(client, app, built, source.commit, run.mark_changed)
        if there:
            step.state = StepState.SKIPPED
            step.text = f"v{release.version} carries it already: not released again"
            run.notes.append(step.text)
            return None
        run.journal.step("release", StepState.RUNNING, f"v{release.version}")
        release, output = follow_release(
            client,
            app,
            release,
            config.release.timeout,
            lambda line: run.journal.output("release", line),
        )
        step.text = f"v{release.version} {release.status}"
        if release.status != "succeeded":
            step.state = StepState.FAILED
    if release.current:
        _boot(run, client, config, target, release, manifest)
    return output or None


def _boot(
    run: Run,
    client: HerokuClient,
    config: Config,
    target: Target,
    release: Release,
    manifest: Manifest,
) -> None:
    patience = config.release.boot_timeout
    with run.step("boot", f"v{release.version}") as step:
        if manifest.formation and (run.baseline is None or not run.baseline.slug_id):
            scale_first(client, target.app, manifest.formation)
        dynos = wait_for_dynos(client, target.app, release.version, patience)
        step.text = dynos.observed
        run.booted = dynos.status is Status.PASS
        edge = target.environment.edge or client.app(target.app).edge_url
        if edge and run.booted:
            url = edge.rstrip("/") + config.health.path
            with http_client(timeout=PROBE_TIMEOUT) as http:
                wait_for_first_answer(Prober(http).get, url, SETTLE)


def _verify(
    run: Run,
    client: HerokuClient,
    config: Config,
    source: Source,
    target: Target,
    output: str | None,
) -> Verification:
    with run.step("verify") as step:
        question = question_for(
            config,
            target.environment,
            commit=source.commit,
            settle=SETTLE if run.booted else 0.0,
            report_text=output,
        )
        verification = ask(question, client, on_evidence=run.journal.evidence)
        step.text = str(verification.verdict)
        if verification.verdict is not Verdict.GREEN:
            step.state = StepState.FAILED
    return verification


def _state(release: Release | None) -> ReleaseState | None:
    if release is None:
        return None
    return ReleaseState(release.version, release.status, release.current)


def _timings(run: Run, total: float) -> dict[str, float]:
    told = {name: round(seconds, 3) for name, seconds in run.timings.items()}
    platform = sum(run.timings.get(name, 0.0) for name in _PLATFORM_TIME)
    return {**told, "total": round(total, 3), "overhead": round(total - platform, 3)}


def _last_step(run: Run) -> str:
    return str(run.journal.events[-1]["step"]) if run.journal.events else "start"


def _record_interruption(
    run: Run, ledger: Ledger, target: Target | None, source: Source, total: float
) -> None:
    ledger.append(
        "ship",
        app=target.app if target else "",
        commit=source.commit,
        verdict=None,
        body={
            "interrupted": _last_step(run),
            "events": run.journal.events,
            "timings": _timings(run, total),
            "notes": run.notes,
        },
    )
