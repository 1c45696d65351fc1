"""Where `heroku run` meets its dyno: a TLS port on 127.0.0.1; the first line is the dyno's secret.

The protocol is the Heroku CLI's (src/lib/run/dyno.ts): the client sends the path of its
``attach_url``; the server answers ``rendezvous``, which the client throws away, and from there on
both sides are the bytes of a terminal. Which dynos there are is `oneoff`'s business.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from truegreen.embedded.certificate import HOST, server_context
from truegreen.errors import UsageError

Meet = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_FIRST_LINE = 10.0  # seconds for the client to say its secret
_LAST_WORDS = 0.3  # seconds for the end of the client's input, which it may be sending just now


class Rendezvous:
    """Listens from the first `expect` on. ``folder``: where certificate and key are kept."""

    def __init__(self, folder: Path, patience: float = 60.0) -> None:
        self.certificate = folder / "rendezvous.pem"
        self._key = folder / "rendezvous.key"
        self._patience = patience
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[str, tuple[Meet, asyncio.TimerHandle]] = {}
        self._meeting: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Makes the certificate, so that a client can trust it before there is a connection."""
        with contextlib.suppress(UsageError):  # told to who asks for a dyno
            await asyncio.to_thread(server_context, self.certificate, self._key)

    async def expect(self, meet: Meet, given_up: Callable[[], None]) -> str:
        """The ``attach_url`` at which ``meet`` gets the connection; good once, for ``patience``
        seconds, after which ``given_up`` is called. Raises UsageError: no certificate."""
        async with self._starting:
            if self._server is None:
                context = await asyncio.to_thread(server_context, self.certificate, self._key)
                self._server = await asyncio.start_server(self._greet, HOST, 0, ssl=context)
        port = self._server.sockets[0].getsockname()[1]
        name = secrets.token_urlsafe(32)

        def expire() -> None:
            if self._waiting.pop(name, None):
                given_up()

        timer = asyncio.get_running_loop().call_later(self._patience, expire)
        self._waiting[name] = (meet, timer)
        return f"rendezvous://{HOST}:{port}/{name}"

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._meeting.add(task)
        try:
            async with asyncio.timeout(_FIRST_LINE):
                line = await reader.readline()
            found = self._waiting.pop(line.decode("latin-1").strip(), None)
            if found is not None:
                meet, timer = found
                timer.cancel()
                writer.write(b"rendezvous\r\n")
                await writer.drain()
                await meet(reader, writer)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_WORDS):
                        while await reader.read(4096):
                            pass
        except (OSError, TimeoutError, ValueError):
            pass  # the client is gone, or it is none
        finally:
            self._meeting.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def close(self) -> None:
        for _, timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        if self._server is not None:
            self._server.close()
        for task in list(self._meeting):
            task.cancel()
        await asyncio.gather(*self._meeting, return_exceptions=True)
