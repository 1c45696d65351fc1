"""Asks the question of a drill about a scene, and notes when each answer came.

The answers are ship's, verify's and rollback's own; nothing is judged here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from truegreen.errors import Refused, UsageError
from truegreen.incidents.drills.detection import Observed
from truegreen.incidents.drills.scene import Scene
from truegreen.ledger import Ledger
from truegreen.model import Evidence
from truegreen.outputs.document import verification_document
from truegreen.ship.progress import Nobody
from truegreen.ship.rollback import plan, roll_back
from truegreen.ship.verification import ask, question_for


@dataclass(slots=True)
class Clockwork(Nobody):
    """A watcher that notes when (time.monotonic()) each check was answered first."""

    at: dict[str, float] = field(default_factory=dict)

    def evidence(self, item: Evidence) -> None:
        self.at[item.check] = time.monotonic()


def ask_about(scene: Scene) -> Observed:
    """What the drill's question comes to. Raises what ship, verify and rollback raise, except
    a refusal, which is an answer."""
    how = {"ship": _ship, "verify": _verify, "rollback": _rollback, "rollback-anyway": _anyway}
    return how[scene.plan.ask](scene)


def _ship(scene: Scene) -> Observed:
    clock = Clockwork()
    try:
        return of_document(scene.shipped(clock), clock.at)
    except Refused as error:
        now = time.monotonic()
        return Observed("refused", error.message, {"forward": "fail"}, {"forward": now})


def _verify(scene: Scene) -> Observed:
    clock = Clockwork()
    commit = scene.commit()
    config, environment = scene.config()
    question = question_for(config, environment, commit=commit)
    with scene.stage.client() as client:
        verification = ask(question, client, on_evidence=clock.evidence)
    document = verification_document(verification.situation, timings={})
    return of_document(document, clock.at)


def _rollback(scene: Scene) -> Observed:
    config, environment = scene.config()
    target = scene.stage.target(environment)
    with scene.stage.client() as client:
        found = plan(config, target, client, None)
    now = time.monotonic()
    answers = {f"rollback.{one.name}": str(one.status) for one in found.asked}
    clock = Clockwork(dict.fromkeys(answers, now))
    try:
        document = _back(scene, "", clock)
    except Refused as error:
        return Observed("refused", error.message, answers, clock.at)
    observed = of_document(document, clock.at)
    return Observed(
        observed.verdict, observed.sentence, {**answers, **observed.answers}, clock.at,
        observed.findings, document,
    )  # fmt: skip


def _anyway(scene: Scene) -> Observed:
    clock = Clockwork()
    return of_document(_back(scene, "the drill wants to see it", clock), clock.at)


def _back(scene: Scene, anyway: str, clock: Clockwork) -> dict[str, Any]:
    config, environment = scene.config()
    target = scene.stage.target(environment)
    try:
        with Ledger.open(scene.stage.folder / "ledger.sqlite3") as ledger:
            return roll_back(
                config, target, None, anyway=anyway, ledger=ledger, watcher=clock
            ).document
    except UsageError as error:
        raise UsageError(
            f"the drill has nothing to go back to: {error.message}",
            hint="its [[before]] steps have to ship twice",
        ) from error


def of_document(document: dict[str, Any], at: dict[str, float]) -> Observed:
    """What ship's document says."""
    return Observed(
        verdict=document["verdict"],
        sentence=document["sentence"],
        answers={one["name"]: one["status"] for one in document["checks"] if one["required"]},
        at=at,
        findings=tuple((one["name"], one["sentence"]) for one in document["diagnosis"]),
        document=document,
    )
