"""One record of the ledger, and how it is chained to the one before. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was appended. ``body`` is the document of the verb that wrote it."""

    id: int
    at: datetime
    kind: str  # ship | verify | gate | override
    app: str
    commit: str | None
    verdict: str | None
    body: Mapping[str, Any]
    previous: str  # hash of the record before, GENESIS for the first
    hash: str


def canonical(body: Mapping[str, Any]) -> str:
    """The one JSON text of ``body`` that is stored and hashed."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def chain_hash(
    previous: str, at: str, kind: str, app: str, commit: str | None, verdict: str | None, body: str
) -> str:
    """The hash of a record: over the hash of the one before, and every field as stored."""
    fields = json.dumps([previous, at, kind, app, commit, verdict, body], ensure_ascii=False)
    return hashlib.sha256(fields.encode()).hexdigest()
