"""A Postgres to try migrations on: an embedded one in a folder of its own, or a given server.

Only scratch databases are made, and they are gone afterwards. What is done in them lives elsewhere.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

from truegreen.embedded.postgres import PostgresServer
from truegreen.errors import UsageError
from truegreen.secret import Secret


class EmbeddedServer:
    """A server that lives as long as the ``with`` block; starting is under way at once.

    ``database`` may be called from any thread. Raises UsageError and PostgresFailed.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")
        self._folder = tempfile.TemporaryDirectory(
            prefix="truegreen-postgres-", ignore_cleanup_errors=True
        )
        self._server = PostgresServer(Path(self._folder.name).resolve() / "server")
        self._runner = asyncio.Runner()
        self._started: Future[None] = self._thread.submit(self._start)

    def __enter__(self) -> EmbeddedServer:
        return self

    def database(self) -> str:
        """The URL of a new database, ``postgresql+psycopg://…``, owned by a role of its own."""
        self._started.result()
        name = f"scratch_{secrets.token_hex(6)}"
        return _driver(self._thread.submit(self._create, name).result())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._thread.submit(self._stop).result()
        finally:
            self._thread.shutdown()
            self._folder.cleanup()

    def _start(self) -> None:
        self._runner.run(self._server.start())

    def _create(self, name: str) -> str:
        return self._runner.run(self._server.create_database(name))

    def _stop(self) -> None:
        try:
            self._runner.run(self._server.stop())
        finally:
            self._runner.close()


class GivenServer:
    """Databases on the server of ``url`` (``postgres://…``), removed at the end of the block."""

    def __init__(self, url: Secret) -> None:
        self._url = _plain(url.reveal())
        self._made: list[str] = []

    def __enter__(self) -> GivenServer:
        return self

    def database(self) -> str:
        """The URL of a new database. Raises UsageError, without the URL, when it is refused."""
        name = f"truegreen_scratch_{secrets.token_hex(6)}"
        self._run("CREATE DATABASE {}", name)
        self._made.append(name)
        return _driver(urlunsplit(urlsplit(self._url)._replace(path=f"/{name}")))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in self._made:
            with suppress(UsageError):  # it is away now; what was found out stays true
                self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _run(self, statement: LiteralString, name: str) -> None:
        import psycopg
        from psycopg import sql

        try:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=10) as connection:
                connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise UsageError(
                f"migrations.postgres: no scratch database there: {type(error).__name__}",
                hint="the role needs CREATEDB; or leave the key out, for an embedded server",
            ) from None


def _plain(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"postgresql://{rest}" if scheme.split("+")[0] in ("postgres", "postgresql") else url


def _driver(url: str) -> str:
    return "postgresql+psycopg://" + url.partition("://")[2]
