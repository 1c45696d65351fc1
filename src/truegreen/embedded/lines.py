"""Bytes to lines, in bounded memory. Pure; knows nothing of where they come from or go to."""

from __future__ import annotations

from collections.abc import Callable

MAX_LINE = 10_000
"""Bytes a line; Heroku's log router cuts at the same length (devcenter: "Logplex")."""


class LineSplitter:
    """Calls ``write`` with each line, without its end; a longer one comes in several pieces.

    What is not UTF-8 is shown as U+FFFD. Holds at most ``limit`` bytes.
    """

    def __init__(self, write: Callable[[str], None], limit: int = MAX_LINE) -> None:
        self._write = write
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        for line in lines[:-1]:
            self._emit(line.removesuffix(b"\r"))
        rest = lines[-1]
        while len(rest) > self._limit:
            self._write(rest[: self._limit].decode(errors="replace"))
            rest = rest[self._limit :]
        self._rest = rest

    def close(self) -> None:
        """The end: what stands there without a line end is a line too."""
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def _emit(self, line: bytes) -> None:
        for at in range(0, max(len(line), 1), self._limit):
            self._write(line[at : at + self._limit].decode(errors="replace"))
