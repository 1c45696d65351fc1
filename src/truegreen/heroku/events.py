"""Server-sent events out of bytes, in bounded memory. Pure: no HTTP, no clock.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html. Comments, ``event``
and ``retry`` are read over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from truegreen.heroku.fields import UnexpectedAnswer

LARGEST_EVENT = 4 * 1024 * 1024  # bytes
_LONGEST_ID = 1024
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Event(NamedTuple):
    """``id`` None: the event named none. ``data`` is exactly what was sent, lines joined by LF."""

    id: str | None
    data: bytes


class EventReader:
    """Feed it bytes, get whole events. What is left over of an unfinished one is dropped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._size = 0
        self._data: list[bytes] = []
        self._id: str | None = None

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that ``piece`` completes. Raises UnexpectedAnswer above LARGEST_EVENT."""
        self._buffer += piece
        start = 0
        while True:
            end = _LINE_END.search(self._buffer, max(start, self._scanned))
            # A CR at the very end may be half of a CR LF.
            if end is None or (end[0] == b"\r" and end.end() == len(self._buffer)):
                break
            line = bytes(self._buffer[start : end.start()])
            start = end.end()
            event = self._line(line)
            if event is not None:
                yield event
        del self._buffer[:start]
        self._scanned = max(0, len(self._buffer) - 1)
        if len(self._buffer) + self._size > LARGEST_EVENT:
            raise UnexpectedAnswer("event stream", "", f"has an event over {LARGEST_EVENT} bytes")

    def _line(self, line: bytes) -> Event | None:
        if not line:
            event = Event(self._id, b"\n".join(self._data)) if self._data or self._id else None
            self._data, self._id, self._size = [], None, 0
            return event
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"id" and b"\0" not in value and len(value) <= _LONGEST_ID:
            self._id = value.decode("utf-8", "replace").strip()
        return None
