from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from truegreen.embedded.streams import SEGMENTS, Stream, Streams


def whole(stream: Stream, offset: int = 0) -> bytes:
    async def read() -> bytes:
        return b"".join([data async for data in stream.follow(offset)])

    return asyncio.run(read())


def test_what_was_written_is_read_back_from_any_offset(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "s", 160, live=True)
    text = bytes(range(100))
    stream.write(text[:33])
    stream.write(text[33:])
    stream.end()
    assert [whole(stream, at) for at in (0, 1, 10, 55, 99, 100)] == [
        text[at:] for at in (0, 1, 10, 55, 99, 100)
    ]


def test_an_output_beyond_the_limit_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "s", 1600, live=True)
    text = b"".join(b"%07d\n" % number for number in range(5000))
    for at in range(0, len(text), 999):
        stream.write(text[at : at + 999])
    stream.end()
    read = whole(stream)
    kept = sum(path.stat().st_size for path in (tmp_path / "s").iterdir())
    assert kept <= 1600
    assert read.startswith(text[:400])
    assert read.endswith(text[-1000:])
    assert b"bytes were dropped here" in read
    assert len(list((tmp_path / "s").iterdir())) <= SEGMENTS
    assert whole(stream, len(text) - 10) == text[-10:]


def test_a_follower_sees_what_comes_and_the_end(tmp_path: Path) -> None:
    async def scenario() -> list[bytes]:
        stream = Stream(tmp_path / "s", 1600, live=True)
        seen: list[bytes] = []

        async def follow() -> None:
            async for data in stream.follow(2):
                seen.append(data)

        task = asyncio.create_task(follow())
        for part in (b"one ", b"two ", b"three"):
            stream.write(part)
            await asyncio.sleep(0.02)
        assert b"".join(seen) == b"e two three"
        assert not task.done()
        stream.end()
        await asyncio.wait_for(task, 5)
        return seen

    asyncio.run(scenario())


def test_a_stream_of_an_earlier_process_is_read_and_gone_on_with(tmp_path: Path) -> None:
    first = Streams(tmp_path, 1000)
    first.open("name").write(b"before ")
    second = Streams(tmp_path, 1000)
    found = second.find("name")
    assert found is not None
    assert (found.live, whole(found)) == (False, b"before ")
    second.open("name").write(b"after")
    second.end("name")
    again = second.find("name")
    assert again is not None
    assert whole(again) == b"before after"
    first.end_all()


@pytest.mark.parametrize("name", ["..", "../x", "", "a/b", ".", "x" * 200])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    assert Streams(tmp_path / "logs", 1000).find(name) is None


def test_the_last_lines_are_found(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "s", 160, live=True)
    stream.write(b"a\nb\nc\nd\n")
    stream.end()
    assert whole(stream, stream.last_lines(2)) == b"c\nd\n"
    assert whole(stream, stream.last_lines(0)) == b""
    assert whole(stream, stream.last_lines(99)) == b"a\nb\nc\nd\n"


def test_lines_that_may_wait_are_in_order_and_never_missed_by_a_reader(tmp_path: Path) -> None:
    async def body() -> bytes:
        stream = Stream(tmp_path / "s", 1600, live=True)
        stream.line_soon("one")
        stream.line_soon("two")
        assert not list((tmp_path / "s").glob("*"))  # they are written together
        stream.line("three")
        stream.line_soon("four")
        assert stream.read(stream.last_lines(2)) == b"three\nfour\n"
        stream.line_soon("five")
        assert stream.read(stream.seek(stream.total - 1)) == b"\nfive\n"
        stream.line_soon("six")
        async for data in stream.follow(stream.total):  # without anybody's asking
            stream.line_soon("seven")
            stream.end()
            return data
        return b""

    assert asyncio.run(body()) == b"six\n"
    assert whole(Stream(tmp_path / "s", 1600, live=False)).endswith(b"five\nsix\nseven\n")


def test_a_follower_is_told_of_lines_that_waited(tmp_path: Path) -> None:
    async def body() -> bytes:
        stream = Stream(tmp_path / "s", 1600, live=True)
        waits = asyncio.create_task(anext(stream.follow()))
        await asyncio.sleep(0)
        stream.line_soon("late")
        async with asyncio.timeout(30):
            data = await waits
        stream.end()
        return data

    assert asyncio.run(body()) == b"late\n"
