"""A new release of a slug that is there already, followed to its end and verified like any deploy.

What ``retry`` and ``rollback`` have in common. Which slug, and whether at all, is theirs to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from truegreen.config import Config
from truegreen.errors import Interrupted, Unverified
from truegreen.heroku import HerokuClient
from truegreen.heroku.localhost import client as http_client
from truegreen.heroku.models import Release
from truegreen.ledger import Ledger
from truegreen.model import ReleaseState, Status, Verdict
from truegreen.outputs.document import verification_document
from truegreen.ship.environments import env_option
from truegreen.ship.means import PROBE_TIMEOUT
from truegreen.ship.overriding import recorded, told
from truegreen.ship.progress import Journal, StepState, Watcher
from truegreen.ship.steps import follow_release, wait_for_dynos, wait_for_first_answer
from truegreen.ship.target import Target
from truegreen.ship.verification import ask, question_for
from truegreen.verify.probe import Prober

SETTLE = 15.0  # seconds in which old dynos may still answer


@dataclass(frozen=True, slots=True)
class Again:
    """The end of it: the document of the contract, and the verdict in it."""

    document: dict[str, Any]
    verdict: Verdict


def release_again(
    kind: str,
    config: Config,
    target: Target,
    client: HerokuClient,
    make: Callable[[], Release],
    *,
    commit: str | None,
    before: Release | None,
    notes: list[str],
    ledger: Ledger,
    watcher: Watcher,
) -> Again:
    """Makes a release with ``make``, follows it, verifies ``commit`` on it, and records all of it.

    ``kind`` (``retry`` or ``rollback``) names the record. Raises Interrupted when Ctrl-C comes
    while the release is made, or after: it then goes on at the platform, and verify tells its end.
    """
    began = time.monotonic()
    here = env_option(config, target.environment)
    journal = Journal(watcher)
    timings: dict[str, float] = {}
    journal.step(kind, StepState.RUNNING, "")
    try:
        release = make()
    except KeyboardInterrupt as error:
        raise Interrupted(
            "interrupted while a release was asked for; it may have been made",
            hint=f"truegreen releases{here}",
        ) from error
    try:
        journal.step(kind, StepState.DONE, release.label)
        with _timed(timings, "release"):
            release, output = _follow(client, target.app, release, config, journal)
        booted = False
        if release.current:
            with _timed(timings, "boot"):
                booted = _boot(client, target, release, config, journal)
        with _timed(timings, "verify"):
            question = question_for(
                config,
                target.environment,
                commit=commit,
                version=release.version,
                settle=SETTLE if booted else 0.0,
                report_text=output or None,
            )
            verification = ask(question, client, on_evidence=journal.evidence)
    except KeyboardInterrupt as error:
        body = {"interrupted": release.label, "events": journal.events, "notes": notes}
        ledger.append(kind, app=target.app, commit=commit, verdict=None, body=body)
        raise Interrupted(
            f"interrupted after {release.label} was made; it goes on at the platform",
            hint=f"truegreen verify{here} --release {release.label}",
        ) from error
    timings["total"] = round(time.monotonic() - began, 3)
    document = verification_document(
        verification.situation,
        timings=timings,
        events=journal.events,
        notes=notes,
        overrides=told(recorded(ledger, target.app, verification.situation.commit)),
        baseline=_state(before),
    )
    ledger.append(
        kind,
        app=target.app,
        commit=verification.situation.commit,
        verdict=str(verification.verdict),
        body=document,
    )
    return Again(document, verification.verdict)


class _timed:
    """Writes the seconds that a block took into ``timings``."""

    def __init__(self, timings: dict[str, float], name: str) -> None:
        self._timings, self._name = timings, name

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._timings[self._name] = round(time.monotonic() - self._began, 3)


def _follow(
    client: HerokuClient, app: str, release: Release, config: Config, journal: Journal
) -> tuple[Release, str]:
    journal.step("release", StepState.RUNNING, release.label)
    try:
        done, output = follow_release(
            client,
            app,
            release,
            config.release.timeout,
            lambda line: journal.output("release", line),
        )
    except Unverified as error:  # the verification finds out what can be found out
        journal.step("release", StepState.FAILED, error.message)
        return release, ""
    ended = StepState.DONE if done.status == "succeeded" else StepState.FAILED
    journal.step("release", ended, f"{done.label} {done.status}")
    return done, output


def _boot(
    client: HerokuClient, target: Target, release: Release, config: Config, journal: Journal
) -> bool:
    journal.step("boot", StepState.RUNNING, release.label)
    try:
        dynos = wait_for_dynos(client, target.app, release.version, config.release.boot_timeout)
        up = dynos.status is Status.PASS
        edge = target.environment.edge or client.app(target.app).edge_url
    except Unverified as error:
        journal.step("boot", StepState.FAILED, error.message)
        return False
    if up and edge:
        with http_client(timeout=PROBE_TIMEOUT) as http:
            url = edge.rstrip("/") + config.health.path
            wait_for_first_answer(Prober(http).get, url, SETTLE)
    journal.step("boot", StepState.DONE if up else StepState.FAILED, dynos.observed)
    return up


def _state(release: Release | None) -> ReleaseState | None:
    if release is None or release.slug_id is None:
        return None  # nothing was serving
    return ReleaseState(release.version, release.status, release.current)
