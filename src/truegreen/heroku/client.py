"""The Platform API v3, one thin method an endpoint: for Heroku and the embedded platform alike.

No decisions and no waiting here: retries are in transport.py, waiting in wait.py. Every method
raises PlatformUnreachable, PlatformRefused or UnexpectedAnswer (all: could not find out).
"""

from __future__ import annotations

import random as _random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from truegreen.errors import PlatformRefused, UsageError
from truegreen.heroku import pages, streams, uploads
from truegreen.heroku.address import check_app, check_data_url, parse_api_url, segment
from truegreen.heroku.fields import Fields, UnexpectedAnswer
from truegreen.heroku.models import (
    Account,
    Addon,
    App,
    Build,
    ConfigVars,
    Dyno,
    FormationEntry,
    Release,
    Slug,
    Source,
    many,
)
from truegreen.heroku.transport import ApiTransport, Reply
from truegreen.light_httpx import httpx
from truegreen.secret import REDACTED, Secret


class Unchanged(Exception):
    """The platform says that nothing has changed since (304)."""


class HerokuClient:
    """A client of the API at ``api`` (see parse_api_url for what may stand there).

    ``timeout``: seconds without progress on a connection; ``deadline``: seconds a call may take
    with its retries. ``transport``, ``sleep``, ``clock``, ``random`` replace the network, waiting,
    time and jitter. ``token_source`` is what a 401 says of where the token came from.
    Threads may share a client. Raises UsageError for a bad ``api`` or a token that is none.
    """

    def __init__(
        self,
        api: str,
        token: Secret,
        *,
        timeout: float = 10.0,
        deadline: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random.random,
        token_source: str = "",
    ) -> None:
        self.address = parse_api_url(api)
        self._sleep = sleep
        self._clock = clock
        self._random = random
        self._api = ApiTransport(
            self.address,
            token,
            timeout=timeout,
            deadline=deadline,
            transport=transport,
            sleep=sleep,
            clock=clock,
            random=random,
            token_source=token_source,
        )

    def __repr__(self) -> str:
        return f"HerokuClient({str(self.address)!r}, token={REDACTED})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._api.close()

    @property
    def calls(self) -> int:
        """Requests sent to the API so far, retries included; uploads and streams are not calls."""
        return self._api.calls

    @property
    def rate_limit_remaining(self) -> int | None:
        """The last RateLimit-Remaining; None before the API has said one."""
        return self._api.rate_limit_remaining

    # account and apps

    def account(self) -> Account:
        return Account.from_json(self._get("/account"))

    def rate_limit(self) -> int:
        """Calls left; asking is free on Heroku."""
        return Fields("rate limit", self._get("/account/rate-limits")).whole("remaining")

    def app(self, name: str) -> App:
        """The app of that name or id. PlatformRefused with status 404 when there is none."""
        app = App.from_json(self._get(_app(name)))
        _same("app", app.id if app.id == name else app.name, name)
        return app

    def apps(self) -> tuple[App, ...]:
        """Every app that the token may see, a call a thousand."""
        first = "name ..; max=1000"
        return many(App, self._list("/apps", "app list", first, None).entries)

    def create_app(self, name: str) -> App:
        """A new app. PlatformRefused with status 422 when the name is taken."""
        return App.from_json(self._send("POST", "/apps", {"name": check_app(name)}))

    # config vars and add-ons

    def config_vars(self, app: str) -> ConfigVars:
        return ConfigVars.from_json(self._get(f"{_app(app)}/config-vars"))

    def set_config_vars(self, app: str, values: Mapping[str, str | None]) -> ConfigVars:
        """Sets these (None removes) and leaves the rest; makes a release. All vars afterwards."""
        return ConfigVars.from_json(self._send("PATCH", f"{_app(app)}/config-vars", dict(values)))

    def addons(self, app: str) -> tuple[Addon, ...]:
        return many(Addon, self._all(f"{_app(app)}/addons", "add-on list"))

    def create_addon(self, app: str, plan: str) -> Addon:
        """``plan``: e.g. ``heroku-postgresql:essential-0``."""
        return Addon.from_json(self._send("POST", f"{_app(app)}/addons", {"plan": plan}))

    # sources, builds, slugs

    def create_source(self) -> Source:
        return Source.from_json(self._send("POST", "/sources", {}))

    def upload(self, source: Source, path: Path, *, deadline: float = 600.0) -> None:
        """PUTs the tarball at ``path`` to the source, without the token; see uploads.upload."""
        uploads.upload(
            self._api.http,
            _data_url(source.put_url, "source_blob.put_url"),
            path,
            deadline=deadline,
            clock=self._clock,
            sleep=self._sleep,
            random=self._random,
        )

    def create_build(self, app: str, source_url: str, version: str) -> Build:
        """A build of the tarball at ``source_url`` (a source's get_url). ``version``: the commit.

        Never sent twice: when its answer is lost, look in ``builds`` for ``version``.
        """
        blob = {"url": source_url, "version": version}
        return Build.from_json(self._send("POST", f"{_app(app)}/builds", {"source_blob": blob}))

    def build(self, app: str, build_id: str, *, within: float | None = None) -> Build:
        raw = self._get(f"{_app(app)}/builds/{segment(build_id)}", within=within)
        build = Build.from_json(raw)
        _same("build", build.id, build_id)
        return build

    def builds(self, app: str, limit: int = 50) -> tuple[Build, ...]:
        """The newest ``limit`` builds, newest first."""
        first = pages.newest_first("started_at", limit)
        listing = self._list(f"{_app(app)}/builds", "build list", first, limit)
        found = many(Build, listing.entries)
        ordered = tuple(sorted(found, key=lambda build: build.created_at, reverse=True))
        _check_order("build list", listing, ordered == found)
        return ordered

    def slug(self, app: str, slug_id: str) -> Slug:
        slug = Slug.from_json(self._get(f"{_app(app)}/slugs/{segment(slug_id)}"))
        _same("slug", slug.id, slug_id)
        return slug

    # releases

    def release(
        self, app: str, id_or_version: str | int, *, within: float | None = None
    ) -> Release:
        """By id, by version (12), or as people write it (``v12``)."""
        wanted = str(id_or_version)
        if wanted[:1] == "v" and wanted[1:].isdigit():
            wanted = wanted[1:]
        raw = self._get(f"{_app(app)}/releases/{segment(wanted)}", within=within)
        release = Release.from_json(raw)
        _same("release", str(release.version) if wanted.isdigit() else release.id, wanted)
        return release

    def releases(self, app: str, limit: int = 50) -> tuple[Release, ...]:
        """The newest ``limit`` releases, newest (highest version) first."""
        first = pages.newest_first("version", limit)
        listing = self._list(f"{_app(app)}/releases", "release list", first, limit)
        found = many(Release, listing.entries)
        if not found:  # an app has v1 from the moment it is made
            raise UnexpectedAnswer("release list", "", "is empty, and no app's is")
        ordered = tuple(sorted(found, key=lambda release: release.version, reverse=True))
        if len({release.version for release in ordered}) != len(ordered):
            raise UnexpectedAnswer("release list", "", "holds a version twice")
        _check_order("release list", listing, ordered == found)
        return ordered

    def release_config_vars(self, app: str, id_or_version: str | int) -> ConfigVars:
        """The config vars that a release runs with; what a rollback to it would set."""
        raw = self._get(f"{_app(app)}/releases/{segment(str(id_or_version))}/config-vars")
        return ConfigVars.from_json(raw)

    def create_release(self, app: str, *, slug: str, description: str = "") -> Release:
        """Releases a slug (again): runs its release command. Never sent twice."""
        body = {"slug": slug} | ({"description": description} if description else {})
        return Release.from_json(self._send("POST", f"{_app(app)}/releases", body))

    def rollback(self, app: str, release_id: str) -> Release:
        """A new release of what ``release_id`` ran; its (old) release command runs. Not retried."""
        return Release.from_json(
            self._send("POST", f"{_app(app)}/releases", {"release": release_id})
        )

    # formation and dynos

    def formation(self, app: str) -> tuple[FormationEntry, ...]:
        return many(FormationEntry, self._all(f"{_app(app)}/formation", "formation"))

    def scale(self, app: str, quantities: Mapping[str, int]) -> tuple[FormationEntry, ...]:
        """Sets how many dynos of each process type there should be. The changed entries."""
        updates = [{"type": name, "quantity": count} for name, count in quantities.items()]
        raw = self._send("PATCH", f"{_app(app)}/formation", {"updates": updates})
        return many(FormationEntry, raw)

    def dynos(self, app: str) -> tuple[Dyno, ...]:
        return many(Dyno, self._all(f"{_app(app)}/dynos", "dyno list"))

    def restart_dynos(self, app: str, name: str = "") -> None:
        """Restarts all dynos, or the one called ``name`` (``web.1``)."""
        self._api.request("DELETE", f"{_app(app)}/dynos" + (f"/{segment(name)}" if name else ""))

    # output

    def stream(
        self, url: str, deadline: float, *, finished: Callable[[], bool] = lambda: False
    ) -> Iterator[bytes]:
        """The bytes of an output stream, without the token; see streams.follow."""
        return streams.follow(
            self._api.http,
            _data_url(url, "output_stream_url"),
            deadline=deadline,
            clock=self._clock,
            sleep=self._sleep,
            random=self._random,
            finished=finished,
        )

    def run_dyno(self, app: str, command: str, *, seconds: int) -> Dyno:
        """Starts ``command`` on a one-off dyno that is ended after ``seconds``; its output goes to
        the app's log."""
        body = {"command": command, "attach": False, "time_to_live": seconds}
        return Dyno.from_json(self._send("POST", f"{_app(app)}/dynos", body))

    def log_url(self, app: str, *, lines: int = 100, dyno: str = "") -> str:
        """Where the app's last ``lines`` (at most 1,500) log lines can be read, once, as a stream;
        with ``dyno``, those of that dyno alone.

        A log session is made for it (POST /apps/X/log-sessions), which changes nothing.
        """
        body: dict[str, Any] = {"lines": lines, "tail": False}
        if dyno:
            body["dyno"] = dyno
        raw = self._send("POST", f"{_app(app)}/log-sessions", body)
        return Fields("log session", raw).text("logplex_url")

    # what is asked again and again

    def apps_unless(self, etag: str) -> tuple[tuple[App, ...], str]:
        """Every app, and their ETag; raises Unchanged while ``etag`` is theirs. A list that fills
        its page has none (""): what is on the next one would not show in it."""
        first = "name ..; max=1000"
        etags: list[str] = []

        def fetch(page_range: str | None) -> pages.Page:
            known = etag if not etags else ""
            reply = self._reply_unless("/apps", known, page_range or first)
            etags.append(reply.headers.get("etag", ""))
            return pages.Page(reply.json(), reply.headers.get("next-range"))

        listing = pages.collect(fetch, what="app list", first=first, limit=None)
        alone = len(listing.entries) < pages.LARGEST_PAGE
        return many(App, listing.entries), etags[0] if alone else ""

    def releases_unless(self, app: str, etag: str, limit: int) -> tuple[tuple[Release, ...], str]:
        """The newest ``limit`` releases, and their ETag; Unchanged while ``etag`` is theirs."""
        raw, etag = self._unless(
            f"{_app(app)}/releases", etag, pages.newest_first("version", limit)
        )
        return many(Release, raw), etag

    def dynos_unless(self, app: str, etag: str) -> tuple[tuple[Dyno, ...], str]:
        """The dynos and their ETag; raises Unchanged while ``etag`` is theirs."""
        raw, etag = self._unless(f"{_app(app)}/dynos", etag, "")
        return many(Dyno, raw), etag

    def _unless(self, path: str, etag: str, page_range: str) -> tuple[Any, str]:
        reply = self._reply_unless(path, etag, page_range)
        return reply.json(), reply.headers.get("etag", "")

    def _reply_unless(self, path: str, etag: str, page_range: str) -> Reply:
        headers = {"If-None-Match": etag} if etag else {}
        if page_range:
            headers["Range"] = page_range
        try:
            return self._api.request("GET", path, headers=headers)
        except PlatformRefused as error:
            if error.status == 304:
                raise Unchanged from None
            raise

    # the few ways of asking

    def _get(self, path: str, *, within: float | None = None) -> Any:
        return self._api.request("GET", path, within=within).json()

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        return self._api.request(method, path, json=body).json()

    def _all(self, path: str, what: str) -> list[Any]:
        return self._list(path, what, None, None).entries

    def _list(self, path: str, what: str, first: str | None, limit: int | None) -> pages.Listing:
        def fetch(page_range: str | None) -> pages.Page:
            headers = {} if page_range is None else {"Range": page_range}
            reply = self._api.request("GET", path, headers=headers)
            return pages.Page(reply.json(), reply.headers.get("next-range"))

        if limit is not None and limit < 1:
            raise UsageError(f"a list of {limit} entries is none", hint="limit is 1 or more")
        return pages.collect(fetch, what=what, first=first, limit=limit)


def _app(name: str) -> str:
    return f"/apps/{check_app(name)}"


def _same(what: str, got: str, wanted: str) -> None:
    """The platform must answer with the thing that was asked for, never with another."""
    if got != wanted:
        raise UnexpectedAnswer(what, "", f"is {got!r}, asked for was {wanted!r}")


def _check_order(what: str, listing: pages.Listing, in_order: bool) -> None:
    """Part of a list that is not newest first may lack the newest: better no answer than that."""
    if not in_order and not listing.complete:
        raise UnexpectedAnswer(what, "", "is not newest first although it was asked to be")


def _data_url(url: str, what: str) -> str:
    try:
        return check_data_url(url, what=what)
    except UsageError as error:
        raise UnexpectedAnswer(what, "", error.message, hint=error.hint) from None
