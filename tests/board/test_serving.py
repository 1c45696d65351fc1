"""The board as a process: it answers as soon as it says where, tells what is new, and ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from board_service import Service, green


@contextmanager
def served(service: Service, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "truegreen", "board", str(service.root), "--port", "0"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().strip(), process
        finally:
            process.terminate()


def test_an_open_page_hears_of_a_record_and_a_board_that_ends_does_not_wait_for_it(
    service: Service,
) -> None:
    service.record(green())
    with served(service) as (address, process):
        assert address.startswith("http://127.0.0.1:")
        assert "raptor-prod" in httpx.get(address).text
        with httpx.stream("GET", f"{address}events", timeout=20) as line:
            assert line.headers["content-type"].startswith("text/event-stream")
            told = line.iter_lines()
            assert next(told) == "retry: 2000"
            assert next(text for text in told if text) == ": the board listens"
            assert next(text for text in told if text) == 'data: {"version": "1-0"}'
            number = service.record({**green(), "sentence": "raptor-prod serves v156."})
            event = next(text for text in told if text.startswith("data: "))
            assert f'"record": {number}' in event
            assert "raptor-prod serves v156." in event
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=15)


@pytest.mark.parametrize(
    ("options", "told"),
    [(("--listen", "everywhere"), "'everywhere' is no address"),
     (("--listen", "192.0.2.1"), "cannot listen on 192.0.2.1")],
)  # fmt: skip
def test_an_address_that_cannot_be_had_is_named(
    service: Service, options: tuple[str, ...], told: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "board", str(service.root), *options],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert told in done.stderr
