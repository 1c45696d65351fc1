"""What is kept of the reads of an environment: which variable, where, when, by which tests.

Its memory is bounded: KEYS_KEPT different reads and PAIRS_KEPT pairs of a read and a test; what is
beyond is only counted. Knows nothing of pytest; ``plugin`` says which test runs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, ItemsView, Iterable, ValuesView
from types import CodeType, FrameType
from typing import Protocol

from truegreen.hermetic.origin import Place, Stack
from truegreen.hermetic.result import TESTS_KEPT, LeakedRead, RecordedRead

KEYS_KEPT = 10_000
PAIRS_KEPT = 200_000

# Views read each variable in turn; their iteration has already been recorded as a bulk read.
# By identity: comparing code objects takes longer than all else that a read costs.
_ITEMS, _VALUES = ItemsView.__iter__.__code__, ValuesView.__iter__.__code__
_VIEWS_FILE = ItemsView.__iter__.__code__.co_filename
# What libraries that read for their caller read for themselves.
_THEIR_OWN = {
    "PYTHON_DOTENV_DISABLED": "dotenv",
    "PYDANTIC_SETTINGS_DEBUG": "pydantic_settings",
}
PYTESTS = "PYTEST_CURRENT_TEST"  # written and removed by pytest around every phase of a test
ALL = "*"  # a pin of everything, as patch.dict(os.environ, clear=True) makes it


class Fixture(Protocol):
    """What is known of a fixture; pytest's FixtureDef is one."""

    @property
    def argname(self) -> str: ...
    @property
    def scope(self) -> str: ...


# variable, file, line, via, present, bulk, phase, state: a plain tuple, made for every read
_Key = tuple[str, str, int, str, bool, bool, str, str]


class _Seen:
    __slots__ = ("count", "during", "tests", "told")

    def __init__(self, key: _Key, during: str) -> None:
        self.during = during
        self.count = 0
        self.tests: dict[str, None] = {}
        # The leak as ``VARIABLE file:line``, for any terminal; "" when it is none.
        self.told = ""
        variable, file, line, via, _, _, _, state = key
        if state == "open" and not via and variable != ALL:
            told = f"{variable} {file}:{line}"
            self.told = told.encode("utf-8", "backslashreplace").decode()


class Recording:
    """What was read and what is pinned by now.

    ``settled(name)``: "pinned" or "passed" when it is so from the start, else "". Writing a
    variable pins it: for good, or while the owner of the write lasts.
    """

    def __init__(self, stack: Stack, settled: Callable[[str], str]) -> None:
        self._stack = stack
        self._settled = settled
        self._seen: dict[_Key, _Seen] = {}
        self._pairs = 0
        self._known: dict[str, str] = {}  # what settled() has said
        self._pins: set[str] = set()
        self._owned: dict[int, set[str]] = {}
        self._shared: dict[str, set[_Seen]] = {}  # fixture -> what the making of it has read
        self._quiet = 0
        self._in_bulk: tuple[int, CodeType | None, int] = (0, None, -1)
        self._lock = threading.RLock()
        self.test = ""  # node id of the running test, or "": its end is told by setting it
        self._of_test: list[_Seen] = []
        # Those that are being made, the innermost last. Where more than one test gets the very same
        # fixture, all of them have read.
        self.fixtures: list[Fixture] = []
        self.dropped = 0

    def reads(self) -> tuple[RecordedRead, ...]:
        """Every read that has a line of the user's behind it, in the order of names and lines."""
        found = [
            RecordedRead(
                variable=variable,
                file=file,
                line=line,
                present=present,
                count=seen.count,
                bulk=bulk,
                phase=phase,
                during=seen.during,
                tests=tuple(seen.tests)[:TESTS_KEPT],
                test_count=len(seen.tests),
                state=state,
                via=via,
            )
            for (variable, file, line, via, present, bulk, phase, state), seen in (
                self._seen.items()
            )
        ]
        return tuple(sorted(found, key=read_order))

    # Which moment it is: called by the plugin.

    def test_begins(self, node: str) -> None:
        self.test = node
        self._of_test = []

    def uses_fixtures(self, node: str, names: Iterable[str]) -> None:
        """The test ``node`` gets these fixtures, made for it or for an earlier one."""
        if not self._shared:
            return
        with self._lock:
            for name in names:
                for seen in self._shared.get(name, ()):
                    if node not in seen.tests:
                        self._add_test(seen, node)

    def leaks_of_test(self) -> list[str]:
        """What leaked into the running test, as ``VARIABLE file:line``, for any terminal."""
        return [seen.told for seen in self._of_test if seen.told]

    # Pins.

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

    def state(self, name: str) -> str:
        """pinned | passed | open."""
        if name in self._pins:
            return "pinned"
        for names in self._owned.values():
            if name in names or ALL in names:
                return "pinned"
        known = self._known.get(name)
        if known is None:
            known = self._settled(name) or "open"
            if len(self._known) < KEYS_KEPT:
                self._known[name] = known
        return known

    # From here on: called while somebody reads.

    def read(self, name: str, present: bool, frame: FrameType, *, bulk: bool = False) -> None:
        if self._quiet or name == PYTESTS:
            return
        code = frame.f_code
        if code is _ITEMS or code is _VALUES:
            return
        if id(frame) == self._in_bulk[0] and _instruction(frame) == self._in_bulk:
            return
        found = self._stack.place(frame)
        if found is not None:
            self._record(name, present, found, bulk)

    def read_all(self, frame: FrameType) -> None:
        # dict(environ) asks for the keys and then, from the very same instruction, for each.
        reader: FrameType = frame
        while reader.f_code.co_filename == _VIEWS_FILE and reader.f_back is not None:
            reader = reader.f_back
        self._in_bulk = _instruction(reader)
        if self._quiet:
            return
        found = self._stack.place(frame)
        if found is not None:
            self._record(_wanted(reader), True, found, True)

    def wrote(self, name: str) -> None:
        if not self._quiet and name != PYTESTS:
            self._pins.add(name)

    def _record(self, name: str, present: bool, found: Place, bulk: bool) -> None:
        file, line, via, importing = found
        fixtures = self.fixtures
        if importing:
            phase = "import"
        elif fixtures:
            phase = "fixture"
        else:
            phase = "test" if self.test else "collection"
        if not via and name in _THEIR_OWN:
            via = _THEIR_OWN[name]
        with self._lock:
            key = (name, file, line, via, present, bulk, phase, self.state(name))
            seen = self._seen.get(key)
            if seen is None:
                if len(self._seen) >= KEYS_KEPT:
                    self.dropped += 1
                    return
                during = importing or (fixtures[-1].argname if fixtures else "")
                # Names come from the program; interned they are shared with it.
                seen = self._seen[key] = _Seen(key, sys.intern(during))
            seen.count += 1
            if self.test and self.test not in seen.tests:
                self._add_test(seen, self.test)
            for fixture in fixtures:
                if fixture.scope != "function":
                    self._shared.setdefault(fixture.argname, set()).add(seen)

    def _add_test(self, seen: _Seen, node: str) -> None:
        if self._pairs >= PAIRS_KEPT:
            self.dropped += 1
            return
        self._pairs += 1
        seen.tests[node] = None
        self._of_test.append(seen)


def leaks_of(reads: tuple[RecordedRead, ...]) -> tuple[LeakedRead, ...]:
    """Reads by the user's own code of variables that were neither pinned nor let through."""
    return tuple(read.leak() for read in reads if read.leaked)


def merged(reads: list[RecordedRead]) -> tuple[RecordedRead, ...]:
    """The same reads of several processes as one. Counts are added."""
    found: dict[tuple[object, ...], list[RecordedRead]] = {}
    for read in reads:
        key = (*read_order(read), read.present, read.bulk, read.state, read.via)
        found.setdefault(key, []).append(read)
    return tuple(_together(found[key]) for key in sorted(found, key=repr))


def read_order(read: RecordedRead) -> tuple[str, str, int, str]:
    return read.variable, read.file, read.line, read.phase


def _together(same: list[RecordedRead]) -> RecordedRead:
    if len(same) == 1:
        return same[0]
    tests = tuple(dict.fromkeys(test for read in same for test in read.tests))
    hidden = sum(read.test_count - len(read.tests) for read in same)
    return same[0]._replace(
        count=sum(read.count for read in same),
        tests=tests[:TESTS_KEPT],
        test_count=len(tests) + hidden,
    )


def _wanted(reader: FrameType) -> str:
    """Of everything, what the reader will take: Flask's Config.from_prefixed_env says it."""
    if reader.f_code.co_name == "from_prefixed_env":
        prefix = reader.f_locals.get("prefix")
        if isinstance(prefix, str):
            return f"{prefix}*"
    return ALL


def _instruction(frame: FrameType) -> tuple[int, CodeType, int]:
    return id(frame), frame.f_code, frame.f_lasti


class _Quietly:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def __enter__(self) -> None:
        self._recording._quiet += 1

    def __exit__(self, *_: object) -> None:
        self._recording._quiet -= 1
