"""One run of ``ship``: gates → lease → baseline → build → release → verify → verdict → ledger.

Data goes one way; each step hands on what it found. What was changed is remembered, so that an
interrupted run says so, and the same command goes on from there. The steps that change something
are change.py's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from truegreen.config import Config
from truegreen.errors import Interrupted, Refused, Unverified
from truegreen.heroku import HerokuClient
from truegreen.ledger import Ledger
from truegreen.model import Verdict, required_checks, short
from truegreen.model.canary import Judge, canary_problems
from truegreen.model.verdict import judge
from truegreen.outputs.document import verification_document
from truegreen.ship.ancestry import Kinship, kinship
from truegreen.ship.change import SETTLE, Change, check_token
from truegreen.ship.gating import Asked
from truegreen.ship.lease import Keeps, Lease, LeaseLost, Tell, Unshared, moment
from truegreen.ship.leases import Claim
from truegreen.ship.manifest import Manifest, read_manifest
from truegreen.ship.memory import Engine, Forgetful, Memory, RunKey
from truegreen.ship.overriding import for_the_dyno, record_used, recorded, told
from truegreen.ship.progress import Journal, StepState, Watcher
from truegreen.ship.run import Run
from truegreen.ship.source import Source
from truegreen.ship.target import Target
from truegreen.ship.verification import ask, question_for
from truegreen.verify.run import Verification

GateAnswers = Callable[[], Asked]
# The lease of an app ("API/apps/NAME"), while the context lasts; the second hears of the queue.
TakeLease = Callable[[str, Tell], AbstractContextManager[Lease]]
PATIENCE = 20.0  # seconds in which one question to the platform is asked again
AWAY_PATIENCE = 5.0  # … and once it has been away for longer than its own patience


@dataclass(frozen=True, slots=True)
class Shipped:
    """The end of a run: the document of the contract, the verdict in it, and the number of its
    record in the ledger."""

    document: dict[str, Any]
    verdict: Verdict
    record: int


@dataclass(frozen=True, slots=True)
class Guards:
    """What keeps a run from harm, and what it is spared.

    ``engine`` is asked for when it is needed, so that it may be started meanwhile. ``lease`` None:
    none is taken, where nobody else can be. ``forward_only`` False: what serves may be anything,
    as on a stage. ``allow_rewind``: why code that serves may be taken back, for the record.
    """

    gates: GateAnswers | None = None
    engine: Callable[[], Engine] = Forgetful
    lease: TakeLease | None = None
    forward_only: bool = True
    allow_rewind: str = ""
    judge: Judge = judge


def lease_key(target: Target) -> str:
    """What a lease is of: one app of one platform."""
    return f"{target.api.rstrip('/')}/apps/{target.app}"


def ship(
    config: Config,
    source: Source,
    find: Callable[[], Target],
    watcher: Watcher,
    *,
    ledger: Ledger,
    guards: Guards = Guards(),
) -> Shipped:
    """Ships ``source`` and returns what is true afterwards; a run that got so far is recorded.

    ``find`` gives the target, and may start the embedded platform. Raises Refused when a gate is
    shut, somebody else holds the lease, or the commit would take back what serves; UsageError for
    what can be known before anything is changed; Unverified when the verdict function cannot be
    trusted; Interrupted when Ctrl-C came after something was changed. A platform that goes away
    after that is no exception but an unverified verdict.
    """
    began = time.monotonic()
    check_canaries(config, guards.judge)
    run = Run(Journal(watcher), time.monotonic)
    work = _Work(run, config, source, read_manifest(config.root), ledger, guards, began)
    target: Target | None = None
    try:
        _gates(run, guards.gates, ledger, config)
        with run.step("platform") as step:
            target = find()
            step.text = target.api
        found = target
        with _lease(run, guards, target, ledger) as lease:
            key = RunKey(target.api, target.app, source.commit, source.prefix)
            return guards.engine().run(key, lambda memory: work.do(found, lease, memory))
    except (KeyboardInterrupt, LeaseLost) as error:
        if not run.changed:
            if isinstance(error, LeaseLost):
                raise Refused(error.message, hint=error.hint) from error
            raise
        work.record_interruption(target)
        if isinstance(error, LeaseLost):
            raise
        raise Interrupted(
            f"interrupted in step {run.last_step}, after something was changed",
            hint="the same command goes on from there",
        ) from error


def check_canaries(config: Config, verdict_of: Judge) -> None:
    """Raises Unverified when ``verdict_of`` calls a known-bad record anything but what it is."""
    required = question_for(config, config.environments[config.default_env], commit=None).required
    problems = canary_problems(required or required_checks(), verdict_of)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise Unverified(
            f"canary-red: the verdict function cannot be trusted: {problems[0]}{more}",
            hint="nothing was done; install truegreen again, and verify",
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """What is done under the lease, with a memory."""

    run: Run
    config: Config
    source: Source
    manifest: Manifest
    ledger: Ledger
    guards: Guards
    began: float

    def do(self, target: Target, lease: Keeps, memory: Memory) -> Shipped:
        run = self.run
        with target.client(patience=PATIENCE) as client:
            check_token(client)
            change = Change(
                run, client, self.config, self.source, target, self.manifest, memory, lease,
                self._kin if self.guards.forward_only else None,
                self.guards.allow_rewind,
            )  # fmt: skip
            output = change.make()
        if memory.recalled:
            run.notes.append("gone on from an earlier run: " + ", ".join(memory.recalled))
        with target.client(patience=AWAY_PATIENCE if run.away else PATIENCE) as client:
            verification = self._verify(client, target, output)
        return self._record(target, verification)

    def _kin(self, serving: str, ours: str) -> Kinship:
        return kinship(self.source.repository, serving, ours)

    def _verify(self, client: HerokuClient, target: Target, output: str | None) -> Verification:
        with self.run.step("verify") as step:
            question = question_for(
                self.config,
                target.environment,
                commit=self.source.commit,
                settle=SETTLE if self.run.booted else 0.0,
                report_text=output,
            )
            verification = ask(
                question, client, on_evidence=self.run.journal.evidence, means=target.means
            )
            step.text = str(verification.verdict)
            if verification.verdict is not Verdict.GREEN:
                step.state = StepState.FAILED
        return verification

    def _record(self, target: Target, verification: Verification) -> Shipped:
        document = verification_document(
            verification.situation,
            timings=self.run.told_timings(time.monotonic() - self.began),
            events=self.run.journal.events,
            notes=self.run.notes,
            overrides=self._overrides(target),
            gates=self.run.gates,
            wave=self.run.wave,
            baseline=self.run.baseline.state() if self.run.baseline else None,
        )
        record = self.ledger.append(
            "ship",
            app=target.app,
            commit=self.source.commit,
            verdict=str(verification.verdict),
            body={**document, "committed_at": self.source.committed_at},
        )
        return Shipped(document, verification.verdict, record.id)

    def _overrides(self, target: Target) -> list[dict[str, Any]]:
        earlier = recorded(self.ledger, target.app, self.source.commit)
        return [*told(earlier), *self.run.overrides]

    def record_interruption(self, target: Target | None) -> None:
        run = self.run
        self.ledger.append(
            "ship",
            app=target.app if target else "",
            commit=self.source.commit,
            verdict=None,
            body={
                "interrupted": run.last_step,
                "events": run.journal.events,
                "timings": run.told_timings(time.monotonic() - self.began),
                "notes": run.notes,
                "overrides": self._overrides(target) if target else run.overrides,
                "gates": run.gates,
                "wave": run.wave,
            },
        )


def _gates(run: Run, answers: GateAnswers | None, ledger: Ledger, config: Config) -> None:
    if answers is None:
        run.notes.append("no gate was asked")
        return
    with run.step("gates") as step:
        asked = answers()
        run.gates, run.wave = asked.gates_json(), asked.wave.as_json()
        shut = asked.weighed.shut
        if shut:
            raise Refused(asked.weighed.refusal, hint=shut[0].clears)
        # Recorded before anything is changed: a run that is killed after that was overridden too.
        record_used(ledger, asked.weighed)
        run.beforehand = for_the_dyno(asked.weighed.used, config)
        step.text = asked.weighed.told


@contextmanager
def _lease(run: Run, guards: Guards, target: Target, ledger: Ledger) -> Iterator[Keeps]:
    if guards.lease is None:
        yield Unshared()
        return
    with ExitStack() as held:
        with run.step("lease", target.app) as step:

            def tell(text: str) -> None:
                run.journal.step("lease", StepState.RUNNING, text)

            lease = held.enter_context(guards.lease(lease_key(target), tell))
            step.text = f"until {moment(lease.claim.expires_at)}, renewed while this runs"
            if lease.taken.inherited is not None:
                step.text = f"taken over from {lease.taken.inherited}, who did not give it back"
                run.notes.append(f"lease {step.text}")
            for claim in lease.taken.abandoned:
                _tell_abandoned(run, claim, target, ledger)
        yield lease


def _tell_abandoned(run: Run, claim: Claim, target: Target, ledger: Ledger) -> None:
    """Nobody who waited is dropped silently: it stands in this run's notes and in the ledger."""
    told = f"{claim} waited in the queue and went away: {short(claim.commit)} was not shipped"
    run.notes.append(told)
    body = {"sentence": told, "queued_at": moment(claim.taken_at)}
    ledger.append("queue", app=target.app, commit=claim.commit, verdict=None, body=body)
