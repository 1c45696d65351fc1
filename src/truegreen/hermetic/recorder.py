"""The recorder: sees every read of ``os.environ`` and ``os.environb``, whoever holds them.

Both stay the same objects (only their class changes), so ``from os import environ`` from long
before is seen too. Blind spots: ``posix.environ``, C's getenv and child processes; variables that
the seal removed are really gone for all of those. What is kept of the reads stands in ``reads``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from truegreen.hermetic.reads import PYTESTS, Recording

# Bound here, because all of it is paid for every read; what super() costs, six times a test for
# pytest's own variable.
_caller = sys._getframe
_GET, _SET, _DELETE = (
    os._Environ.__getitem__,
    os._Environ.__setitem__,
    os._Environ.__delitem__,
)


class _Recorder(os._Environ[Any]):
    """``in``, ``pop`` and the like come here too: in CPython 3.11 to 3.14 they go through
    ``__getitem__``. ``get`` would as well; written out, an absent variable costs no exception."""

    recording: Recording

    def __getitem__(self, key: Any) -> Any:
        try:
            value = _GET(self, key)
        except KeyError:
            self.recording.read(_text(key), False, _caller(1))
            raise
        if key != PYTESTS:
            self.recording.read(_text(key), True, _caller(1))
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        value = self._data.get(self.encodekey(key))  # type: ignore[attr-defined]
        text = key if type(key) is str else os.fsdecode(key)
        self.recording.read(text, value is not None, _caller(1))
        return default if value is None else self.decodevalue(value)

    def __iter__(self) -> Iterator[Any]:
        self.recording.read_all(_caller(1))
        return super().__iter__()

    def __setitem__(self, key: Any, value: Any) -> None:
        _SET(self, key, value)
        if key != PYTESTS:
            self.recording.wrote(_text(key))

    def __delitem__(self, key: Any) -> None:
        _DELETE(self, key)
        if key != PYTESTS:
            self.recording.wrote(_text(key))


def _text(key: str | bytes) -> str:
    return key if type(key) is str else os.fsdecode(key)


class Watch:
    """Starts and stops a recording of this process's environment. May be nested; ends in reverse.

    Holds on to the objects that ``os`` had at the start: a suite may replace ``os.environ``.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._watched: tuple[Any, ...] = (os.environ, os.environb)
        self._before: list[tuple[type, Recording | None]] = []

    def start(self) -> None:
        for one in self._watched:
            self._before.append((type(one), one.__dict__.get("recording")))
            one.__dict__["recording"] = self._recording
            one.__class__ = _Recorder

    def stop(self) -> None:
        """Puts the classes back, and ``os.environ`` itself where it was replaced."""
        if not self._before:
            return
        os.environ, os.environb = self._watched
        for one, (kind, recording) in zip(self._watched, self._before, strict=True):
            one.__class__ = kind
            if recording is None:
                del one.__dict__["recording"]
            else:
                one.__dict__["recording"] = recording
        self._before.clear()
