"""From a configuration and a commit to the question that the gates are asked: who reads the facts.

Only reads. A platform that is away, or a ledger that is not there, is said in the fact itself. What
talks to a platform is imported when a gate wants to know: the freeze does not wait for httpx.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from truegreen.config import Config, Environment
from truegreen.errors import PlatformRefused, TrueGreenError
from truegreen.gates.question import Question
from truegreen.gates.serving import Past, Serving
from truegreen.ledger import Ledger
from truegreen.secret import lent
from truegreen.ship.environments import GITHUB_TOKEN
from truegreen.state import Location, locate

if TYPE_CHECKING:
    from truegreen.gates.rehearsed import Rehearsed
    from truegreen.gates.schema_at import SchemaAt
    from truegreen.heroku import HerokuClient

PATIENCE = 5.0  # seconds in which the platform is asked again what serves
_RUNS = 20  # earlier runs that say how long one takes


def question_of(
    config: Config,
    environment: Environment,
    *,
    platform: str | None = None,
    commit: str = "HEAD",
    now: datetime | None = None,
    output: int | None = 2,
    start: bool = False,
) -> Question:
    """The question about shipping ``commit`` to ``environment`` at ``now`` (default: this moment).

    ``platform`` overrides the environment's own. The platform is asked when a gate wants to know
    what serves, and not before. ``start``: an embedded platform that was there before and does not
    run is started for that, as a release would do.
    """
    return Question(
        config,
        environment,
        commit=commit,
        now=now,
        environ=lent(GITHUB_TOKEN),
        output=output,
        read_serving=lambda: read_serving(config, environment, platform, start=start),
        read_past=lambda: read_past(locate(config.root), environment.app),
        read_schema=lambda: _schema(config, environment, platform, start=start),
        read_rehearsal=lambda serving: _rehearsal(config, environment, platform, commit, serving),
    )


def _schema(
    config: Config, environment: Environment, platform: str | None, *, start: bool
) -> SchemaAt:
    from truegreen.ship.schema_at import read_schema

    return read_schema(config, environment, platform, start=start)


def _rehearsal(
    config: Config, environment: Environment, platform: str | None, commit: str, serving: Serving
) -> Rehearsed:
    from truegreen.ship.rehearsing import read_rehearsal

    return read_rehearsal(config, environment, platform, commit, serving)


def read_serving(
    config: Config, environment: Environment, platform: str | None, *, start: bool = False
) -> Serving:
    """What serves in ``environment`` now, as the platform says. Never raises."""
    from truegreen.embedded.locate import data_dir
    from truegreen.ship.target import find_target

    embedded = (platform or environment.platform) == "embedded"
    if embedded and not data_dir(config.root).is_dir():
        return Serving(None, None, True, "no platform was ever started here")
    try:
        target = find_target(config, environment, platform, start=start)
        with target.client(patience=PATIENCE) as client:
            return _serving(client, environment.app)
    except TrueGreenError as error:
        return Serving(None, None, False, error.message)


def _serving(client: HerokuClient, app: str) -> Serving:
    from truegreen.verify.choose import current_release

    try:
        release = current_release(client.releases(app))
    except PlatformRefused as error:
        if error.status != 404:
            raise
        return Serving(None, None, True, f"there is no app {app} yet")
    if release is None or not release.slug_id:
        return Serving(None, None, True, "nothing serves yet")
    commit = client.slug(app, release.slug_id).commit
    if not commit:
        why = f"the slug of v{release.version} names no commit"
        return Serving(None, release.version, False, why)
    return Serving(commit, release.version, True)


def read_past(where: Location, app: str) -> Past:
    """The earlier runs of ``app`` as the ledger has them; nothing without a ledger that
    can be read. A run that found everything done already says nothing about how long one takes."""
    if not Ledger.begun(where):
        return Past()
    durations: list[float] = []
    try:
        with Ledger.open(where) as ledger:
            last = ledger.last(kind="ship", app=app)
            for record in ledger.records(kind="ship", verdict="green", app=app, newest_first=True):
                timings = record.body.get("timings") or {}
                if timings.get("release"):
                    waited = float(timings.get("lease", 0.0))  # in the queue
                    durations.append(float(timings["total"]) - waited)
                if len(durations) == _RUNS:
                    break
    except (TrueGreenError, ValueError, KeyError, TypeError):
        return Past()
    durations.reverse()
    if last is None:
        return Past(tuple(durations))
    return Past(tuple(durations), last.verdict, last.commit, last.at)
