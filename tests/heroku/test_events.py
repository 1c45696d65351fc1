from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.heroku import UnexpectedAnswer
from truegreen.heroku.events import LARGEST_EVENT, Event, EventReader


def read(*pieces: bytes) -> list[Event]:
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece)]


def test_events_come_out_as_they_were_put_in() -> None:
    text = b": hello\nretry: 1\nid: 7\nevent: x\ndata: one\ndata: two\n\ndata:three\n\nid: 9\n\n"
    assert read(text) == [Event("7", b"one\ntwo"), Event(None, b"three"), Event("9", b"")]


def test_unfinished_event_does_not_come_out() -> None:
    assert read(b"id: 7\ndata: one\n") == []


@given(
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.lists(st.integers(0, 200), max_size=8),
    st.lists(st.sampled_from([b"", b"one", b"a: b", b" x", b":"]), min_size=1, max_size=5),
)
def test_any_cut_and_line_end_gives_the_same_events(
    end: bytes, cuts: list[int], lines: list[bytes]
) -> None:
    data = b"".join(b"id: 1" + end + b"data: " + line + end + end for line in lines)
    data += b":end" + end
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[a:b] for a, b in pairwise(places)]
    assert read(*pieces) == [Event("1", line) for line in lines]


def test_event_without_end_is_refused_and_not_kept() -> None:
    for piece in (b"x" * 65536, b"data: " + b"x" * 65530 + b"\n"):
        with pytest.raises(UnexpectedAnswer, match="over"):
            read(*[piece] * (LARGEST_EVENT // 65536 + 2))


def test_ids_that_could_break_a_header_are_not_taken() -> None:
    assert read(b"id: a\0b\ndata: x\n\n") == [Event(None, b"x")]
    assert read(b"id: " + b"a" * 5000 + b"\ndata: x\n\n") == [Event(None, b"x")]


def test_cr_lf_cut_in_two_ends_one_line_not_two() -> None:
    text = b"id: 1\r\ndata: one\r\ndata: two\r\n\r\n:\r\n"
    pieces = [text[place : place + 1] for place in range(len(text))]
    assert read(*pieces) == [Event("1", b"one\ntwo")]


def test_long_line_in_many_pieces_is_not_searched_again_and_again() -> None:
    started = time.perf_counter()
    assert read(b"data: ", *[b"x"] * 200_000, b"\n\n") == [Event(None, b"x" * 200_000)]
    assert time.perf_counter() - started < 10  # 0.1 s; 20 s when each piece searches all of it
