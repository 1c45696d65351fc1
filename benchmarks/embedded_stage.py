"""The stage of embedded.py: a platform that is started and asked, load put on it, a table printed.

What is measured, and what is claimed, is embedded.py's.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from truegreen.embedded import locate
from truegreen.embedded.locate import PlatformInfo
from truegreen.heroku import HerokuClient

CONNECTIONS = 16


@dataclass
class Table:
    """Prints rows as they are measured; ``held`` is false once a claim was missed."""

    held: bool = True

    def row(self, what: str, measured: str, claim: str = "", *, holds: bool | None = None) -> None:
        verdict = {None: "", True: "holds", False: "MISSED"}[holds]
        self.held = self.held and holds is not False
        print(f"| {what} | {measured} | {claim} | {verdict} |", flush=True)


class Platform:
    """A running platform and its API, asked raw over one kept connection."""

    def __init__(self, info: PlatformInfo) -> None:
        self.info = info
        self.client = HerokuClient(info.api, info.token())
        self._token = info.token().reveal()

    def connection(self) -> http.client.HTTPConnection:
        url = urlsplit(self.info.api)
        made = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
        made.connect()
        made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def call(
        self, method: str, path: str, value: Any = None, headers: dict[str, str] | None = None,
        over: http.client.HTTPConnection | None = None,
    ) -> Any:  # fmt: skip
        connection = over or self.connection()
        body = None if value is None else json.dumps(value)
        head = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        connection.request(method, path, body, head)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {data[:300]!r}")
        if over is None:
            connection.close()
        return json.loads(data)

    def deploy(self, app: str, files: dict[str, str]) -> float:
        """Builds and releases; the seconds from the build's creation to its end."""
        blob = self.call("POST", "/sources")["source_blob"]
        put = self.connection()
        put.request("PUT", urlsplit(blob["put_url"]).path, tarball(files))
        put.getresponse().read()
        put.close()
        began = time.monotonic()
        source = {"source_blob": {"url": blob["get_url"], "version": "c0ffee"}}
        build = self.call("POST", f"/apps/{app}/builds", source)
        while build["status"] == "pending":
            time.sleep(0.01)
            build = self.call("GET", f"/apps/{app}/builds/{build['id']}")
        if build["status"] != "succeeded":
            sys.exit(f"the build of {app} failed: {build['failure_reason']}")
        return time.monotonic() - began

    def up(self, app: str) -> None:
        """Returns once the app's first web dyno is up on the current release."""
        while True:
            current = max(r.version for r in self.client.releases(app, limit=1))
            dynos = self.call("GET", f"/apps/{app}/dynos")
            if any(d["state"] == "up" and d["release"]["version"] == current for d in dynos):
                return
            time.sleep(0.02)


def tarball(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


@contextmanager
def started(folder: Path) -> Iterator[Platform]:
    info = locate.ensure_running(folder, timeout=60)
    try:
        yield Platform(info)
    finally:
        locate.stop(folder)


def load(port: int, seconds: float, host: str = "127.0.0.1") -> float:
    """Requests a second over CONNECTIONS kept connections; every answer must be a 200."""
    if shutil.which("wrk") is None:
        return own_load(port, host, seconds)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-H", f"Host: {host}",
         f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        print(done.stdout, file=sys.stderr)
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


def own_load(port: int, host: str, seconds: float) -> float:
    """As `load`, with threads of this process."""
    until, counts = time.monotonic() + seconds, []

    def ask() -> None:
        connection, count = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0
        while time.monotonic() < until:
            connection.request("GET", "/", headers={"Host": host})
            answer = connection.getresponse()
            answer.read()
            count += answer.status == 200
        connection.close()
        counts.append(count)

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def resources(pid: int) -> tuple[float, int]:
    """(resident MiB, open file descriptors) of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident
    return int(resident[1]) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def processor_seconds(pid: int) -> float:
    """What a process has used so far, in user and kernel mode (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
