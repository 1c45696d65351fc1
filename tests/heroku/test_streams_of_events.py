from __future__ import annotations

from collections.abc import Callable

import pytest

from .wire import END, Asked, Wire, chunk, head, stream

Say = Callable[[bytes], None]


def event(number: int, data: bytes) -> bytes:
    lines = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n"))
    return (b"id: %d\n" % number if number else b"") + lines + b"\n"


LINES = [b"line %d\n" % number for number in range(1, 31)]


def test_events_go_on_after_the_last_one_that_came_whole() -> None:
    def answer(asked: Asked, number: int, say: Say) -> str | None:
        last = int(asked.headers.get("last-event-id", "0"))
        say(head(kind="text/event-stream"))
        for count, line in enumerate(LINES[last:], start=last + 1):
            if count == last + 8:
                say(chunk(event(count, line)[:9]))  # broken in the middle of an event
                wire.closing.wait(0.05)
                return "reset"
            say(chunk(event(count, line)))
        say(END)
        return None

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == b"".join(LINES)
        assert [asked.headers.get("last-event-id") for asked in wire.asked] == [
            None,
            "7",
            "14",
            "21",
            "28",
        ]


@pytest.mark.parametrize("with_ids", [True, False])
def test_events_of_a_server_that_starts_over_come_once(with_ids: bool) -> None:
    def answer(_asked: Asked, number: int, say: Say) -> str | None:
        say(head(kind="text/event-stream; charset=utf-8"))
        upto = 10 if number == 0 else len(LINES)
        for count, line in enumerate(LINES[:upto], start=1):
            say(chunk(event(count if with_ids else 0, line)))
        if number == 0:
            wire.closing.wait(0.05)
            return "reset"
        say(END)
        return None

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == b"".join(LINES)
