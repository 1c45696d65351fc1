"""The world as one verification reads it: every fact is fetched once, and then stays as it was.

A fetch that failed stays failed, so that a platform that is away is asked once and not eleven
times. Nothing here decides anything.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from truegreen.errors import Unverified
from truegreen.health import TOKEN_HEADER, TOKEN_VARIABLE
from truegreen.heroku.address import is_loopback
from truegreen.past_the_edge import OUTSIDE
from truegreen.release.trailer import Report, parse_trailer
from truegreen.verify import schema_dyno
from truegreen.verify.choose import choose_build, choose_release, current_release
from truegreen.verify.probe import Get, HttpAnswer
from truegreen.verify.question import Question
from truegreen.verify.sampling import enough

if TYPE_CHECKING:
    from truegreen.github import Actions
    from truegreen.heroku.models import App, Build, Dyno, FormationEntry, Release, Slug
    from truegreen.verify.live import LiveRun

_T = TypeVar("_T")
_STREAM_DEADLINE = 15.0  # seconds; a finished release's output is short or already flowing
_LOG_LINES = 500
_SLUGS = 5  # of the newest releases, when no build tells which one is meant
_SHORT = re.compile(r"[0-9a-f]{7,39}\Z")
_HEX = re.compile(r"[0-9A-Fa-f]{7,64}")
_TAIL = 256 * 1024  # bytes of output that are kept: the trailer is at the end


# A path that nobody exempts: a guard refuses before any route is looked for, and an app that can be
# reached answers it, if only with 404.
ORIGIN_PROBE = "/truegreen-origin-probe"


def abbreviates(said: str | None, commit: str | None) -> bool:
    """Whether ``said`` is only the beginning of ``commit``: other commits may begin so as well."""
    return bool(
        said and commit and said != commit and _SHORT.match(said) and commit.startswith(said)
    )


class Platform(Protocol):
    """The part of the Platform API that a verification reads."""

    def app(self, name: str) -> App: ...
    def releases(self, app: str) -> Sequence[Release]: ...
    def builds(self, app: str) -> Sequence[Build]: ...
    def slug(self, app: str, slug_id: str) -> Slug: ...
    def config_vars(self, app: str) -> Mapping[str, str]: ...
    def formation(self, app: str) -> Sequence[FormationEntry]: ...
    def dynos(self, app: str) -> Sequence[Dyno]: ...
    def stream(self, url: str, *, deadline: float) -> Any: ...
    def log_url(self, app: str, *, lines: int, dyno: str = "") -> str: ...
    def run_dyno(self, app: str, command: str, *, seconds: int) -> Dyno: ...


class World:
    """Facts about one app, read lazily, each at most once; safe to use from several threads."""

    def __init__(
        self,
        question: Question,
        platform: Platform,
        get: Get,
        *,
        actions: Callable[[], Actions] | None = None,
        live: Callable[[str, str], LiveRun] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._actions = actions
        self._live = live
        self.question = question
        self.platform = platform
        self._get = get
        self._sleep = sleep
        self._clock = clock
        self._locks: dict[str, threading.Lock] = {}
        self._facts: dict[str, tuple[Any, Exception | None]] = {}
        self._guard = threading.Lock()

    def _once(self, name: str, fetch: Callable[[], _T]) -> _T:
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._facts:
                try:
                    self._facts[name] = (fetch(), None)
                except Exception as error:  # noqa: BLE001 - kept, and raised to whoever asks
                    self._facts[name] = (None, error)
            value, problem = self._facts[name]
        if problem is not None:
            raise problem
        result: _T = value
        return result

    @property
    def app_name(self) -> str:
        return self.question.app

    def app(self) -> App:
        return self._once("app", lambda: self.platform.app(self.app_name))

    def releases(self) -> Sequence[Release]:
        """Newest first. Asks for the app first: it is the cheapest way to find out that the
        platform is away, or that there is no such app."""
        self.app()
        return self._once("releases", lambda: self.platform.releases(self.app_name))

    def builds(self) -> Sequence[Build]:
        self.app()
        return self._once("builds", lambda: self.platform.builds(self.app_name))

    def config_vars(self) -> Mapping[str, str]:
        self.app()
        return self._once("config", lambda: self.platform.config_vars(self.app_name))

    def formation(self) -> Sequence[FormationEntry]:
        self.app()
        return self._once("formation", lambda: self.platform.formation(self.app_name))

    def dynos(self) -> Sequence[Dyno]:
        self.app()
        return self._once("dynos", lambda: self.platform.dynos(self.app_name))

    def slug(self, slug_id: str) -> Slug:
        return self._once(f"slug {slug_id}", lambda: self.platform.slug(self.app_name, slug_id))

    def commit_of(self, release: Release) -> str | None:
        """The commit of a release's slug; None when it has no slug (containers, first release)."""
        return self.slug(release.slug_id).commit if release.slug_id else None

    def target(self) -> Release | None:
        """The release that the question is about."""
        asked = self.question
        by_commit = bool(asked.commit) and asked.version is None and asked.after is None
        found = choose_release(
            self.releases(),
            self.builds() if by_commit else (),
            commit=self.commit() if by_commit else asked.commit,
            version=asked.version,
            after=asked.after,
        )
        return self._promoted() if found is None and by_commit else found

    def _promoted(self) -> Release | None:
        """The latest release whose slug carries the commit, though no build of this app made it:
        a promotion copies the slug of another app's build. The newest few slugs are looked at."""
        slugs: list[str] = []
        for release in self.releases():
            if release.slug_id and release.slug_id not in slugs:
                slugs.append(release.slug_id)
                if self.slug(release.slug_id).commit == self.commit():
                    return release
            if len(slugs) == _SLUGS:
                break
        return None

    def current(self) -> Release | None:
        """The current release, or None. Unverified when the platform calls several so."""
        called = [release.label for release in self.releases() if release.current]
        if len(called) > 1:
            told = ", ".join(called)
            raise Unverified(f"the platform calls several releases current: {told}")
        return current_release(self.releases())

    def pending(self) -> str:
        """``v3 is still pending`` while the target's release command runs, else empty.

        Until it has ended, nobody can expect its code to be current, up or served.
        """
        target = self.target()
        waiting = target is not None and target.status == "pending" and not target.current
        return f"v{target.version} is still pending" if target is not None and waiting else ""

    def build(self) -> Build | None:
        return choose_build(self.builds(), commit=self.commit(), release=self.target())

    def commit(self) -> str | None:
        """The commit that the question is about; asked for none, the target's own."""
        if asked := self.question.commit:
            asked = asked.lower() if _HEX.fullmatch(asked) else asked
            return (
                asked if not _SHORT.match(asked) else self._once("full", lambda: self._full(asked))
            )
        target = self.target()
        return self.commit_of(target) if target else None

    def _full(self, short: str) -> str:
        """The one commit among the builds that begins with ``short``, which no repository here
        knew; ``short`` itself where none does, or several do."""
        try:
            built = {build.source_version for build in self.builds() if build.source_version}
        except Unverified:
            return short
        found = {commit for commit in built if commit.startswith(short)}
        return short if short in found or len(found) != 1 else found.pop()

    def output(self) -> str | None:
        """The end of the target's release command's output; None when it has no stream."""
        if self.question.report_text is not None:
            return self.question.report_text
        target = self.target()
        if target is None or not target.output_stream_url:
            return None
        url = target.output_stream_url
        return self._once("output", lambda: self._tail(url))

    def build_output(self) -> str | None:
        """The end of the build's output; None when it has no stream."""
        build = self.build()
        if build is None or not build.output_stream_url:
            return None
        url = build.output_stream_url
        return self._once("build output", lambda: self._tail(url))

    def log(self) -> str:
        """The app's last log lines. Costs a call: for when something is to be explained."""

        def read() -> str:
            return self._tail(self.platform.log_url(self.app_name, lines=_LOG_LINES))

        return self._once("log", read)

    def schema_of_dyno(self) -> tuple[str | None, tuple[str, ...]] | None:
        """(revision, heads) as a one-off dyno says it; None where the project does not ask for it.
        Costs a dyno for some seconds."""
        ini = self.question.schema_dyno
        if not ini:
            return None
        return self._once(
            "schema dyno",
            lambda: schema_dyno.ask(
                self.platform,
                self.app_name,
                ini,
                self._tail,
                clock=self._clock,
                sleep=self._sleep,
            ),
        )

    def _tail(self, url: str) -> str:
        tail = bytearray()
        for chunk in self.platform.stream(url, deadline=_STREAM_DEADLINE):
            tail += chunk
            if len(tail) > 2 * _TAIL:
                del tail[:-_TAIL]
        return bytes(tail[-_TAIL:]).decode("utf-8", "replace")

    def report(self) -> Report | None:
        """What the release command reported of itself, or None without a report."""
        text = self.output()
        return parse_trailer(text) if text else None

    def edge(self) -> str:
        """Base URL of the front door; empty when none is known."""
        return (self.question.edge or self.app().edge_url or "").rstrip("/")

    def origin(self) -> str:
        """Base URL past the edge; empty when none is known."""
        return (self.question.origin or self.app().web_url or "").rstrip("/")

    def samples(self) -> int:
        """How many answers in a row must name the commit: as configured, else enough for the web
        dynos that there are (for two, when they cannot be asked for)."""
        if configured := self.question.health.samples:
            return configured
        try:
            return enough(sum(dyno.type == "web" for dyno in self.dynos()))
        except Unverified:
            return enough(2)

    def health_samples(self) -> Sequence[HttpAnswer]:
        """The last answers, in a row, of the health path through the edge.

        Stops at ``samples`` answers in a row that name the expected commit; begins again after one
        that does not, until ``settle`` seconds have passed. Empty when no edge is known.
        """
        edge = self.edge()
        return self._once("health", lambda: self._sample(edge) if edge else [])

    def _health_headers(self, edge: str) -> Mapping[str, str]:
        """The token of the detail view, if one is known and nobody on the way can read it."""
        parts = urlsplit(edge)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            return {}
        if self.question.health_token is not None:
            return {TOKEN_HEADER: self.question.health_token.reveal()}
        try:
            token = self.config_vars().get(TOKEN_VARIABLE)
        except Unverified:  # then the schema is what the release command reported
            return {}
        return {TOKEN_HEADER: token} if token and token.isascii() and token.isprintable() else {}

    def _sample(self, edge: str) -> list[HttpAnswer]:
        asked = self.question
        headers = self._health_headers(edge)
        wanted, needed = self.commit(), self.samples()
        until = self._clock() + asked.settle
        row: list[HttpAnswer] = []
        while True:
            answer = self._get(edge + asked.health.path, headers)
            if answer.status != 200 or self._other(answer, wanted):
                if self._clock() >= until:
                    return [*row, answer]
                row.clear()
                self._sleep(0.1)
                continue
            row.append(answer)
            if len(row) >= needed:
                return row

    def _other(self, answer: HttpAnswer, wanted: str | None) -> bool:
        """Whether ``answer`` is of other code than ``wanted``, or of another release."""
        said = answer.commit
        if said and wanted and said != wanted and not abbreviates(said, wanted):
            return True
        return self.of_another_release(answer)

    def of_another_release(self, answer: HttpAnswer) -> bool:
        """Whether the app that gave ``answer`` says that it runs as another release than the
        target: the same code, it may be, with the config vars of before."""
        if answer.release is None:
            return False
        try:
            target = self.target()
        except Unverified:
            return False
        return target is not None and answer.release != target.label

    def actions(self) -> Actions:
        """The workflow runs of the project's repository. Unverified when there is no way to ask."""
        if self._actions is None:
            raise Unverified("nobody here can ask GitHub")
        return self._once("actions", self._actions)

    def live(self) -> LiveRun:
        """How the project's live suite ended; it is run once."""
        make = self._live
        if make is None:
            raise Unverified("the live suite cannot be run from here")
        return self._once("live", lambda: make(self.edge(), self.commit() or ""))

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return self._clock()

    def pause(self, seconds: float) -> None:
        self._sleep(seconds)

    def origin_answers(self) -> Sequence[HttpAnswer]:
        """Direct requests past the edge: those of past_the_edge.OUTSIDE, in its order."""
        origin = self.origin()
        url = origin + ORIGIN_PROBE

        def ask() -> list[HttpAnswer]:
            return [self._get(url, headers) for headers in OUTSIDE.values()]

        return self._once("origin", lambda: ask() if origin else [])
