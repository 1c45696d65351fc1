"""``git push``: one push of an app at a time, its build, and what is told of it, line by line.

The repository's hook (`git_hook.py`) hands in the archive; from here on it is a build as any other.
What git itself does is `git_cgi`'s, HTTP is `api/git.py`'s.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from truegreen.embedded import git_hook
from truegreen.embedded.builds import Builds
from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.git_cgi import CgiAnswer, http_backend
from truegreen.embedded.git_repos import GitRepositories
from truegreen.embedded.leftovers import Leftovers
from truegreen.embedded.records import App, BuildStatus, Release, ReleaseStatus
from truegreen.embedded.settings import Limits
from truegreen.embedded.store import Store
from truegreen.embedded.streams import Streams

_PAUSE = 0.1
_ACCEPT = git_hook.VERDICT + b"accept\n"
_REJECT = git_hook.VERDICT + b"reject\n"


@dataclass(frozen=True)
class _Push:
    app: App
    source: Path


class GitPushes:
    """Everything of git that the platform has. ``api``: the API's base URL, for the hook."""

    def __init__(
        self, store: Store, streams: Streams, data: DataFolder, builds: Builds,
        leftovers: Leftovers, limits: Limits, api: str,
    ) -> None:  # fmt: skip
        self.repositories = GitRepositories(data.git, limits.upload_bytes)
        self._store = store
        self._streams = streams
        self._sources = data.sources
        self._builds = builds
        self._leftovers = leftovers
        self._limits = limits
        self._api = urlsplit(api).netloc
        self._pushes: dict[str, _Push] = {}
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def request(
        self, app: App, rest: str, method: str, query: str, headers: dict[str, str],
        body: AsyncIterator[bytes],
    ) -> AsyncIterator[CgiAnswer]:  # fmt: skip
        """git's answer to one request of the app's repository. Pushes of one app wait in turn.

        Raises UsageError when there is no git here, GitFailed when it gives no answer.
        """
        folder = await asyncio.to_thread(self.repositories.ensure, app.id)
        env = self.repositories.cgi_env(app.id, rest, method, query, headers)
        if rest != "git-receive-pack":
            async with http_backend(env, folder, body, self._leftovers) as answer:
                yield answer
            return
        async with self._turns[app.id]:
            key = secrets.token_urlsafe(32)
            source = self._sources / f"{key}.tar"
            env |= {
                git_hook.API: self._api,
                git_hook.KEY: key,
                git_hook.SOURCE: str(source),
                git_hook.LIMIT: str(self._limits.source_bytes),
            }
            self._pushes[key] = _Push(app, source)
            try:
                async with http_backend(env, folder, body, self._leftovers) as answer:
                    yield answer
            finally:
                self._pushes.pop(key, None)
                source.unlink(missing_ok=True)

    def known(self, key: str) -> bool:
        return key in self._pushes

    async def build(self, key: str, commit: str) -> AsyncIterator[bytes]:
        """Builds what the hook of push ``key`` has archived: what there is to tell, as it comes,
        and the verdict as the last line. A failed release command does not refuse the push, as on
        Heroku (heroku/hatchet #92)."""
        push = self._pushes[key]
        app = self._store.app(push.app.id)
        if app is None:
            yield b" !     The app was deleted meanwhile.\n" + _REJECT
            return
        yield b"\n"
        build = self._builds.create(app, push.source, commit, None)
        async for piece in self._output(build.stream):
            yield piece
        ended = self._store.build(build.id)
        if ended is None or ended.status is not BuildStatus.SUCCEEDED:
            yield b"\n !     Push rejected: the build failed.\n" + _REJECT
            return
        async for piece in self._release(app, ended.release_id or ""):
            yield piece
        yield _ACCEPT

    async def _release(self, app: App, release_id: str) -> AsyncIterator[bytes]:
        release = self._store.release(release_id)
        if release is not None and release.stream:
            yield b"-----> Running release command...\n\n"
            async for piece in self._output(release.stream):
                yield piece
        release = await self._settled(release_id)
        version = f"v{release.version}" if release else "the release"
        if release is None or release.status is not ReleaseStatus.SUCCEEDED:
            fresh = self._store.app(app.id)
            live = release and fresh and fresh.current_release_id == release.id
            what = "runs all the same" if live else "is not deployed"
            yield f"\n !     Release command failed: {version} {what}.\n".encode()
        else:
            yield f"\nVerifying deploy... done: {version} of {app.name}.\n".encode()

    async def _settled(self, release_id: str) -> Release | None:
        while True:
            release = self._store.release(release_id)
            if release is None or release.status is not ReleaseStatus.PENDING:
                return release
            await asyncio.sleep(_PAUSE)

    async def _output(self, name: str) -> AsyncIterator[bytes]:
        """A stream from its beginning, so that no line of it can be taken for a verdict."""
        stream = self._streams.find(name)
        last = b"\n"
        if stream is not None:
            async for piece in stream.follow():
                last = piece[-1:]
                yield piece.replace(git_hook.VERDICT, b"?")
        if last != b"\n":
            yield b"\n"

    def forget(self, app_id: str) -> None:
        """Blocking: removes the app's repository."""
        self._turns.pop(app_id, None)
        self.repositories.remove(app_id)
