"""What is new, told to every open page: one reader for all, server-sent events to each.

The databases are asked four times a second while anybody listens, and not otherwise. A page hears
first of which version this is, and asks again when it was made of an older one. A page that does
not read is dropped with what it missed: it asks again, and gets the page as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import anyio.to_thread

from truegreen.board.pages.run import sentence_of, short_run
from truegreen.board.sources import Sources, version
from truegreen.errors import TrueGreenError

EVERY = 0.25  # seconds between two looks
QUIET = 15.0  # seconds after which a silent line says that it lives
LISTENERS = 1000  # at once; more are told to come again
_MOST = 50  # records of one look; who missed more reads the page again anyway
_QUEUE = 64  # events that a page may be behind


@dataclass(frozen=True, slots=True)
class _State:
    """What a look finds: the last record, the apps whose lease is held, and how often each run
    under way has told something."""

    head: int
    held: frozenset[str]
    told: dict[str, int]

    @property
    def version(self) -> str:
        """What a page shows that was made of this; see Sources.version."""
        return version(self.head, self.told)

    def changed_since(self, before: _State) -> set[str]:
        """The apps of which something else than a record is new."""
        told = {app for app, number in self.told.items() if before.told.get(app) != number}
        return told | (self.held ^ before.held)


class Feed:
    """``listen`` gives a page its events; ``run`` reads for all of them, until it is cancelled."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._wanted = asyncio.Event()
        self._closing = False
        self._seen: _State | None = None  # what listeners were told the changes up to

    @property
    def full(self) -> bool:
        return len(self._listeners) >= LISTENERS

    async def run(self) -> None:
        """Reads and tells. Until it is cancelled."""
        while True:
            if not self._listeners:
                self._seen = None
                self._wanted.clear()
                await self._wanted.wait()
            with contextlib.suppress(TrueGreenError):  # away: the next look tells what this missed
                await self._once()
            await asyncio.sleep(EVERY)

    async def _once(self) -> None:
        now, seen = await self._state(), self._seen
        if seen is None:
            events: list[dict[str, Any]] = [{"version": now.version}]
        else:
            new = now.head > seen.head
            events = await anyio.to_thread.run_sync(self._records, seen.head) if new else []
            events += [{"app": app} for app in sorted(now.changed_since(seen))]
            now = replace(now, head=max(now.head, seen.head))
        self._seen = now
        for event in events:
            self._tell(event)

    async def _state(self) -> _State:
        return await anyio.to_thread.run_sync(self._look)

    def _look(self) -> _State:
        sources = self._sources
        return _State(sources.head(), frozenset(sources.held()), sources.told())

    def _records(self, seen: int) -> list[dict[str, Any]]:
        with self._sources.ledger() as ledger:
            if ledger is None:
                return []
            found = []
            now = self._sources.now()
            for entry in ledger.after(seen, _MOST):
                told: dict[str, Any] = short_run(entry, now)
                record = ledger.record(entry.id) if entry.verdict else None
                told["sentence"] = sentence_of(record) if record else ""
                found.append(told)
            return found

    def _tell(self, event: dict[str, Any]) -> None:
        line = _line(event)
        for queue in tuple(self._listeners):
            try:
                queue.put_nowait(line)
            except asyncio.QueueFull:
                self._listeners.discard(queue)
                with contextlib.suppress(asyncio.QueueEmpty):
                    queue.get_nowait()
                queue.put_nowait(None)

    async def listen(self) -> AsyncIterator[bytes]:
        """The events of one page, as they are sent."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUE)
        self._listeners.add(queue)
        self._wanted.set()
        try:
            yield b"retry: 2000\n: the board listens\n\n"
            if self._seen is not None:  # else the first look says it, to all
                yield _line({"version": self._seen.version})
            while not self._closing:
                try:
                    line = await asyncio.wait_for(queue.get(), QUIET)
                except TimeoutError:
                    line = b": still here\n\n"
                if line is None:
                    return
                yield line
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Ends every page's events: a server that stops does not wait for them."""
        self._closing = True
        for queue in tuple(self._listeners):
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(None)


def _line(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()
