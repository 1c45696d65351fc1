"""One observer's answer to one check. Values only: nothing here reads a clock or the world."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Status(StrEnum):
    """What came out of a check. One that could not be made is ``unknown``, never ``pass``."""

    PASS = "pass"  # noqa: S105 - a status, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


def digest_of(value: Any) -> str:
    """``sha256:`` and the hex digest of ``value`` (bytes as they are, else canonical JSON)."""
    if isinstance(value, bytes):
        data = value
    else:
        data = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Evidence:
    """An answer, with where it was read, when, and the digest of what was read.

    ``observed`` and ``expected`` are short texts for people; ``detail`` is the same for programs
    (JSON values only). ``at`` must carry a time zone.
    """

    check: str
    status: Status
    observed: str
    expected: str
    source: str
    at: datetime
    digest: str = ""
    detail: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"evidence for {self.check}: a time without a zone proves nothing")

    def as_json(self) -> dict[str, Any]:
        """The JSON form of the contract, without ``required`` (which the verdict knows)."""
        return {
            "name": self.check,
            "status": str(self.status),
            "observed": self.observed,
            "expected": self.expected,
            "source": self.source,
            "at": stamp(self.at),
            "digest": self.digest,
            "detail": dict(self.detail),
        }


def stamp(moment: datetime) -> str:
    """``moment`` in UTC, RFC 3339, milliseconds."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
