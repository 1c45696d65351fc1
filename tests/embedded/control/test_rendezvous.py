"""The meeting point of a one-off dyno and its client, and the terminal between them."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

from truegreen.embedded.leftovers import group_alive
from truegreen.embedded.process import ProcessSpec
from truegreen.embedded.rendezvous import Rendezvous
from truegreen.embedded.terminal import start_on_terminal


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"got " + await reader.readline())


async def _connect(
    place: Rendezvous, url: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.create_default_context(cafile=str(place.certificate))
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, ssl=context)


async def _say(place: Rendezvous, url: str, text: bytes) -> bytes:
    reader, writer = await _connect(place, url)
    try:
        writer.write(text)
        async with asyncio.timeout(30):
            return await reader.read()
    finally:
        writer.close()


def test_the_secret_of_the_url_is_good_once_and_a_wrong_one_never(tmp_path: Path) -> None:
    async def body() -> None:
        place = Rendezvous(tmp_path)
        try:
            url = await place.expect(_echo, lambda: None)
            secret = urlsplit(url).path[1:].encode()
            assert url.startswith("rendezvous://127.0.0.1:")
            assert await _say(place, url, b"wrong\r\n") == b""
            assert await _say(place, url, b"\xff\xfe\r\n") == b""
            assert await _say(place, url, secret + b"\r\nhello\n") == b"rendezvous\r\ngot hello\n"
            assert await _say(place, url, secret + b"\r\nhello\n") == b""
        finally:
            await place.close()

    asyncio.run(body())


def test_whom_nobody_meets_is_given_up(tmp_path: Path) -> None:
    async def body() -> None:
        place, gone = Rendezvous(tmp_path, patience=0.05), asyncio.Event()
        try:
            url = await place.expect(_echo, gone.set)
            await asyncio.wait_for(gone.wait(), 30)
            secret = urlsplit(url).path[1:].encode()
            assert await _say(place, url, secret + b"\r\nhello\n") == b""
        finally:
            await place.close()
        assert oct((tmp_path / "rendezvous.key").stat().st_mode)[-3:] == "600"

    asyncio.run(body())


async def _on_terminal(
    folder: Path, command: str, typed: bytes = b"", *, echo: bool = False
) -> tuple[int, bytes]:
    said = bytearray()
    spec = ProcessSpec(command, folder, {"PATH": os.environ["PATH"]})
    terminal = await start_on_terminal(spec, said.extend, lines=7, columns=33, echo=echo)
    try:
        terminal.type(typed)
        async with asyncio.timeout(30):
            code = await terminal.child.wait()
    finally:
        await terminal.end(1.0)
    return code, bytes(said)


def test_a_command_has_a_terminal_of_the_asked_size_and_its_exit_code_is_known(
    tmp_path: Path,
) -> None:
    asked = "import os, sys; print(os.get_terminal_size(), sys.stdin.isatty()); sys.exit(7)"
    code, said = asyncio.run(_on_terminal(tmp_path, f'{sys.executable} -c "{asked}"'))
    assert code == 7
    assert b"columns=33, lines=7" in said
    assert b"True" in said


def test_what_is_typed_arrives_and_is_echoed_only_when_asked(tmp_path: Path) -> None:
    command = 'read line; echo "<$line>"'
    code, said = asyncio.run(_on_terminal(tmp_path, command, b"hi\n"))
    assert (code, said) == (0, b"<hi>\n")
    code, said = asyncio.run(_on_terminal(tmp_path, command, b"hi\n", echo=True))
    assert (code, said.count(b"hi")) == (0, 2)


def test_the_end_of_a_terminal_ends_the_whole_group(tmp_path: Path) -> None:
    async def body() -> None:
        spec = ProcessSpec("sleep 600 & sleep 600", tmp_path, {"PATH": os.environ["PATH"]})
        terminal = await start_on_terminal(spec, lambda _: None, lines=1, columns=1, echo=False)
        await terminal.end(5.0)
        assert await terminal.child.wait() != 0
        assert not group_alive(terminal.child.pid)

    asyncio.run(body())
