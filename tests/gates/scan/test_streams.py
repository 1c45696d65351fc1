"""Texts of any length in blocks of any size: the same hits, the same places, little memory."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator

import pytest

from truegreen.gates.scan import scanner as scanning
from truegreen.gates.scan.scanner import Scanner

MAIL = b"jo@corp.de"
LINE = b"2026-06-21T12:00:00Z web.1 path=/orders status=200 id=4a3f9c\n"


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def places(scanner: Scanner, blocks: list[bytes]) -> list[tuple[str, int, int]]:
    return [(hit.kind, hit.line, hit.column) for hit in scanner.hits(blocks)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of a few hundred bytes, so that a short text has many."""
    monkeypatch.setattr(scanning, "BLOCK", 400)
    monkeypatch.setattr(scanning, "AHEAD", 120)
    monkeypatch.setattr(scanning, "_BEHIND", 64)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("size", [1, 7, 100, 399, 1000, 10_000])
def test_the_size_of_blocks_changes_nothing(fast: Scanner, size: int) -> None:
    text = b"".join(
        LINE * (n % 5) + b"\xc3\xa9 " * n + MAIL + b" ssn 536-90-4399\n" for n in range(30)
    )
    whole = [(match.kind, match.start) for match in fast.matches(text)]
    expected = []
    for kind, start in whole:
        line = text.count(b"\n", 0, start) + 1
        begin = text.rfind(b"\n", 0, start) + 1
        expected.append((kind, line, len(text[begin:start].decode()) + 1))
    assert len(expected) == 60
    assert places(fast, cut(text, size)) == expected


@pytest.mark.usefixtures("small")
def test_a_line_longer_than_every_window_is_searched_whole(fast: Scanner) -> None:
    text = b"x" * 1000 + b" " + MAIL + b" " + b"y" * 1000 + b" " + MAIL
    assert places(fast, cut(text, 64)) == [("email", 1, 1002), ("email", 1, 2014)]


@pytest.mark.usefixtures("small")
def test_what_is_cut_by_a_window_is_found_once(fast: Scanner) -> None:
    for before in range(350, 460):
        text = b"-" * before + b" " + MAIL + b" " + b"-" * 600
        assert len(places(fast, cut(text, 50))) == 1


def test_a_long_log_takes_little_memory(fast: Scanner) -> None:
    """Sixty megabytes that nobody holds at once."""
    block = LINE * 16_000

    def blocks() -> Iterator[bytes]:
        yield from itertools.repeat(block, 60)
        yield MAIL

    next(iter(fast.hits([MAIL])), None)  # what is compiled once is not the log's
    tracemalloc.start()
    try:
        hits = list(fast.hits(blocks()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(hit.line, hit.column) for hit in hits] == [(60 * 16_000 + 1, 1)]
    assert peak < 40e6


def test_a_line_of_nothing_and_nuls_is_no_trouble(fast: Scanner) -> None:
    assert places(fast, [b""]) == []
    assert places(fast, []) == []
    assert places(fast, [b"\0" * 100_000 + MAIL]) == [("email", 1, 100_001)]
    assert places(fast, [b"x" * 3_000_000 + b" " + MAIL])[0][0] == "email"
