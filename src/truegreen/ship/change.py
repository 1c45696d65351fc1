"""The steps of a run that change the platform, in order, each told, remembered and guarded.

Guarded: right before a change the lease is asked for, and the platform whether somebody else
deployed or is about to. How one thing is found or made is steps.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from truegreen.config import Config
from truegreen.errors import PlatformRefused, Unverified
from truegreen.heroku import HerokuClient
from truegreen.heroku.models import Release
from truegreen.model import Status, short
from truegreen.ship.ancestry import Kin
from truegreen.ship.baseline import Baseline, Standing, look
from truegreen.ship.lease import Keeps
from truegreen.ship.manifest import Manifest
from truegreen.ship.memory import Json, Memory
from truegreen.ship.monotonic import check_baseline, check_forward
from truegreen.ship.progress import StepState
from truegreen.ship.run import Run
from truegreen.ship.source import Source
from truegreen.ship.steps import (
    Built,
    find_or_create_app,
    find_or_create_build,
    find_or_create_release,
    find_or_set_vars,
    follow_release,
    scale_first,
    wait_for_dynos,
    wait_for_first_answer,
)
from truegreen.ship.target import Target

SETTLE = 15.0  # seconds in which old dynos may still answer
_NOTED = 64 * 1024  # characters of the release command's output that are remembered


@dataclass(frozen=True, slots=True)
class Change:
    """One run's way to change the platform."""

    run: Run
    client: HerokuClient
    config: Config
    source: Source
    target: Target
    manifest: Manifest
    memory: Memory
    lease: Keeps
    kin: Kin | None  # None: what serves may be anything
    allow_rewind: str = ""

    @property
    def app(self) -> str:
        return self.target.app

    def make(self) -> str | None:
        """Everything that changes the platform; the release command's output, as far as there is
        one.

        A platform that goes away after something was changed ends this early: the verification
        finds out what can be found out. Before that, what the client raises is raised.
        """
        try:
            self._app()
            self._baseline()
            self._beforehand()
            built = self._build()
            if built.status != "succeeded":
                return None
            return self._release(built)
        except Unverified as error:
            if not self.run.changed:
                raise
            self.run.away = True
            self.run.notes.append(f"the platform gave no answer in the middle: {error.message}")
            return None

    def _app(self) -> None:
        if self.target.kind == "heroku":
            self.client.app(self.app)
            return
        with self.run.step("app", self.app) as step:
            said: list[str] = []
            self.lease.confirm()
            find_or_create_app(
                self.client, self.app, self.manifest, said.append, self.run.mark_changed
            )
            step.text = "; ".join(said) or self.app

    def _baseline(self) -> None:
        """What served before this work was begun, by this run or by one that it goes on from."""
        with self.run.step("baseline") as step:

            def read() -> Json:
                standing = self._look()
                self._check_forward(standing)
                return standing.baseline.as_json()

            baseline = Baseline.from_json(self.memory.step("baseline", read))
            self.run.baseline = baseline
            step.text = f"v{baseline.version} serves" if baseline.serves else "nothing serves yet"

    def _beforehand(self) -> None:
        """What the release command must know of this run, and can know in no other way."""
        if not self.run.beforehand:
            return
        names = ", ".join(self.run.beforehand)
        with self.run.step("config", names) as step:
            changed = find_or_set_vars(
                self.client,
                self.app,
                self.run.beforehand,
                self._before_change,
                self.config.release.timeout,
                self.target.means,
            )
            step.text = f"{names} {'set' if changed else 'was there'}"

    def _look(self) -> Standing:
        return look(self.client, self.app, self.target.means.now())

    def _check_forward(self, standing: Standing) -> None:
        if self.kin is None:
            return
        for note in check_forward(
            self.source.commit, standing.rivals, self.kin, allowed=self.allow_rewind
        ):
            if note not in self.run.notes:
                self.run.notes.append(note)
                told = {"kind": "rewind", "reason": self.allow_rewind, "allowed": note}
                self.run.overrides.append(told)

    def _before_build(self) -> None:
        """As _before_change. A commit that has a release was built: a list of builds that does
        not say so is no reason to build it again."""
        self._before_change(self._no_release_yet)

    def _no_release_yet(self, standing: Standing) -> None:
        there = [one for one in standing.rivals if one.commit == self.source.commit]
        if there:
            raise Unverified(
                f"{there[0].what}, with this very commit, and the platform lists no build of it",
                hint="ship again; if it was not built here at all: truegreen verify",
            )

    def _before_change(self, also: Callable[[Standing], None] = lambda _: None) -> None:
        """Raises LeaseLost and Refused; after it, the run counts as one that changed something."""
        self.lease.confirm()
        standing, before = self._look(), self.run.baseline or Baseline()
        now = standing.baseline
        check_baseline(
            self.source.commit,
            (before.version, before.slug),
            (now.version, now.slug, now.commit),
            user=now.user,
        )
        self._check_forward(standing)
        also(standing)
        self.run.mark_changed()

    def _build(self) -> Built:
        with self.run.step("build", short(self.source.commit)) as step:

            def work() -> Json:
                say = self.run.journal.output
                return asdict(
                    find_or_create_build(
                        self.client,
                        self.app,
                        self.source,
                        lambda line: say("build", line),
                        self._before_build,
                        self.target.means,
                    )
                )

            built = Built(**self.memory.step("build", work))
            if built.reused:
                step.state = StepState.SKIPPED
                step.text = f"{short(self.source.commit)} was built before: not built again"
                self.run.notes.append(step.text)
            elif built.status == "succeeded":
                step.text = short(self.source.commit)
            else:
                step.state = StepState.FAILED
                step.text = f"build {built.status}"
        return built

    def _release(self, built: Built) -> str | None:
        with self.run.step("release") as step:

            def work() -> Json:
                release, there = find_or_create_release(
                    self.client, self.app, built, self.source.commit, self._before_change
                )
                return {"id": release.id, "there": there}

            made = self.memory.step("release", work)
            release = self.client.release(self.app, made["id"])
            output: str | None = None
            if made["there"]:
                step.state = StepState.SKIPPED
                step.text = f"v{release.version} carries it already: not released again"
                self.run.notes.append(step.text)
            else:
                self.run.journal.step("release", StepState.RUNNING, f"v{release.version}")
                release, output = self._follow(release)
                step.text = f"v{release.version} {release.status}"
                if release.status != "succeeded":
                    step.state = StepState.FAILED
        if release.current:
            self._boot(release)
        return output or None

    def _follow(self, release: Release) -> tuple[Release, str]:
        say = self.run.journal.output
        ended: list[Release] = []

        def work() -> Json:
            found, output = follow_release(
                self.client,
                self.app,
                release,
                self.config.release.timeout,
                lambda line: say("release", line),
                self.target.means,
            )
            ended.append(found)
            return {"output": output[-_NOTED:]}

        if release.status == "pending":
            output = str(work()["output"])
        else:
            output = str(self.memory.step("follow", work)["output"])
        return (ended[0] if ended else release), output

    def _boot(self, release: Release) -> None:
        means = self.target.means
        with self.run.step("boot", f"v{release.version}") as step:
            first = self.run.baseline is None or not self.run.baseline.serves
            if self.manifest.formation and first:
                self.lease.confirm()
                scale_first(self.client, self.app, self.manifest.formation)
            dynos = wait_for_dynos(
                self.client, self.app, release.version, self.config.release.boot_timeout, means
            )
            step.text = dynos.observed
            self.run.booted = dynos.status is Status.PASS
            edge = self.target.environment.edge or self.client.app(self.app).edge_url
            if edge and self.run.booted:
                with means.probe() as get:
                    url = edge.rstrip("/") + self.config.health.path
                    wait_for_first_answer(get, url, SETTLE, means)


def check_token(client: HerokuClient) -> None:
    """Raises ConfigError when the platform refuses the token."""
    from truegreen.errors import ConfigError

    try:
        client.account()
    except PlatformRefused as error:
        if error.status != 401:
            raise
        raise ConfigError(
            "API token", "", "the platform refused it (401)", fix=error.hint or "log in again"
        ) from error
