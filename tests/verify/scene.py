"""A small world in memory: an app that is as it should be, to be broken one fact at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from truegreen.config import FlagDeclaration, Flags, Health
from truegreen.errors import PlatformUnreachable
from truegreen.heroku.models import App, Build, Dyno, FormationEntry, Release, Slug
from truegreen.release.report import Phase, Report
from truegreen.release.trailer import format_trailer
from truegreen.verify.live import LiveRun
from truegreen.verify.probe import HttpAnswer
from truegreen.verify.question import Question
from truegreen.verify.run import Verification, verify
from truegreen.verify.world import World

T0 = datetime(2026, 6, 21, 19, 32, tzinfo=UTC)
OLD, NEW = "a" * 40, "b" * 40
APP = {
    "id": "app-1",
    "name": "raxx-api-prod",
    "web_url": "http://o.localhost:1/",
    "edge_url": "http://e.localhost:2/",
}


def build(number: int, commit: str, status: str = "succeeded") -> Build:
    return Build(
        id=f"build-{number}",
        status=status,
        release_id=f"release-{number}",
        slug_id=f"slug-{number}",
        output_stream_url=None,
        source_version=commit,
        created_at=T0,
        user_email=None,
        raw_digest=f"digest-b{number}",
    )


def release(
    number: int, slug: int | None, *, current: bool = False, status: str = "succeeded"
) -> Release:
    return Release(
        id=f"release-{number}",
        version=number,
        status=status,
        current=current,
        slug_id=None if slug is None else f"slug-{slug}",
        output_stream_url=f"http://o.localhost:1/streams/{number}",
        description="Deploy",
        created_at=T0,
        user_email=None,
        eligible_for_rollback=True,
        raw_digest=f"digest-r{number}",
    )


def dyno(name: str = "web.1", *, version: int = 3, state: str = "up") -> Dyno:
    return Dyno(
        id=f"id-{name}",
        name=name,
        type=name.split(".")[0],
        state=state,
        release_id=f"release-{version}",
        release_version=version,
        command="serve",
        created_at=T0,
        updated_at=T0,
        size="basic",
        raw_digest=f"digest-{name}",
    )


def healthy(commit: str = NEW, **schema: Any) -> HttpAnswer:
    told = {
        "status": "ok",
        "commit": commit,
        "schema": {"current": "0046", "heads": ["0046"], **schema},
    }
    return HttpAnswer("http://e.localhost:2/health", 200, {}, json.dumps(told).encode())


def blocked() -> HttpAnswer:
    body = b'{"error": "direct_origin_blocked"}'
    return HttpAnswer("http://o.localhost:1/health", 403, {}, body)


SMOKE = Phase("smoke", "pass", 1.0, sealed=True, total=14, passed=14, failed=0, errors=0, skipped=0)
MIGRATE = Phase("migrate", "pass", 1.0, from_revision="0044", to_revision="0046", heads=("0046",))
PREFLIGHT = Phase("preflight", "pass", 0.1)


def report(
    *phases: Phase, exit_code: int | None = 0, complete: bool = True, name: str = "v3"
) -> str:
    made = Report(complete, exit_code, NEW, name, "2026-06-21T19:32:00Z", phases)
    return "Running migrations\n" + format_trailer(made) + "\n"


@dataclass
class Scene:
    """Everything that a verification can read. Every field may be changed by a test."""

    question: Question = field(
        default_factory=lambda: Question(
            app="raxx-api-prod",
            commit=NEW,
            health=Health(samples=3),
            flags=Flags(declared={"FLAG_A": FlagDeclaration("FLAG_A")}),
            required_vars=("DATABASE_URL",),
        )
    )
    builds: list[Build] = field(default_factory=lambda: [build(3, NEW), build(2, OLD)])
    releases: list[Release] = field(
        default_factory=lambda: [release(3, 3, current=True), release(2, 2), release(1, None)]
    )
    slugs: dict[str, str] = field(default_factory=lambda: {"slug-3": NEW, "slug-2": OLD})
    process_types: dict[str, str] = field(default_factory=lambda: {"web": "w", "release": "r"})
    variables: dict[str, str] = field(
        default_factory=lambda: {"FLAG_A": "1", "DATABASE_URL": "postgres://secret"}
    )
    formation: list[FormationEntry] = field(
        default_factory=lambda: [FormationEntry("web", 1, "basic", "serve", "digest-f")]
    )
    dynos: list[Dyno] = field(default_factory=lambda: [dyno()])
    output: str = field(default_factory=lambda: report(PREFLIGHT, MIGRATE, SMOKE))
    edge: Callable[[int], HttpAnswer] = field(default=lambda nth: healthy())
    origin: Callable[[Mapping[str, str]], HttpAnswer] = field(default=lambda headers: blocked())
    log: str = ""
    actions: Callable[[], Any] | None = None
    live: Callable[[str, str], LiveRun] | None = None
    on_pause: Callable[[int], None] = field(default=lambda nth: None)
    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    edge_url: str = APP["edge_url"]

    def verify(self) -> Verification:
        times = iter(range(10_000))
        nth = iter(range(10_000))
        pauses = iter(range(10_000))

        def get(url: str, headers: Mapping[str, str]) -> HttpAnswer:
            if url.startswith(self.edge_url.rstrip("/")):
                self.tokens.append(headers.get("X-Health-Token"))
                return self.edge(next(nth))
            assert "X-Health-Token" not in headers, "the token is for the edge alone"
            return self.origin(headers)

        world = World(
            self.question,
            FakePlatform(self),
            get,
            actions=self.actions,
            live=self.live,
            sleep=lambda _: self.on_pause(next(pauses)),
            clock=lambda: float(next(times)),
        )
        return verify(world)

    def change(self, **fields: Any) -> None:
        self.question = self.question._replace(**fields)


class FakePlatform:
    """The Platform API's reading half, over a Scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def _ask(self, what: str) -> None:
        self.scene.asked.append(what)
        if what in self.scene.away or "all" in self.scene.away:
            raise PlatformUnreachable("the platform gave no answer")

    def app(self, name: str) -> App:
        self._ask("app")
        return App.from_json({**APP, "edge_url": self.scene.edge_url})

    def releases(self, app: str) -> list[Release]:
        self._ask("releases")
        return self.scene.releases

    def builds(self, app: str) -> list[Build]:
        self._ask("builds")
        return self.scene.builds

    def slug(self, app: str, slug_id: str) -> Slug:
        self._ask("slug")
        return Slug(
            slug_id, self.scene.slugs[slug_id], self.scene.process_types, None, None, "digest-s"
        )

    def config_vars(self, app: str) -> dict[str, str]:
        self._ask("config")
        return self.scene.variables

    def formation(self, app: str) -> list[FormationEntry]:
        self._ask("formation")
        return self.scene.formation

    def dynos(self, app: str) -> list[Dyno]:
        self._ask("dynos")
        return self.scene.dynos

    def stream(self, url: str, *, deadline: float) -> Iterator[bytes]:
        self._ask("stream")
        yield (self.scene.log if url.endswith("/log") else self.scene.output).encode()

    def log_url(self, app: str, *, lines: int, dyno: str = "") -> str:
        self._ask("log")
        return "http://o.localhost:1/log"

    def run_dyno(self, app: str, command: str, *, seconds: int) -> Dyno:
        self._ask("run")
        assert "upgrade" not in command
        return dyno("run.1")
