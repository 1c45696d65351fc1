"""Proof of say-what-default-off-means (2026-06-21): the guard's docstring says that a default holds
while the variable is absent, promises nothing about places, and names where a client pins the flag.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

SERVICE = Path(__file__).resolve().parents[2]
FLAG = "FLAG_ENFORCE_CF_ORIGIN"


def docstring() -> str:
    module = ast.parse((SERVICE / "raptor" / "origin_guard.py").read_text(encoding="utf-8"))
    return " ".join((ast.get_docstring(module) or "").split())


def test_off_by_default_is_said_to_mean_absent() -> None:
    said = docstring()
    assert re.search(r"default is what holds while the variable is \*?absent\*?", said)
    assert "not a promise about places" in said


def test_nothing_is_promised_about_places() -> None:
    assert not re.search(r"never breaks", docstring(), re.IGNORECASE)


def test_clients_in_process_are_told_to_pin_it_and_the_place_is_there() -> None:
    said = docstring()
    assert "in process" in said
    assert "Pin it" in said
    assert "[smoke.env]" in said
    settings = tomllib.loads((SERVICE / "truegreen.toml").read_text(encoding="utf-8"))
    assert settings["smoke"]["env"].get(FLAG) == "0"
