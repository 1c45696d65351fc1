"""Where a service's embedded platform is: find it, start it as a daemon, stop it.

The face of the embedded platform for `ship`, `verify` and the command line. Standard library only,
so that asking stays quick; the platform itself is `server`'s and runs in a process of its own.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.proc_stat import read_stat
from truegreen.errors import (
    DeadlineExceeded,
    PlatformRefused,
    PlatformUnreachable,
    TrueGreenError,
    UsageError,
)
from truegreen.secret import Secret

DATA_VARIABLE = "TRUEGREEN_PLATFORM_DATA"
_PAUSE = 0.03
_TAIL_LINES = 15


class PlatformInfo(NamedTuple):
    """A running platform, as its ``platform.json`` says. URLs have no slash at the end."""

    api: str
    router: str
    edge: str
    token_file: Path
    data: Path
    pid: int
    started: str

    def token(self) -> Secret:
        """Raises UsageError when the file cannot be read."""
        try:
            return Secret(self.token_file.read_text(encoding="ascii").strip())
        except OSError as error:
            raise UsageError(f"{self.token_file}: the platform's token cannot be read: {error}") \
                from error  # fmt: skip


def data_dir(service_root: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The platform's folder for a service: TRUEGREEN_PLATFORM_DATA, else ``.truegreen/platform`` in
    the git checkout that holds the service, else in the service's root."""
    if named := environ.get(DATA_VARIABLE):
        return Path(named).absolute()
    root = service_root.resolve()
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return top / ".truegreen" / "platform"


def find_running(data: Path) -> PlatformInfo | None:
    """The platform that runs on ``data``; None when none does, or it does not answer.

    A stale ``platform.json`` is seen through: the pid must live, and the API at that port must say
    that it is this folder's platform.
    """
    folder = DataFolder(data.absolute())
    try:
        values = json.loads(folder.info_file.read_text(encoding="utf-8"))
        info = PlatformInfo(
            api=str(values["api"]),
            router=str(values["router"]),
            edge=str(values["edge"]),
            token_file=Path(values["token_file"]),
            data=Path(values["data"]),
            pid=int(values["pid"]),
            started=str(values["started"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not _alive(info.pid):
        return None
    try:
        status = ask(info, "GET", "/truegreen/status")
    except TrueGreenError:
        return None
    same = status.get("pid") == info.pid and Path(str(status.get("data"))) == info.data
    return info if same else None


def ask(
    info: PlatformInfo, method: str, path: str, body: Mapping[str, str] | None = None,
    timeout: float = 5.0,
) -> dict[str, Any]:  # fmt: skip
    """One call of the platform's own endpoints. ``timeout`` in seconds.

    Raises PlatformUnreachable, or PlatformRefused with the platform's words.
    """
    url = urlsplit(info.api)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=timeout)
    try:
        connection.request(
            method,
            path,
            json.dumps(body) if body is not None else None,
            {"Authorization": f"Bearer {info.token().reveal()}", "Connection": "close"},
        )
        answer = connection.getresponse()
        values = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PlatformUnreachable(
            f"the embedded platform at {info.api} gives no answer: {error}",
            hint="truegreen platform status",
        ) from error
    finally:
        connection.close()
    if not isinstance(values, dict) or answer.status >= 400:
        text = values.get("message") if isinstance(values, dict) else None
        raise PlatformRefused(
            f"the embedded platform says {answer.status}: {text}", status=answer.status
        )
    return values


def ensure_running(
    data: Path,
    log_file: Path | None = None,
    *,
    options: Sequence[str] = (),
    timeout: float = 30.0,
) -> PlatformInfo:
    """The platform that runs on ``data``, started as a daemon when there is none.

    ``log_file``: where the daemon's own words go (default: ``platform.log`` in ``data``);
    ``options``: more of ``platform serve``; ``timeout``: seconds until it must be ready. Called by
    two at once, both get the same one. Raises TrueGreenError with the log's tail when it dies
    at its start, DeadlineExceeded when it is not ready in time (then it is ended, as it is when
    this is interrupted).
    """
    folder = DataFolder(data.absolute())
    folder.create()
    log = log_file or folder.root / "platform.log"
    until = time.monotonic() + timeout
    child: int | None = None
    with _start_lock(folder, until):
        spawning = False
        try:
            while (info := find_running(folder.root)) is None:
                if time.monotonic() > until:
                    raise DeadlineExceeded(
                        f"the embedded platform was not ready within {timeout:g} s",
                        hint=f"its log is {log}:\n{_tail(log)}",
                    )
                if not _held(folder.serve_lock) and (child is None or not _alive(child)):
                    if child is not None:
                        raise TrueGreenError(
                            "the embedded platform ended while it started", hint=_tail(log)
                        )
                    spawning = True
                    child = _spawn(folder, log, options)
                time.sleep(_PAUSE)
        except BaseException:
            if spawning:
                _give_up(folder, child)
            raise
    return info


def stop(data: Path, *, timeout: float = 60.0) -> bool:
    """Stops the platform on ``data``; returns whether one was running.

    Where it was killed, what it left running is ended. Returns when it and everything it started
    is gone. Raises DeadlineExceeded after ``timeout`` seconds.
    """
    folder = DataFolder(data.absolute())
    if not _held(folder.serve_lock):
        folder.info_file.unlink(missing_ok=True)
        _end_leftovers(folder)
        return False
    # whoever holds the lock wrote its pid there: no other process can be meant
    pid = int(folder.serve_lock.read_text(encoding="ascii").strip() or 0)
    if pid > 1:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + timeout
    while _held(folder.serve_lock) or (pid > 1 and _alive(pid)):
        if time.monotonic() > until:
            raise DeadlineExceeded(
                f"the embedded platform (pid {pid}) did not stop within {timeout:g} s",
                hint=f"its log is {folder.root / 'platform.log'}",
            )
        time.sleep(_PAUSE)
    return True


def _give_up(folder: DataFolder, child: int | None) -> None:
    """Ends the daemon that was being started. Without ``child`` the interruption came before its
    pid was known: then it is the one that comes to hold the lock."""
    until = time.monotonic() + 3.0
    while child is None and time.monotonic() < until:
        if _held(folder.serve_lock):
            text = folder.serve_lock.read_text(encoding="ascii").strip()
            child = int(text) if text.isdigit() else None
        time.sleep(_PAUSE)
    if child is None or child <= 1 or not _alive(child):
        return
    os.kill(child, signal.SIGTERM)
    while _alive(child) and time.monotonic() < until + 5.0:
        time.sleep(_PAUSE)


def _end_leftovers(folder: DataFolder) -> None:
    """Ends the dynos and the database server of a platform that was killed."""
    import asyncio

    from truegreen.embedded.cluster import CLUSTER, end_servers
    from truegreen.embedded.leftovers import Leftovers

    async def end() -> None:
        await Leftovers(folder.processes).reap(grace=2.0)
        await end_servers(folder.postgres / CLUSTER)

    if not folder.processes.exists():
        return
    with folder.serve_lock.open("a") as lock:  # so that no platform starts meanwhile
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # one just did, and ends them itself
        asyncio.run(end())


def _spawn(folder: DataFolder, log: Path, options: Sequence[str]) -> int:
    """Starts the daemon as nobody's child (a shell in between ends at once); returns its pid."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "truegreen", "platform", "serve", "--data", str(folder.root), *options
    ]  # fmt: skip
    script = f"{shlex.join(command)} >>{shlex.quote(str(log))} 2>&1 </dev/null & echo $!"
    with log.open("ab") as file:
        file.write(b"--- start\n")
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=True,
        timeout=10,
    )
    return int(done.stdout)


@contextmanager
def _start_lock(folder: DataFolder, until: float) -> Iterator[None]:
    with folder.start_lock.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise DeadlineExceeded(
                        f"{folder.start_lock}: somebody else starts the platform, for too long"
                    ) from None
                time.sleep(_PAUSE)
        yield


def _held(lock: Path) -> bool:
    try:
        with lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _alive(pid: int) -> bool:
    stat = read_stat(pid)
    if stat is not None:
        return stat.state not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tail(log: Path) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace").rpartition("--- start\n")[2]
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
