"""docs/scale.md: its arithmetic is right, and is what the benchmark prints."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
BLOCK = PAGE.partition("```text\n")[2].partition("```")[0]
TERM = re.compile(r"([\d,.]+(?: [×/] [\d,.]+)+) = ([\d,]+(?:\.\d+)?)")


def number(text: str) -> float:
    return float(text.replace(",", ""))


def computed(text: str) -> float:
    first, *rest = re.split(r" ([×/]) ", text)
    value = number(first)
    for sign, other in zip(rest[::2], rest[1::2], strict=True):
        value = value * number(other) if sign == "×" else value / number(other)
    return value


def test_each_product_and_quotient_is_right() -> None:
    found = TERM.findall(BLOCK)
    assert len(found) >= 8
    for left, right in found:
        assert computed(left) == pytest.approx(number(right), rel=0.005), f"{left} = {right}"


def test_the_accounts_are_as_many_as_the_calls_need() -> None:
    found = re.findall(r"in all ([\d,]+) an hour = ([\d,]+) accounts of ([\d,]+)", BLOCK)
    assert len(found) == 3
    for calls, accounts, granted in found:
        assert number(accounts) == math.ceil(number(calls) / number(granted))


def test_the_page_has_the_benchmarks_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import fleet_scale

    told = fleet_scale.arithmetic(
        fleet_scale.Measured(2.0, 8.0, 8.1, 39.0, 1.8, 12.1, {1: 901.0, 3: 908.0}, 3145.0)
    )
    assert _words(told) == _words(BLOCK.strip())
    sys.modules.pop("fleet_scale")


def _words(text: str) -> str:
    return re.sub(r"[\d,.]+", "#", text)
