"""The steps that change the platform, each find-or-create: run again, they change nothing twice.

Each takes the client and what the step before found, and returns what it found or made.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from truegreen.errors import DeadlineExceeded, PlatformRefused, Unverified, UsageError
from truegreen.heroku import HerokuClient
from truegreen.heroku.models import App, Build, Release
from truegreen.heroku.wait import wait_for_build, wait_for_release
from truegreen.model import Status, short
from truegreen.ship.manifest import Manifest, values
from truegreen.ship.means import REAL, Means
from truegreen.ship.source import Source, write_archive
from truegreen.verify.answer import Answer
from truegreen.verify.choose import current_release
from truegreen.verify.observers.code_dynos import compare
from truegreen.verify.probe import Get

Say = Callable[[str], None]
_BUILD_DEADLINE = 1800.0  # seconds
_TAIL = 256 * 1024  # bytes of a release command's output that are kept
_PATIENCE = 1.0  # seconds, beyond the client's own, in which a platform may be away
_LATE = 15.0  # seconds in which the rest of an output is still asked for when its writer has ended
_ASKING = 2.0  # seconds in which the platform says between two looks whether it has
_POLL = 0.1  # seconds between looks at the dynos


def find_or_create_app(
    client: HerokuClient, name: str, manifest: Manifest, say: Say, on_change: Callable[[], None]
) -> App:
    """The app, made from the manifest where there is none.

    ``say`` hears what was done, ``on_change`` is called right before something is changed.

    An app that has never run a slug is taken for one whose making was interrupted: what the
    manifest asks for and it lacks is added. An app that has is left as its owners set it.
    """
    try:
        app = client.app(name)
        if any(release.slug_id for release in client.releases(name)):
            return app
    except PlatformRefused as error:
        if error.status != 404:
            raise
        on_change()
        app = client.create_app(name)
        say(f"made {name}")
    present = client.config_vars(name)
    wanted = {k: v for k, v in values(manifest).items() if k not in present}
    existing = {plan_name(addon.plan) for addon in client.addons(name)}
    for plan in manifest.addons:
        if plan_name(plan) not in existing:
            on_change()
            client.create_addon(name, plan)
            say(f"added {plan}")
    if wanted:
        on_change()
        client.set_config_vars(name, dict(wanted))
        say("set " + ", ".join(sorted(wanted)))
    return app


def plan_name(plan: str) -> str:
    """The service part of a plan: ``heroku-postgresql`` of ``heroku-postgresql:essential-0``."""
    return plan.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build. ``reused``: it was there before this run."""

    id: str
    status: str
    slug_id: str | None
    release_id: str | None
    reused: bool

    @classmethod
    def of(cls, build: Build, *, reused: bool) -> Built:
        return cls(build.id, build.status, build.slug_id, build.release_id, reused)


def find_or_create_build(
    client: HerokuClient,
    app: str,
    source: Source,
    on_output: Say,
    on_change: Callable[[], None],
    means: Means = REAL,
) -> Built:
    """A build of the source's commit: a succeeded or running one if there is one, else a new one.

    ``on_change`` is called right before something is changed. Returns when the build has ended.
    """
    until = means.clock() + _BUILD_DEADLINE
    build = _usable_build(client, app, source.commit)
    reused = build is not None
    if build is not None and build.status == "succeeded":
        return Built.of(build, reused=True)
    if build is None:
        on_change()
        try:
            build = _create_build(client, app, source)
        except PlatformRefused:
            raise
        except Unverified:  # no answer that can be read: it may have been done all the same
            build = _usable_build(client, app, source.commit)
            if build is None:
                raise
    made = build.id

    def runs() -> bool:
        return client.build(app, made, within=_ASKING).status == "pending"

    ended = _ended(runs, means)
    for line in _lines(_stream(client, build.output_stream_url, _BUILD_DEADLINE, ended)):
        on_output(line)
    done = wait_for_build(
        client,
        app,
        build.id,
        deadline=max(0.1, until - means.clock()),
        patience=_PATIENCE,
        clock=means.clock,
        sleep=means.sleep,
    )
    return Built.of(done, reused=reused)


def _usable_build(client: HerokuClient, app: str, commit: str) -> Build | None:
    """The newest build of the commit that succeeded or still runs."""
    usable = [
        build
        for build in client.builds(app)
        if build.source_version == commit and build.status in ("succeeded", "pending")
    ]
    return max(usable, key=lambda build: build.created_at, default=None)


def _create_build(client: HerokuClient, app: str, source: Source) -> Build:
    with tempfile.TemporaryDirectory(prefix="truegreen-source-") as folder:
        archive = Path(folder) / "source.tar.gz"
        write_archive(source, archive)
        slot = client.create_source()
        client.upload(slot, archive)
    return client.create_build(app, slot.get_url, source.commit)


def find_or_create_release(
    client: HerokuClient, app: str, built: Built, commit: str, on_change: Callable[[], None]
) -> tuple[Release, bool]:
    """The release of the build, and whether it was there, done and current before this run.

    A build of an earlier run may have been released several times since; the latest counts. One
    that succeeded and is current, or still runs, is taken as it is. Anything else (it failed, or
    other code was released after it) gets a new release of the same slug: no second build.
    """
    if not built.reused and built.release_id:
        return client.release(app, built.release_id), False
    releases = client.releases(app)
    known = release_of(releases, built)
    if known is not None:
        if known.status == "pending" or not built.reused:
            return known, False
        if known.status == "succeeded" and known.current:
            return known, True
    if built.slug_id is None:
        raise UsageError(
            f"the build {built.id} has neither a release nor a slug", hint="make a new commit"
        )
    on_change()
    description = f"Deploy {short(commit)} (same slug)"
    try:
        return client.create_release(app, slug=built.slug_id, description=description), False
    except PlatformRefused:
        raise
    except Unverified:  # no answer that can be read: it may have been done all the same
        made = release_of(client.releases(app), built)
        if made is None or (known is not None and made.id == known.id):
            raise
        return made, False


def release_of(releases: Sequence[Release], built: Built) -> Release | None:
    """The latest release that carries the build's slug, or None."""
    carrying = [
        release
        for release in releases
        if release.id == built.release_id
        or (release.slug_id is not None and release.slug_id == built.slug_id)
    ]
    return max(carrying, key=lambda release: release.version, default=None)


def follow_release(
    client: HerokuClient,
    app: str,
    release: Release,
    deadline: float,
    on_output: Say,
    means: Means = REAL,
) -> tuple[Release, str]:
    """Waits for the end of a release command; (the release as it then is, the end of its output).

    After ``deadline`` seconds it is returned as it is, ``pending``: the verification says so.
    """
    until = means.clock() + deadline
    tail: list[str] = []
    size = 0

    def runs() -> bool:
        return client.release(app, release.id, within=_ASKING).status == "pending"

    for line in _lines(_stream(client, release.output_stream_url, deadline, _ended(runs, means))):
        on_output(line)
        tail.append(line)
        size += len(line) + 1
        while size > _TAIL and len(tail) > 1:
            size -= len(tail.pop(0)) + 1
    try:
        left = max(0.1, until - means.clock())
        done = wait_for_release(
            client,
            app,
            release.id,
            deadline=left,
            patience=_PATIENCE,
            clock=means.clock,
            sleep=means.sleep,
        )
    except DeadlineExceeded:
        done = client.release(app, release.id)
    return done, "\n".join(tail)


def wait_for_dynos(
    client: HerokuClient, app: str, version: int, deadline: float, means: Means = REAL
) -> Answer:
    """Waits until the dynos of release ``version`` are all up, or one of them cannot be."""
    until = means.clock() + deadline
    pause = _POLL
    formation = client.formation(app)
    while True:
        dynos = [d for d in client.dynos(app) if d.type not in ("run", "release")]
        answer = compare([f for f in formation if f.type != "release"], dynos, version)
        nothing_wanted = not any(f.quantity for f in formation if f.type != "release")
        settled = (
            answer.status is Status.PASS
            or nothing_wanted
            or any(d.state == "crashed" and d.release_version == version for d in dynos)
        )
        if settled or means.clock() >= until:
            return answer
        means.sleep(pause)
        pause = min(pause * 1.05, 1.0)  # what a look may come too late is a 20th of the wait


def wait_for_first_answer(get: Get, url: str, deadline: float, means: Means = REAL) -> str:
    """Waits until the app itself answers: a dyno is up once its port is bound, and a server may
    bind before it has loaded the app. Any answer that is not a 5xx of the router or the edge ends
    the waiting; what it means is the verification's to say."""
    until = means.clock() + deadline
    while True:
        answer = get(url, {})
        if 0 < answer.status < 500 or means.clock() >= until:
            return answer.summary
        means.sleep(_POLL)


def baseline(client: HerokuClient, app: str) -> Release | None:
    """What was serving before anything was changed."""
    return current_release(client.releases(app))


def find_or_set_vars(
    client: HerokuClient,
    app: str,
    values: Mapping[str, str],
    on_change: Callable[[], None],
    deadline: float,
    means: Means = REAL,
) -> bool:
    """Sets the config vars that differ from ``values``, and waits for the release that this makes
    (of the code that serves). False when nothing differed. Raises DeadlineExceeded after
    ``deadline`` seconds."""
    present = client.config_vars(app)
    wanted: dict[str, str | None] = {k: v for k, v in values.items() if present.get(k) != v}
    if not wanted:
        return False
    on_change()
    client.set_config_vars(app, wanted)
    newest = max(client.releases(app), key=lambda release: release.version)
    wait_for_release(
        client,
        app,
        newest.id,
        deadline=deadline,
        patience=_PATIENCE,
        clock=means.clock,
        sleep=means.sleep,
    )
    return True


def scale_first(client: HerokuClient, app: str, wanted: Mapping[str, int]) -> None:
    """Sets the formation that the manifest asks for, on an app's first release."""
    there = {entry.type: entry.quantity for entry in client.formation(app)}
    change = {kind: n for kind, n in wanted.items() if kind in there and there[kind] != n}
    if change:
        client.scale(app, change)


def _ended(runs: Callable[[], bool], means: Means) -> Callable[[], bool]:
    """For a stream that broke off, or has not begun: whether what it tells of ended _LATE ago."""
    since: list[float] = []

    def ended() -> bool:
        try:
            if not since and not runs():
                since.append(means.clock())
        except Unverified:
            return False
        return bool(since) and means.clock() - since[0] >= _LATE

    return ended


def _stream(
    client: HerokuClient, url: str | None, deadline: float, ended: Callable[[], bool]
) -> Iterator[bytes]:
    if not url:
        return
    try:
        yield from client.stream(url, deadline=deadline, finished=ended)
    except Unverified:
        return  # output is for people; what counts is asked of the release itself


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Whole lines out of chunks; an endless line is cut, so memory stays bounded."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")
        if len(rest) > _TAIL:
            yield rest.decode("utf-8", "replace")
            rest = b""
    if rest:
        yield rest.decode("utf-8", "replace")
