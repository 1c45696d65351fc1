"""Orders as they are written down: the same when read, and nothing else is taken for one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from truegreen.config import Environment
from truegreen.errors import UsageError
from truegreen.gates.override import Override
from truegreen.workers.making import place_of
from truegreen.workers.order import Options, Understands

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
OVERRIDE = Override(
    "freeze", "shop", "a" * 40, "a fix", "INC-7", "ada", AT, AT + timedelta(hours=1)
)


def test_options_are_the_same_when_they_are_read() -> None:
    options = Options("https://api.example.com", False, (OVERRIDE,), 60.0, "taken back on purpose")
    assert Options.from_text(options.to_text()) == options
    assert Options.from_text(Options().to_text()) == Options()


@pytest.mark.parametrize(
    "change",
    [
        {"gates": "no"},
        {"wait": "long"},
        {"platform": 7},
        {"allow_rewind": None},
        {"overrides": [{"kind": "gate"}]},
        {"overrides": None},
        {"what_a_newer_one_knows": True},
    ],
)
def test_what_another_protocol_wrote_is_refused(change: dict[str, Any]) -> None:
    told = {**json.loads(Options().to_text()), **change}
    with pytest.raises(UsageError, match="not of protocol"):
        Options.from_text(json.dumps(told))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "{", '"x"'])
def test_what_is_no_options_at_all_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Options.from_text(text)


def test_a_worker_understands_a_range() -> None:
    known = Understands(2, 4)
    assert [number for number in range(6) if number in known] == [2, 3, 4]
    assert (str(known), str(Understands(1, 1))) == ("2–4", "1")


def test_a_place_is_what_a_lease_is_of() -> None:
    environment = Environment("production", "shop", platform="heroku")
    assert place_of(environment, None) == "https://api.heroku.com/apps/shop"
    assert place_of(environment, "http://127.0.0.1:5000/") == "http://127.0.0.1:5000/apps/shop"
    with pytest.raises(UsageError, match="one checkout"):
        place_of(environment, "embedded")
