"""The recorder and its bounds, without a session around them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from truegreen.hermetic import reads
from truegreen.hermetic.origin import Stack
from truegreen.hermetic.reads import Recording
from truegreen.hermetic.recorder import Watch


@contextmanager
def recorded() -> Iterator[Recording]:
    recording = Recording(Stack(Path(__file__).parent), lambda _name: "")
    watch = Watch(recording)
    watch.start()
    try:
        yield recording
    finally:
        watch.stop()


def test_who_holds_the_environment_from_before_is_seen_too() -> None:
    text, raw = os.environ, os.environb
    with recorded() as recording:
        assert (text.get("HELD"), raw.get(b"HELD_TOO")) == (None, None)
    text.get("AFTER")
    assert {one.variable for one in recording.reads()} == {"HELD", "HELD_TOO"}


def test_pairs_of_a_read_and_a_test_are_bounded_and_the_rest_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reads, "PAIRS_KEPT", 3)
    with recorded() as recording:
        for number in range(5):
            recording.test_begins(f"t{number}")
            os.environ.get("X")
    (read,) = recording.reads()
    assert (read.tests, read.count, recording.dropped) == (("t0", "t1", "t2"), 5, 2)


def test_different_reads_are_bounded_and_the_rest_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reads, "KEYS_KEPT", 3)
    with recorded() as recording:
        for number in range(5):
            os.environ.get(f"X{number}")
    assert (len(recording.reads()), recording.dropped) == (3, 2)
