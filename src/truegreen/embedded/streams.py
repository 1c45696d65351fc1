"""Output of builds, release commands and apps: kept in files, followed while it is written.

A stream is a folder of segment files, each named after the offset of its first byte. Memory holds
none of it. A stream that outgrows its limit loses segments from its *middle*: how it began and how
it ended stay (a release report is in the last lines). Offsets count every byte ever written, so a
reader resumes exactly, whatever was dropped meanwhile. HTTP is `api/output.py`'s.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from io import FileIO
from pathlib import Path

from truegreen.embedded.disk import is_full

CHUNK = 256 * 1024
_SOON = 0.02  # seconds
SEGMENTS = 16  # of a full stream; the first quarter is its beginning, the rest its end
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Stream:
    """One output. ``limit`` bytes are kept at most (within one segment)."""

    def __init__(self, folder: Path, limit: int, *, live: bool) -> None:
        self._folder = folder
        self._segment_bytes = max(1, limit // SEGMENTS)
        self._starts = sorted(int(path.stem) for path in folder.glob("*.seg"))
        self._file: FileIO | None = None
        self._file_bytes = 0
        self._lost = 0
        self._lines: list[str] = []  # not written yet
        self._changed = asyncio.Event()
        self.live = live
        self.total = 0
        if self._starts:
            last = self._starts[-1]
            self.total = last + self._path(last).stat().st_size

    def _path(self, start: int) -> Path:
        return self._folder / f"{start:020d}.seg"

    def write(self, data: bytes) -> None:
        """Appends; on disk (as far as this process is concerned) when it returns. What a full disk
        does not take is lost, and the next line that is kept says how much."""
        self.flush()
        if self._lost:
            note = b"\n[%d bytes could not be kept: the disk was full]\n" % self._lost
            view = memoryview(note + data)
        else:
            view = memoryview(data)
        try:
            while view:
                if self._file is None or self._file_bytes >= self._segment_bytes:
                    self._next_segment()
                assert self._file is not None
                part = self._file.write(view[: self._segment_bytes - self._file_bytes])
                self._file_bytes += part
                self.total += part
                view = view[part:]
            self._lost = 0
        except OSError as error:
            if not is_full(error):
                raise
            self._lost += min(len(view), len(data))
        self._wake()

    def line(self, text: str) -> None:
        self.write(text.encode("utf-8", "replace") + b"\n")

    def line_soon(self, text: str) -> None:
        """As `line`, but written with those that follow within `_SOON` seconds; whoever reads the
        stream finds it at once. For what comes a thousand times a second."""
        if not self._lines:
            asyncio.get_running_loop().call_later(_SOON, self.flush)
        self._lines.append(text)

    def flush(self) -> None:
        """Writes what `line_soon` has kept back."""
        if self._lines:
            lines, self._lines = self._lines, []
            self.write("".join([f"{text}\n" for text in lines]).encode("utf-8", "replace"))

    def _next_segment(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = self._path(self.total).open("ab", buffering=0)
        self._file_bytes = 0
        self._starts.append(self.total)
        if len(self._starts) > SEGMENTS:
            self._path(self._starts.pop(SEGMENTS // 4)).unlink(missing_ok=True)

    def end(self) -> None:
        """No more will be written: followers come to their end."""
        self.flush()
        self.live = False
        if self._file is not None:
            self._file.close()
            self._file = None
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def seek(self, offset: int) -> int:
        """The first offset >= ``offset`` that is still kept (at most ``total``)."""
        self.flush()
        for start in reversed(self._starts):
            if start <= offset:
                size = self._path(start).stat().st_size
                if offset < start + size:
                    return offset
                later = [other for other in self._starts if other > start]
                return later[0] if later else min(offset, self.total)
        return self._starts[0] if self._starts else 0

    def read(self, offset: int, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes at ``offset``, which `seek` gave; empty at the end."""
        start = max((s for s in self._starts if s <= offset), default=None)
        if start is None:
            return b""
        with self._path(start).open("rb") as file:
            file.seek(offset - start)
            return file.read(size)

    async def follow(self, offset: int = 0, *, tail: bool = True) -> AsyncIterator[bytes]:
        """What was written from ``offset`` on and, with ``tail``, what will be, until `end`.

        Where the middle was dropped, one line says how much.
        """
        while True:
            changed, live = self._changed, self.live
            at = self.seek(offset)
            if at > offset:
                yield f"\n[{at - offset} bytes were dropped here]\n".encode()
                offset = at
            data = self.read(offset)
            if data:
                offset += len(data)
                yield data
            elif not (live and tail):
                return
            elif self.total <= offset:
                await changed.wait()

    def last_lines(self, count: int) -> int:
        """The offset at which the last ``count`` lines begin (looks back 256 KiB at most)."""
        self.flush()
        begin = self.seek(max(0, self.total - CHUNK))
        text = b""
        while begin + len(text) < self.total:
            more = self.read(self.seek(begin + len(text)))
            if not more:
                break
            text += more
        lines = text.splitlines(keepends=True)
        return self.total - sum(len(line) for line in lines[-count:]) if count else self.total


class Streams:
    """All streams of one platform, by name. ``folder``: its ``logs``; ``limit``: bytes a stream."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._open: dict[str, Stream] = {}

    @staticmethod
    def new_name() -> str:
        """Unguessable: the name is all that protects an output stream, as on Heroku."""
        return secrets.token_urlsafe(32)

    def open(self, name: str, *, limit: int | None = None) -> Stream:
        """The stream to write to; makes it, or goes on with what a past process wrote."""
        stream = self._open.get(name)
        if stream is None:
            folder = self._folder / name
            folder.mkdir(parents=True, exist_ok=True)  # also one that stays empty can be found
            stream = Stream(folder, limit or self._limit, live=True)
            self._open[name] = stream
        return stream

    def find(self, name: str) -> Stream | None:
        """The stream to read from: a live one, or what is left of an ended one."""
        if name in self._open:
            return self._open[name]
        folder = self._folder / name
        if not NAME.fullmatch(name) or not folder.is_dir():
            return None
        return Stream(folder, self._limit, live=False)

    def end(self, name: str) -> None:
        stream = self._open.pop(name, None)
        if stream is not None:
            stream.end()

    def end_all(self) -> None:
        for name in list(self._open):
            self.end(name)

    def rename(self, name: str, to: str) -> None:
        """The stream is called ``to`` from now on; who follows it comes to its end."""
        self.end(name)
        if (self._folder / name).is_dir():
            shutil.rmtree(self._folder / to, ignore_errors=True)
            (self._folder / name).rename(self._folder / to)

    def forget(self, name: str) -> None:
        self.end(name)
        if NAME.fullmatch(name):
            shutil.rmtree(self._folder / name, ignore_errors=True)
