"""A Postgres server for one smoke suite: lives as long as whoever started it, then leaves nothing.

    python -m truegreen.embedded.scratch_server

Prints one line of JSON, ``{"head": URL, "copies": ADDRESS, "folder": PATH}`` or
``{"problem": …}``, and serves until its standard input ends: by being closed, or because the
process that held the other end was killed. Whoever sends ADDRESS's token to it gets a copy of the
database ``head``: one a process of the suite. All its files stand in ``folder``. The release half
starts this as a program, and so imports nothing of this half.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from truegreen.embedded.postgres import PostgresServer
from truegreen.errors import TrueGreenError
from truegreen.hermetic.scratch_copy import SCHEME

HEAD = "head"


async def serve(folder: Path) -> None:
    """Serves a database in ``folder``, and copies of it, until standard input ends."""
    postgres = PostgresServer(folder / "postgres")
    ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.buffer.read))
    try:
        serving = asyncio.ensure_future(_serve(postgres, folder))
        await asyncio.wait({ended, serving}, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
    except TrueGreenError as error:
        _tell({"problem": str(error)})
    finally:
        await postgres.stop()


async def _serve(postgres: PostgresServer, folder: Path) -> None:
    await postgres.start()
    head = await postgres.create_database(HEAD)
    token = secrets.token_urlsafe(24)
    made = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal made
        with suppress(OSError, TimeoutError, ValueError):
            said = await asyncio.wait_for(reader.readline(), 10)
            if secrets.compare_digest(said.strip(), token.encode("ascii")):
                made += 1
                name = f"copy{made}"
                try:
                    await postgres.copy_database(HEAD, name)
                    told = head.rpartition("/")[0] + f"/{name}"
                except TrueGreenError as error:
                    told = str(error)
                writer.write(told.encode())
                await writer.drain()
        writer.close()

    copies = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = copies.sockets[0].getsockname()[1]
    address = f"{SCHEME}{token}@127.0.0.1:{port}"
    _tell({"head": head, "copies": address, "folder": str(folder)})
    async with copies:
        await copies.serve_forever()


def _tell(said: object) -> None:
    with suppress(OSError):  # the starter may be gone
        print(json.dumps(said), flush=True)  # noqa: T201  # this program's answer


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of standard input is what ends it
    os.umask(0o077)
    folder = Path(tempfile.mkdtemp(prefix="truegreen-postgres-"))
    folder.chmod(0o711)  # as root, Postgres runs as another account, which must pass
    try:
        asyncio.run(serve(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
