"""Failures that are one failure: groups test failures by what they have in common. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol


class FailedTest(Protocol):
    """What is known of one failed test."""

    @property
    def test(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def body(self) -> str: ...


class Cluster(NamedTuple):
    """``signature`` is what the failures share, ``tests`` are their ids in order."""

    signature: str
    tests: tuple[str, ...]


_STATUS = re.compile(
    r"\bassert (?P<status>[1-5]\d\d) [=!]=|status[ _]code\D{0,4}(?P<named>[1-5]\d\d)"
)
_CHANGING = (
    (re.compile(r"0x[0-9a-fA-F]+"), "0x…"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b"), "<hex>"),
    (re.compile(r"(?<!\S)(?:/[\w.+-]+){3,}"), "<path>"),
    (re.compile(r"\b\d{4,}(?:\.\d+)?\b"), "<n>"),
)


def signature_of(failure: FailedTest) -> str:
    """``403 direct_origin_blocked`` where the answer names its error, else the message's first
    line without what changes from run to run (addresses, ids, paths, long numbers)."""
    status = _STATUS.search(failure.message)
    error = _error_in(failure.body) or _error_in(failure.message)
    if error:
        code = next((value for value in status.groups() if value), "") if status else ""
        return f"{code} {error}".strip()
    line = next((line for line in failure.message.splitlines() if line.strip()), "")
    for pattern, told in _CHANGING:
        line = pattern.sub(told, line)
    return line.strip()[:160]


def clusters(failures: Iterable[FailedTest]) -> tuple[Cluster, ...]:
    """The failures by signature, the largest group first; equal ones in their own order."""
    groups: dict[str, list[str]] = {}
    for failure in failures:
        groups.setdefault(signature_of(failure), []).append(failure.test)
    found = [Cluster(signature, tuple(tests)) for signature, tests in groups.items()]
    return tuple(sorted(found, key=lambda cluster: -len(cluster.tests)))


def _error_in(text: str) -> str:
    """The machine-readable name in a JSON object ``{"error": "name"}`` within ``text``, or the text
    itself when it is nothing but such a name."""
    if re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+", text.strip()):
        return text.strip()
    for match in re.finditer(r"\{[^{}]{0,500}\}", text):
        try:
            value = json.loads(match.group())
        except ValueError:
            continue
        error = value.get("error") if isinstance(value, dict) else None
        if isinstance(error, str) and re.fullmatch(r"[a-z][a-z0-9_.-]{2,60}", error):
            return error
    return ""
