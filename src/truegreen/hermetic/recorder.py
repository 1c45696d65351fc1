"""The recorder: sees every read of ``os.environ``, whoever holds it, and on which line.

``os.environ`` stays the same object (only its class changes), so ``from os import environ`` from
long before is seen too. Blind spots: ``os.environb``, ``posix.environ``, C's getenv and child
processes; variables that the seal removed are really gone for all of those.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, ItemsView, Iterator, ValuesView
from dataclasses import dataclass
from types import CodeType, FrameType

from truegreen.hermetic.origin import Place, Stack

# Views read each variable in turn; their iteration has already been recorded as a bulk read.
_VIEWS = (ItemsView.__iter__.__code__, ValuesView.__iter__.__code__)
_VIEWS_FILE = ItemsView.__iter__.__code__.co_filename
ALL = "*"  # a pin of everything, as patch.dict(os.environ, clear=True) makes it


@dataclass(frozen=True, slots=True)
class Read:
    """Reads of one variable from one line. ``present``: it had a value."""

    variable: str
    file: str
    line: int
    via: str
    present: bool
    count: int


@dataclass(frozen=True, slots=True)
class BulkRead:
    """A line that read the whole environment (copy, iteration, ``dict(environ)``)."""

    file: str
    line: int
    count: int


class Recording:
    """What was read and what is pinned by now. ``settled(name)``: pinned or let through from the
    start. Writing a variable pins it: for good, or while the owner of the write lasts."""

    def __init__(self, stack: Stack, settled: Callable[[str], bool]) -> None:
        self._stack = stack
        self._settled = settled
        self._reads: dict[tuple[str, Place, bool, bool], int] = {}
        self._bulk: dict[Place, int] = {}
        self._pins: set[str] = set()
        self._owned: dict[int, set[str]] = {}
        self._quiet = 0
        self._in_bulk: tuple[int, CodeType | None, int] = (0, None, -1)
        self._lock = threading.RLock()

    def leaks(self) -> tuple[Read, ...]:
        """Reads by the user's own code of variables that were neither pinned nor let through."""
        return tuple(
            Read(name, place.file, place.line, "", present, count)
            for (name, place, present, settled), count in sorted(self._reads.items(), key=_order)
            if not settled and not place.via
        )

    def reads(self) -> tuple[Read, ...]:
        """Every single read that has a line of the user's behind it."""
        return tuple(
            Read(name, place.file, place.line, place.via, present, count)
            for (name, place, present, _), count in sorted(self._reads.items(), key=_order)
        )

    def bulk_reads(self) -> tuple[BulkRead, ...]:
        return tuple(BulkRead(place.file, place.line, count) for place, count in self._bulk.items())

    def pin(self, owner: object, *names: str) -> None:
        """Pins ``names`` (or ALL) until ``unpin(owner)``."""
        with self._lock:
            self._owned.setdefault(id(owner), set()).update(names)

    def unpin(self, owner: object) -> None:
        with self._lock:
            self._owned.pop(id(owner), None)

    def quietly(self) -> _Quietly:
        """A context in which reads and writes are nobody's: the tools' own undoing."""
        return _Quietly(self)

    def pinned(self, name: str) -> bool:
        if name in self._pins or self._settled(name):
            return True
        return any(name in names or ALL in names for names in self._owned.values())

    # From here on: called by Recorder.

    def read(self, name: str, present: bool, frame: FrameType) -> None:
        if self._quiet or frame.f_code in _VIEWS or _instruction(frame) == self._in_bulk:
            return
        with self._lock:
            place = self._stack.place(frame)
            if place is not None:
                key = (name, place, present, self.pinned(name))
                self._reads[key] = self._reads.get(key, 0) + 1

    def read_all(self, frame: FrameType) -> None:
        # dict(environ) asks for the keys and then, from the very same instruction, for each.
        reader: FrameType = frame
        while reader.f_code.co_filename == _VIEWS_FILE and reader.f_back is not None:
            reader = reader.f_back
        self._in_bulk = _instruction(reader)
        if self._quiet:
            return
        with self._lock:
            place = self._stack.place(frame)
            if place is not None:
                self._bulk[place] = self._bulk.get(place, 0) + 1

    def wrote(self, name: str) -> None:
        if not self._quiet:
            self._pins.add(name)


def _instruction(frame: FrameType) -> tuple[int, CodeType, int]:
    return id(frame), frame.f_code, frame.f_lasti


class _Quietly:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def __enter__(self) -> None:
        self._recording._quiet += 1

    def __exit__(self, *_: object) -> None:
        self._recording._quiet -= 1


class Recorder(os._Environ[str]):
    """The class that ``os.environ`` has while a recording runs. ``in`` and ``get`` come here too:
    in CPython 3.11 to 3.14 both go through ``__getitem__``."""

    recording: Recording

    def __getitem__(self, key: str) -> str:
        try:
            value = super().__getitem__(key)
        except KeyError:
            self.recording.read(key, False, sys._getframe(1))
            raise
        self.recording.read(key, True, sys._getframe(1))
        return value

    def __iter__(self) -> Iterator[str]:
        self.recording.read_all(sys._getframe(1))
        return super().__iter__()

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        self.recording.wrote(key)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.recording.wrote(key)


class Watch:
    """Starts and stops a recording of ``os.environ``. May be nested; ends in reverse order."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._before: tuple[type, Recording | None] | None = None

    def start(self) -> None:
        environ = os.environ
        self._before = (type(environ), environ.__dict__.get("recording"))
        environ.__dict__["recording"] = self._recording
        environ.__class__ = Recorder

    def stop(self) -> None:
        if self._before is None:
            return
        kind, recording = self._before
        os.environ.__class__ = kind
        if recording is None:
            del os.environ.__dict__["recording"]
        else:
            os.environ.__dict__["recording"] = recording
        self._before = None


def _order(item: tuple[tuple[str, Place, bool, bool], int]) -> tuple[str, str, int]:
    (name, place, _, _), _count = item
    return name, place.file, place.line
