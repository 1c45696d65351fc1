from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable

import pytest

from truegreen.errors import DeadlineExceeded, PlatformRefused, PlatformUnreachable
from truegreen.heroku import HerokuClient, UnexpectedAnswer, models, wait_for_release
from truegreen.secret import Secret

from .platform_double import TOKEN, Time, release_json
from .wire import END, Asked, Wire, chunk, head, stream, whole

Say = Callable[[bytes], None]
TEXT = b"".join(b"line %d of the release command\n" % number for number in range(400))
LATE = whole("404 Not Found", b"Channel is not registered.", "text/plain")


def ranged(asked: Asked, data: bytes = TEXT) -> tuple[bytes, bytes]:
    """The head and the data that a server with Range answers with."""
    found = asked.headers.get("range")
    if found is None:
        return head(), data
    start = int(found.removeprefix("bytes=").removesuffix("-"))
    return head("206 Partial Content", content_range=f"bytes {start}-/*"), data[start:]


def test_stream_comes_whole_and_no_token_goes_to_it() -> None:
    def answer(asked: Asked, _number: int, say: Say) -> None:
        say(head() + chunk(TEXT[:100]) + chunk(TEXT[100:]) + END)

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == TEXT
        (asked,) = wire.asked
    assert "authorization" not in asked.headers
    assert TOKEN not in str(asked.headers)
    assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("how", ["reset", "closed"])
def test_stream_that_breaks_again_and_again_goes_on_where_it_was(how: str) -> None:
    def answer(asked: Asked, number: int, say: Say) -> str | None:
        start, rest = ranged(asked)
        say(start + chunk(rest[:1000]))
        if len(rest) <= 1000:
            say(END)
            return None
        # what was sent is on its way to the reader before the connection is torn down
        wire.closing.wait(0.05)
        return how

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == TEXT
        assert len(wire.asked) >= len(TEXT) // 1000
        assert wire.asked[1].headers["range"].startswith("bytes=")


def test_stream_of_a_server_without_range_is_skipped_to_where_it_was() -> None:
    def answer(_asked: Asked, number: int, say: Say) -> str | None:
        say(head() + chunk(TEXT[: 1000 * (number + 1)]))
        if number < 5:
            wire.closing.wait(0.05)
            return "reset"
        say(chunk(TEXT[6000:]) + END)
        return None

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == TEXT


@pytest.mark.parametrize("content_range", ["bytes 0-/*", "nonsense", ""], ids=repr)
def test_range_that_was_not_asked_for_leaves_no_gap_and_no_double(content_range: str) -> None:
    def answer(asked: Asked, number: int, say: Say) -> str | None:
        if number == 0:
            say(head() + chunk(TEXT[:1000]))
            wire.closing.wait(0.05)
            return "reset"
        if "range" in asked.headers:
            say(head("206 Partial Content", content_range=content_range) + chunk(TEXT) + END)
        else:
            say(head() + chunk(TEXT) + END)
        return None

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == TEXT


def test_output_that_the_platform_dropped_is_named_and_the_rest_is_read() -> None:
    def answer(_asked: Asked, number: int, say: Say) -> str | None:
        if number == 0:
            say(head() + chunk(TEXT[:1000]))
        elif number == 1:
            say(head("206 Partial Content", content_range="bytes 5000-/*") + chunk(TEXT[5000:6000]))
        else:
            say(head("206 Partial Content", content_range="bytes 6000-/*"))
            say(chunk(TEXT[6000:]) + END)
            return None
        wire.closing.wait(0.05)
        return "reset"

    with Wire(answer) as wire:
        found = b"".join(stream(wire))
        assert [asked.headers.get("range") for asked in wire.asked] == [
            None,
            "bytes=1000-",
            "bytes=6000-",
        ]
    marker = b"\n[4000 bytes of output are missing here]\n"
    assert found == TEXT[:1000] + marker + TEXT[5000:]


@pytest.mark.parametrize("ended", [True, False])
def test_416_means_reading_it_whole_again_not_that_it_has_ended(ended: bool) -> None:
    def answer(asked: Asked, number: int, say: Say) -> str | None:
        if number == 0:
            say(head() + chunk(TEXT))
            wire.closing.wait(0.05)
            return "reset"
        if "range" in asked.headers:
            say(whole("416 Range Not Satisfiable", b"", "text/plain"))
        else:
            say(head() + chunk(TEXT) + (b"" if ended else chunk(b"and more\n")) + END)
        return None

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == TEXT + (b"" if ended else b"and more\n")


def test_204_on_resuming_is_the_end() -> None:
    def answer(_asked: Asked, number: int, say: Say) -> str | None:
        if number == 0:
            say(head() + chunk(TEXT))
            wire.closing.wait(0.05)
            return "reset"
        say(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        return None

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == TEXT


def test_stream_that_is_not_registered_yet_is_waited_for() -> None:
    def answer(_asked: Asked, number: int, say: Say) -> None:
        say(LATE if number < 6 else head() + chunk(TEXT) + END)

    with Wire(answer) as wire:
        time = Time()
        assert b"".join(stream(wire, time=time)) == TEXT
        assert len(time.slept) == 6
        assert time.slept[0] <= 0.1
        assert max(time.slept) <= 2.0


def test_stream_that_is_never_registered_ends_at_our_deadline() -> None:
    time = Time()
    with (
        Wire(lambda _a, _n, say: say(LATE)) as wire,
        pytest.raises(DeadlineExceeded, match=r"after 60 s .*404"),
    ):
        list(stream(wire, time=time, deadline=60))
    assert time.now <= 1060


def test_stream_ends_when_the_caller_learns_that_nothing_will_come() -> None:
    with Wire(lambda _a, _n, say: say(LATE)) as wire:
        found = list(stream(wire, deadline=3600, finished=lambda: len(wire.asked) >= 3))
        assert found == []
        assert len(wire.asked) == 3


def test_stream_that_is_gone_after_it_had_begun_is_not_waited_for_till_the_deadline() -> None:
    def answer(_asked: Asked, number: int, say: Say) -> str | None:
        if number == 0:
            say(head() + chunk(TEXT))
            wire.closing.wait(0.05)
            return "reset"
        say(LATE)
        return None

    time = Time()
    with Wire(answer) as wire, pytest.raises(PlatformUnreachable, match="is gone"):
        list(stream(wire, time=time, deadline=3600))
    assert time.now < 1040


def test_platform_that_went_away_is_unreachable_before_the_deadline() -> None:
    with Wire(lambda *_: None) as wire:
        pass
    time = Time()
    with pytest.raises(PlatformUnreachable):
        list(stream(wire, time=time, deadline=3600))
    assert time.now < 1040


@pytest.mark.parametrize("status", ["503 Busy", "429 Slow Down"])
def test_server_errors_that_stay_are_unreachable_before_the_deadline(status: str) -> None:
    time = Time()
    bad = whole(status, b"", "text/plain")
    with Wire(lambda _a, _n, say: say(bad)) as wire, pytest.raises(PlatformUnreachable):
        list(stream(wire, time=time, deadline=3600))
    assert time.now < 1040


def test_each_piece_that_comes_starts_patience_and_backoff_anew() -> None:
    def answer(asked: Asked, number: int, say: Say) -> str | None:
        start, rest = ranged(asked)
        if number % 10 != 9:
            say(whole("503 Busy", b"", "text/plain"))
            return None
        say(start + chunk(rest[:3000]))
        if len(rest) <= 3000:
            say(END)
            return None
        wire.closing.wait(0.05)
        return "reset"

    time = Time()
    with Wire(answer) as wire:
        assert b"".join(stream(wire, time=time, deadline=3600)) == TEXT
    assert time.now > 1000 + 31  # longer in all than patience lasts at once
    assert time.slept[9] <= 0.1 < 1.0 <= time.slept[8]


def test_server_errors_that_pass_are_forgiven() -> None:
    def answer(_asked: Asked, number: int, say: Say) -> None:
        bad = whole("503 Busy" if number % 2 else "429 Slow Down", b"", "text/plain")
        say(bad if number < 4 else head() + chunk(TEXT) + END)

    with Wire(answer) as wire:
        assert b"".join(stream(wire, time=Time())) == TEXT


@pytest.mark.parametrize("status", ["401 No", "403 No", "302 Found", "410 Gone"])
def test_refusal_is_an_error_at_once(status: str) -> None:
    with Wire(lambda _a, _n, say: say(whole(status, b"", "text/plain"))) as wire:
        with pytest.raises(PlatformRefused) as caught:
            list(stream(wire))
        assert len(wire.asked) == 1
    assert "unguessable" not in str(caught.value)


def test_login_page_is_not_output() -> None:
    page = whole("200 OK", b"<html>Sign in</html>", "text/html; charset=utf-8")
    with (
        Wire(lambda _a, _n, say: say(page)) as wire,
        pytest.raises(UnexpectedAnswer, match="HTML"),
    ):
        list(stream(wire))


def test_heartbeats_are_no_output_and_do_not_move_the_offset() -> None:
    def answer(asked: Asked, number: int, say: Say) -> str | None:
        start, rest = ranged(asked)
        say(start + chunk(b"\0") + chunk(rest[:1000]))
        wire.closing.wait(0.05)
        say(chunk(b"\0\0"))
        wire.closing.wait(0.05)
        if number == 0:
            return "reset"
        say(chunk(rest[1000:]) + END)
        return None

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == TEXT
        assert wire.asked[1].headers["range"] == "bytes=1000-"


def test_silent_stream_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truegreen.heroku.streams.IDLE", 0.2)

    def answer(asked: Asked, number: int, say: Say) -> None:
        start, rest = ranged(asked)
        if number == 0:
            say(start + chunk(rest[:1000]))
            wire.closing.wait(5)
        else:
            say(start + chunk(rest) + END)

    with Wire(answer) as wire:
        assert b"".join(stream(wire)) == TEXT
        wire.closing.set()


def test_stream_without_end_ends_at_our_deadline() -> None:
    def answer(_asked: Asked, _number: int, say: Say) -> None:
        say(head())
        while not wire.closing.wait(0.01):
            say(chunk(b"still here\n"))

    with Wire(answer) as wire:
        with pytest.raises(DeadlineExceeded, match="bytes read"):
            for _ in stream(wire, deadline=0.5):
                pass
        wire.closing.set()


def test_reader_may_stop_early() -> None:
    def answer(_asked: Asked, _number: int, say: Say) -> None:
        say(head() + chunk(TEXT))
        wire.closing.wait(20)

    with Wire(answer) as wire:
        reading = stream(wire)
        assert next(reading)
        reading.close()
        wire.closing.set()


def test_a_hundred_thousand_lines_stay_out_of_memory() -> None:
    line = b"smoke: 14 of 14 failed with 403 direct_origin_blocked; this is a long line of output\n"
    block = chunk(line * 1000)

    def answer(_asked: Asked, _number: int, say: Say) -> None:
        say(head())
        for _ in range(100):
            say(block)
        say(END)

    with Wire(answer) as wire:
        reading = stream(wire)
        lines = next(reading).count(b"\n")
        tracemalloc.start()
        try:
            lines += sum(piece.count(b"\n") for piece in reading)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert lines == 100_000
    assert peak < 2_000_000


def test_end_of_a_stream_says_nothing_of_the_release() -> None:
    def answer(asked: Asked, number: int, say: Say) -> None:
        if asked.path.startswith("/streams"):
            say(head() + chunk(b"all good\n") + END)
            return
        status = "pending" if number < 3 else "failed"
        say(whole("200 OK", json.dumps(release_json(status=status)).encode()))

    with Wire(answer) as wire, HerokuClient(wire.url, Secret(TOKEN)) as client:
        assert b"".join(client.stream(f"{wire.url}/streams/x", 20)) == b"all good\n"
        assert client.release("raptor", "v154").status == "pending"
        found = wait_for_release(client, "raptor", 154, deadline=60)
    assert isinstance(found, models.Release)
    assert found.status == "failed"
