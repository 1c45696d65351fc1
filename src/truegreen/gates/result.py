"""What a gate answers, as frozen values. No gate lives here, and nothing reads the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from truegreen.model import Status, stamp


class Finding(NamedTuple):
    """One thing that a gate came across. ``blocks`` is False for what is only listed.

    ``text`` never holds a secret or personal data: it is masked before it gets here.
    """

    kind: str
    where: str  # path:line:column, a revision, the name of a window
    text: str
    fingerprint: str = ""
    blocks: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "where": self.where,
            "text": self.text,
            "fingerprint": self.fingerprint,
            "blocks": self.blocks,
        }


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate's answer. ``clears`` says what would open it; empty when it is open.

    ``source`` is what was looked at (a commit, a folder, a configuration file). ``detail`` is the
    evidence: what was read and weighed, JSON values only. ``explained`` is the same for a person,
    a line each, printed with ``--explain``. ``at`` must carry a time zone.
    """

    name: str
    status: Status
    reason: str
    at: datetime
    clears: str = ""
    findings: tuple[Finding, ...] = ()
    source: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    explained: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"gate {self.name}: a time without a zone proves nothing")

    @property
    def open(self) -> bool:
        """True only on ``pass``."""
        return self.status is Status.PASS

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": str(self.status),
            "reason": self.reason,
            "clears": self.clears,
            "findings": [finding.as_json() for finding in self.findings],
            "source": self.source,
            "detail": dict(self.detail),
            "at": stamp(self.at),
        }
