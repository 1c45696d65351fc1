"""One run of a drill on a stage: an app, its repository, and the steps that are done to them.

Whether what comes out is right is detection.py's to say.
"""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from truegreen.config import Config, Environment, load_config
from truegreen.embedded import faults
from truegreen.errors import ConfigError, TrueGreenError, Unverified
from truegreen.heroku import HerokuClient
from truegreen.heroku.localhost import client as http_client
from truegreen.incidents.drills.plan import SERVICES, Plan, Step
from truegreen.incidents.drills.pushing import push
from truegreen.ship.means import PROBE_TIMEOUT
from truegreen.ship.progress import Watcher
from truegreen.ship.source import read_source
from truegreen.ship.stage import Stage, copy_service, edit_text, git
from truegreen.ship.steps import find_or_set_vars, wait_for_dynos, wait_for_first_answer
from truegreen.verify.choose import current_release
from truegreen.verify.probe import Prober

_BUILT_IN = Path(__file__).parent / "services"
_FIRST_ANSWER = 15.0  # seconds


@dataclass(slots=True)
class Scene:
    """``pushed`` is what the last push came to, for the workflow of that day."""

    stage: Stage
    plan: Plan
    app: str
    undo: ExitStack  # takes the faults out again
    repository: Path = field(init=False)
    pushed: str = ""

    def __post_init__(self) -> None:
        self.repository = self.stage.folder / self.app

    def set(self) -> None:
        """The service in a repository of its own, committed."""
        plan = self.plan
        if plan.root is not None and plan.service not in SERVICES:
            copy_service(plan.root / plan.service, self.repository)
        else:
            copy_service(_BUILT_IN / "tiny", self.repository)
            if plan.service == "alembic":
                self._with_database()
        self.commit()

    def _with_database(self) -> None:
        overlay = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_BUILT_IN / "alembic", self.repository, ignore=overlay, dirs_exist_ok=True)
        manifest = self.repository / "app.json"
        wanted = json.loads(manifest.read_text(encoding="utf-8"))
        database = self.stage.folder / f"{self.app}.database.sqlite3"
        wanted["env"]["DATABASE_URL"] = {"value": f"sqlite:///{database}"}
        manifest.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")

    def do(self, step: Step) -> None:
        """One step. Raises Unverified when it could not be done as the drill says."""
        path = self.repository / step.file
        if step.do == "ship":
            self._ship()
        elif step.do == "push":
            self._push()
        elif step.do == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        elif step.do == "edit":
            self._edit(path, step)
        elif step.do == "append":
            before = path.read_text(encoding="utf-8") if path.is_file() else ""
            path.write_text(before + step.text, encoding="utf-8")
        elif step.do == "remove":
            path.unlink(missing_ok=True)
        elif step.do == "set":
            self._set(step)
        elif step.do == "inject" and step.fault is not None:
            self._inject(step.fault)
        elif step.do == "rewind":
            git(self.repository, "checkout", "--quiet", "HEAD~1")

    def commit(self) -> str:
        """Commits what has changed, if anything has; HEAD's id."""
        if git(self.repository, "status", "--porcelain").strip():
            git(self.repository, "add", "--all")
            git(self.repository, "commit", "--quiet", "--message", "a change")
        return git(self.repository, "rev-parse", "HEAD").strip()

    def config(self) -> tuple[Config, Environment]:
        """The configuration as it stands in the repository, with this run's app."""
        config = load_config(self.repository)
        environment = config.environments[config.default_env]
        return config, environment._replace(app=self.app, edge="", origin="", token="")

    def shipped(self, watcher: Watcher | None = None) -> dict[str, Any]:
        """Ships what is committed, as production is shipped to. Raises Refused."""
        self.commit()
        config, environment = self.config()
        source = read_source(self.repository)
        told = self.stage.ship_source(config, source, environment, watcher, forward_only=True)
        return dict(told)

    def version(self, client: HerokuClient) -> int:
        """The app's newest release; 0 before there is one."""
        try:
            return max((one.version for one in client.releases(self.app)), default=0)
        except TrueGreenError:
            return 0

    def _ship(self) -> None:
        told = self.shipped()
        if told["verdict"] != "green":
            raise Unverified(
                f"the drill has no ground to stand on: {told['sentence']}",
                hint="what its file ships before the fault has to be green",
            )

    def _edit(self, path: Path, step: Step) -> None:
        if not path.is_file() or step.replace not in path.read_text(encoding="utf-8"):
            raise Unverified(
                f"{step.file} has no {step.replace!r}, so the drill could not change it",
                hint=f"look at the edit of {step.file} in {self.plan.source}",
            )
        edit_text(path, lambda text: text.replace(step.replace, step.by))

    def _push(self) -> None:
        self.commit()
        with self.stage.client() as client:
            self.pushed = push(client, self.stage.platform.token(), self.app, self.repository)
            self._settle(client)

    def _set(self, step: Step) -> None:
        config, _ = self.config()
        with self.stage.client() as client:
            find_or_set_vars(client, self.app, step.config, lambda: None, config.release.timeout)
            self._settle(client)

    def _settle(self, client: HerokuClient) -> None:
        """Until the dynos of what is current are up and answer, or one of them cannot be."""
        config, _ = self.config()
        current = current_release(client.releases(self.app))
        if current is None:
            return
        wait_for_dynos(client, self.app, current.version, config.release.boot_timeout)
        edge = client.app(self.app).edge_url
        if edge:
            with http_client(timeout=PROBE_TIMEOUT) as http:
                url = edge.rstrip("/") + config.health.path
                wait_for_first_answer(Prober(http).get, url, _FIRST_ANSWER)

    def _inject(self, fault: faults.Fault) -> None:
        if isinstance(fault, faults.AppFault):
            fault = replace(fault, app=self.app)
        try:
            key = faults.add(fault, self.stage.platform)
        except ConfigError:
            raise
        except TrueGreenError as error:
            raise Unverified(
                f"the fault {fault.name} could not be put in: {error.message}", hint=error.hint
            ) from error
        self.undo.callback(self._take_out, key)

    def _take_out(self, key: str) -> None:
        try:
            faults.remove(key, self.stage.platform)
        except Unverified:
            return  # the platform is gone, and its faults with it
