"""One request to ``git http-backend``: its process, its standard input and output, its end.

CGI only (RFC 3875): what is asked for is `git_repos`', who may ask is the API's.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from truegreen.embedded.leftovers import Leftovers, group_alive, signal_group

_CHUNK = 65536
_HEAD_LIMIT = 65536
_END_PATIENCE = 2.0  # seconds for git to take SIGTERM


class GitFailed(Exception):
    """git http-backend gave no answer. The text says what it gave."""


@dataclass(frozen=True)
class CgiAnswer:
    status: int
    headers: list[tuple[str, str]]
    body: AsyncIterator[bytes]


@contextlib.asynccontextmanager
async def http_backend(
    env: Mapping[str, str], cwd: Path, body: AsyncIterator[bytes], leftovers: Leftovers
) -> AsyncIterator[CgiAnswer]:
    """git's answer, to be read inside the context; at its end every process of it is gone.

    ``body`` is read as git takes it; after an empty piece, its end, it may go on to watch the
    client. What it raises ends git, and with it the answer. Raises GitFailed when there is none.
    """
    process = await asyncio.create_subprocess_exec(
        "git", "http-backend", cwd=cwd, env=dict(env),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, start_new_session=True, limit=_HEAD_LIMIT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    leftovers.add(process.pid, cwd)
    said = asyncio.create_task(process.stderr.read(_CHUNK))
    feed = asyncio.create_task(_feed(process.pid, process.stdin, body))
    try:
        status, headers = await _head(process.stdout, said)
        yield CgiAnswer(status, headers, _pieces(process.stdout))
    finally:
        for task in (feed, said):
            task.cancel()
        await asyncio.gather(feed, said, return_exceptions=True)
        await asyncio.shield(_end(process))
        leftovers.discard(process.pid)


async def _feed(pid: int, stdin: asyncio.StreamWriter, body: AsyncIterator[bytes]) -> None:
    """An empty piece is the body's end; whoever goes on watching the client raises after it."""
    try:
        async for piece in body:
            if not piece:
                stdin.close()
                continue
            with contextlib.suppress(ConnectionError):  # git has heard enough: it says why
                stdin.write(piece)
                await stdin.drain()
    except asyncio.CancelledError:
        raise
    except Exception:
        signal_group(pid, signal.SIGTERM)  # so that the reading of its answer comes to an end
        raise
    finally:
        stdin.close()


async def _head(
    stdout: asyncio.StreamReader, said: asyncio.Task[bytes]
) -> tuple[int, list[tuple[str, str]]]:
    status = 200
    headers: list[tuple[str, str]] = []
    while True:
        try:
            line = await stdout.readline()
        except ValueError as error:
            raise GitFailed("git http-backend's head is too long") from error
        if not line:
            raise GitFailed(f"git http-backend gave no answer: {(await said)[-500:]!r}")
        text = line.decode("latin-1").rstrip("\r\n")
        if not text:
            return status, headers
        name, _, value = text.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((name, value.strip()))


async def _pieces(stdout: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while piece := await stdout.read(_CHUNK):
        yield piece


async def _end(process: asyncio.subprocess.Process) -> None:
    """git itself, the hook and what the hook runs are one process group."""
    for number, patience in ((signal.SIGTERM, _END_PATIENCE), (signal.SIGKILL, _END_PATIENCE)):
        if process.returncode is not None and not group_alive(process.pid):
            break
        if process.returncode is None or number is signal.SIGKILL:
            signal_group(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_gone(process), patience)
    await process.wait()


async def _gone(process: asyncio.subprocess.Process) -> None:
    await process.wait()
    while group_alive(process.pid):
        await asyncio.sleep(0.01)
