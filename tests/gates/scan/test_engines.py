"""Both engines find the same, whatever they are given: the fast one is only faster."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import truegreen
from truegreen.errors import UsageError
from truegreen.gates.scan.engines import make_engine
from truegreen.gates.scan.engines.fast import FastEngine
from truegreen.gates.scan.rulefile import expand, read_built_in
from truegreen.gates.scan.rules import RuleSet
from truegreen.gates.scan.scanner import Scanner

# What the rules are made of, to be thrown together: random bytes alone would never come near one.
PIECES = [
    *("@", "a@b.de", ".", "-", "_", "(", ")", "+", "://", ":", "=", '"', "'", "\\", "\n", "\0"),
    *("4539578763621486", "4539", "5787", "6362", "1486", "536-90-4399", "GB69PMNJ18913943430745"),
    *("phone", "tel:", "born", "dob", "ssn", "BSN", "111222333", "1987-03-02", "+49", "151", "7"),
    *("212-736-5000", "(212) 736-5000", "office", "-Fax", "token", "password", "api_key", "é", "ÿ"),
    *("eyJ", "-----BEGIN", "AKIA", "ghp_", "10.1.2.3", "2001:db8::1", "fe80::1", "12:00:00", "x"),
    *("756.9217.0769.85", "390.533.447-05", "131052-308T"),
]


def same(fast: Scanner, pure: Scanner, data: bytes) -> int:
    found = fast.matches(data)
    assert found == pure.matches(data)
    assert list(fast.engine.candidates(data, 0)) == list(pure.engine.candidates(data, 0))
    assert set(fast.engine.anchors(data, 0)) == set(pure.engine.anchors(data, 0))
    return len(found)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30))
def test_on_what_rules_are_made_of(fast: Scanner, pure: Scanner, pieces: list[str]) -> None:
    same(fast, pure, "".join(pieces).encode("utf-8", errors="replace"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2000))
def test_on_any_bytes(fast: Scanner, pure: Scanner, data: bytes) -> None:
    same(fast, pure, data)


def test_on_random_bytes_by_the_kilobyte(fast: Scanner, pure: Scanner) -> None:
    drawn = random.Random(11)
    digits = bytes(drawn.choices(b"0123456789 -.()+x\n", k=20_000))
    same(fast, pure, drawn.randbytes(50_000))
    same(fast, pure, digits)
    same(fast, pure, bytes(drawn.choices(range(32, 127), k=50_000)))


def test_on_every_example_of_every_rule(fast: Scanner, pure: Scanner) -> None:
    texts = (expand(text) for rule in read_built_in() for text in rule.positive + rule.negative)
    assert same(fast, pure, "\n".join(texts).encode()) > 200


def test_on_source_code_and_labelled_texts(fast: Scanner, pure: Scanner) -> None:
    own = sorted(Path(truegreen.__file__).parent.glob("gates/**/*.py"))
    same(fast, pure, b"\n".join(file.read_bytes() for file in own)[:100_000])
    labelled = Path(__file__).parent / "data" / "pii-labelled.json"
    assert same(fast, pure, labelled.read_bytes()[:100_000]) > 30


def test_a_start_within_the_bytes_sees_what_stands_before(fast: Scanner, pure: Scanner) -> None:
    data = b"x4539578763621486 4539578763621486"
    for start in range(len(data)):
        assert list(fast.engine.candidates(data, start)) == list(
            pure.engine.candidates(data, start)
        )
    assert fast.matches(data, 1) == fast.matches(data, 5)


def test_a_copy_finds_the_same_beside_the_original(fast: Scanner) -> None:
    data = b"ghp_" + b"aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA2bC5" + b" jo@corp.de"
    assert fast.copy().matches(data) == fast.matches(data)
    assert len(fast.matches(data)) == 2


def test_an_engine_that_is_not_installed_is_a_usage_error(
    rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert make_engine(rules, "auto").name == "pure"
    with pytest.raises(UsageError, match=r"truegreen\[scan\]"):
        make_engine(rules, "fast")


def test_auto_takes_the_fast_one_where_it_is(rules: RuleSet) -> None:
    assert isinstance(make_engine(rules), FastEngine)
