"""What an observer returns, and how it becomes evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from truegreen.model import Evidence, Status


class Answer(NamedTuple):
    """Evidence without the check's name and the time, which the runner knows."""

    status: Status
    observed: str
    expected: str
    source: str
    digest: str = ""
    detail: Mapping[str, Any] = MappingProxyType({})

    def as_evidence(self, check: str, at: datetime) -> Evidence:
        return Evidence(
            check=check,
            status=self.status,
            observed=self.observed,
            expected=self.expected,
            source=self.source,
            at=at,
            digest=self.digest,
            detail=self.detail,
        )


def passed(observed: str, expected: str, source: str, **more: Any) -> Answer:
    return Answer(Status.PASS, observed, expected, source, **more)


def failed(observed: str, expected: str, source: str, **more: Any) -> Answer:
    return Answer(Status.FAIL, observed, expected, source, **more)


def unknown(observed: str, expected: str, source: str, **more: Any) -> Answer:
    return Answer(Status.UNKNOWN, observed, expected, source, **more)
