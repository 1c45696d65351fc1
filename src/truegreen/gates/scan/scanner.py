"""Scans bytes: a buffer, or a stream of any length in bounded memory. No files, no git, no
configuration; which bytes, and what becomes of the hits, is others' business.

A stream is cut into blocks, at a line's end where there is one. A block is searched with what
stands before it (so that a boundary is seen) and after it (so that nothing is cut in two); of what
is found, what begins in the block counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from truegreen.gates.scan.engines import Engine
from truegreen.gates.scan.found import Hit, Match
from truegreen.gates.scan.rules import RuleSet

BLOCK = 1 << 20  # bytes that are searched at once
AHEAD = 16 << 10  # bytes behind a block: longer than whatever a rule can match
_BEHIND = 1 << 10  # bytes in front of a block
_LONG_LINE = 64 << 10  # bytes of a line that a column is counted in; a longer one wraps
MOST = 2_000  # hits in one text; who has more does not need the rest listed


class Scanner:
    """A rule set with an engine. Not for two threads at once: ``copy``."""

    def __init__(self, rules: RuleSet, engine: Engine, *, shaped: bool = True) -> None:
        self.rules = rules
        self.engine = engine
        self._shaped = shaped

    def copy(self) -> Scanner:
        return Scanner(self.rules, self.engine.copy(), shaped=self._shaped)

    def keys_only(self) -> Scanner:
        """The same without shapes: what is not text is only asked for keys."""
        return Scanner(self.rules, self.engine, shaped=False)

    def matches(self, data: bytes, start: int = 0, end: int | None = None) -> list[Match]:
        """What begins in ``data[start:end]``, in order, no two overlapping. ``end`` None: its
        end."""
        stop = len(data) if end is None else end
        found: list[Match] = []
        table = self.rules.shapes
        candidates = self.engine.candidates(data, start) if self._shaped else ()
        for first, last, shape in candidates:
            if first >= stop:
                break
            found.extend(table[shape].classify(data, first, last))
        anchored = self.rules.anchored
        for first, rule in self.engine.anchors(data, start):
            if first < stop:
                match = anchored[rule].match(data, first)
                if match is not None:
                    found.append(match)
        return _apart(match for match in found if match.kind not in self.rules.off)

    def hits(self, blocks: Iterable[bytes], path: str = "") -> Iterator[Hit]:
        """The hits in a stream of ``blocks`` of any size, in order. Lines and columns are those of
        UTF-8 text; other bytes count as one character each."""
        lines = _Lines()
        for window, start, stop in _windows(blocks):
            lines.enter(window, start, stop)
            for match in self.matches(window, start, stop):
                line, column = lines.of(match.start)
                yield Hit(match.kind, path, line, column, match.value, match.masked)


class _Lines:
    """Which line and column a place in a window is. Lines are counted when they are asked for,
    since most texts have no hit; what waits to be counted is bounded."""

    _WAITING = 16  # windows

    def __init__(self) -> None:
        self._waiting: list[tuple[bytes, int, int]] = []
        self._line = 1
        self._opening = b""  # what came before this window on the line that it begins in

    def enter(self, window: bytes, start: int, stop: int) -> None:
        """The next window; what is its own begins at ``start`` and ends at ``stop``."""
        if self._waiting:
            last, first, end = self._waiting[-1]
            opened = last.rfind(b"\n", first, end) + 1
            kept = last[opened:end] if opened else self._opening + last[first:end]
            self._opening = kept[-_LONG_LINE:]
        if len(self._waiting) >= self._WAITING:
            self._count()
        self._waiting.append((window, start, stop))

    def of(self, place: int) -> tuple[int, int]:
        window, start, stop = self._waiting.pop()
        self._count()
        self._line += window.count(b"\n", start, place)
        opened = window.rfind(b"\n", start, place) + 1
        before = window[opened:place] if opened else self._opening + window[start:place]
        self._waiting.append((window, place, stop))  # the next question goes on from here
        self._opening = before[-_LONG_LINE:]
        return self._line, len(before.decode("utf-8", errors="replace")) + 1

    def _count(self) -> None:
        for window, start, stop in self._waiting:
            self._line += window.count(b"\n", start, stop)
        self._waiting.clear()


def scan_text(text: str, path: str, scanner: Scanner) -> tuple[Hit, ...]:
    """Everything found in ``text``, in order; ``path`` is only carried along."""
    data = text.encode("utf-8", errors="surrogatepass")
    return tuple(scanner.hits([data], path))


# How sure a kind is of itself: where two overlap, the surer one is right.
_UNSURE = {"secret": 3, "url-password": 2, "phone": 2, "ip": 1}


def _rank(match: Match) -> tuple[int, int]:
    return _UNSURE.get(match.kind, 0), match.start - match.end


def _apart(matches: Iterable[Match]) -> list[Match]:
    """Of matches that overlap, the surest kind stays, then the longest, then the first."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda one: (*one.order, one.value.reveal())):
        if kept and match.start < kept[-1].end:
            if _rank(match) < _rank(kept[-1]):
                kept[-1] = match
            continue
        kept.append(match)
    return kept


def _windows(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """``(window, start, stop)``: what begins in ``window[start:stop]`` is this window's."""
    carry, start = b"", 0
    for block, is_last in _ahead(_merged(blocks)):
        window = carry + block if carry else block
        if is_last:
            yield window, start, len(window)
            return
        end = len(window) - AHEAD
        if end <= start:
            carry = window
            continue
        stop = window.rfind(b"\n", max(start, end - BLOCK // 2), end) + 1 or end
        yield window, start, stop
        kept = max(0, stop - _BEHIND)
        carry, start = window[kept:], stop - kept


def _merged(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks that are worth a search each."""
    pending: list[bytes] = []
    size = 0
    for block in blocks:
        pending.append(block)
        size += len(block)
        if size >= BLOCK // 2:
            yield pending[0] if len(pending) == 1 else b"".join(pending)
            pending, size = [], 0
    if size:
        yield pending[0] if len(pending) == 1 else b"".join(pending)


def _ahead(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each block with whether it is the last."""
    last = next(blocks, None)
    for block in blocks:
        assert last is not None
        yield last, False
        last = block
    if last is not None:
        yield last, True
