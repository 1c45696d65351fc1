"""Scans many items on all cores: one thread reads, others scan. Threads, because the fast engine
lets go of the interpreter's lock where the time goes; with the pure one a single thread is as
fast.

Small items travel in batches, as whole bytes; a large one is streamed by the thread that reads.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from truegreen.gates.scan.containers import Mark, Opener
from truegreen.gates.scan.engines import Engine
from truegreen.gates.scan.found import Gap, Scanned
from truegreen.gates.scan.rules import RuleSet
from truegreen.gates.scan.scanner import Scanner
from truegreen.gates.scan.sources import Item

SMALL = 4 << 20  # bytes up to which an item is read as a whole
_BATCH = 1 << 20  # bytes that are worth handing to another thread

_Read = tuple[Item, bytes]


def scan_items(
    items: Iterable[Item], rules: RuleSet, engine: Engine, mark: Mark, jobs: int | None = None
) -> Iterator[tuple[Item, Scanned]]:
    """Each item with what it came to, in order. ``jobs`` threads; None: one a core."""
    count = (jobs or os.cpu_count() or 1) if engine.parallel else 1
    first = Opener(Scanner(rules, engine), mark)
    if count < 2:
        for item in items:
            yield item, _scan(first, item)
        return
    openers: SimpleQueue[Opener] = SimpleQueue()
    for _ in range(count):
        openers.put(Opener(Scanner(rules, engine.copy()), mark))

    def work(batch: list[_Read]) -> list[tuple[Item, Scanned]]:
        opener = openers.get()
        try:
            return [(item, opener.scan([data])) for item, data in batch]
        finally:
            openers.put(opener)

    waiting: deque[Future[list[tuple[Item, Scanned]]] | tuple[Item, Scanned]] = deque()
    with ThreadPoolExecutor(count, thread_name_prefix="scan") as pool:
        batch: list[_Read] = []
        size = 0
        for item in items:
            done, data = _read(first, item)
            if done is None:
                batch.append((item, data))
                size += len(data)
            if batch and (size >= _BATCH or done is not None or len(batch) >= 500):
                waiting.append(pool.submit(work, batch))
                batch, size = [], 0
            if done is not None:
                waiting.append((item, done))
            while len(waiting) > 3 * count:
                yield from _results(waiting.popleft())
        if batch:
            waiting.append(pool.submit(work, batch))
        while waiting:
            yield from _results(waiting.popleft())


def _results(
    one: Future[list[tuple[Item, Scanned]]] | tuple[Item, Scanned],
) -> Iterable[tuple[Item, Scanned]]:
    return one.result() if isinstance(one, Future) else [one]


def _read(opener: Opener, item: Item) -> tuple[Scanned | None, bytes]:
    """The bytes of a small item; a large one, and what cannot be read, scanned already."""
    if item.gap or item.read is None or item.size > SMALL:
        return _scan(opener, item), b""
    try:
        return None, b"".join(item.read())
    except OSError as error:
        return _unread(error), b""


def _scan(opener: Opener, item: Item) -> Scanned:
    if item.gap or item.read is None:
        return Scanned(gaps=(item.gap,) if item.gap else ())
    try:
        return opener.scan(item.read())
    except OSError as error:
        return _unread(error)


def _unread(error: OSError) -> Scanned:
    return Scanned(gaps=(Gap("", error.strerror or str(error), unread=True),))
