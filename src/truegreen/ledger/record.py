"""One record of the ledger, and how it is chained to the one before. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from truegreen.model import stamp

GENESIS = "0" * 64


class Stored(NamedTuple):
    """A record as it is stored: the texts that are hashed. ``body`` is canonical JSON."""

    id: int
    at: str
    kind: str
    app: str
    commit: str | None
    verdict: str | None
    body: str
    previous: str
    hash: str

    def digest(self) -> str:
        """What ``hash`` must be."""
        return chain_hash(
            self.previous, self.at, self.kind, self.app, self.commit, self.verdict, self.body
        )

    def record(self) -> Record:
        return Record(
            id=self.id,
            at=datetime.fromisoformat(self.at.replace("Z", "+00:00")),
            kind=self.kind,
            app=self.app,
            commit=self.commit,
            verdict=self.verdict,
            body=json.loads(self.body),
            previous=self.previous,
            hash=self.hash,
        )


class Record(NamedTuple):
    """A record as it was appended. ``body`` is the document of the verb that wrote it."""

    id: int
    at: datetime
    kind: str  # ship | verify | gate | override | queue | action
    app: str
    commit: str | None
    verdict: str | None
    body: Mapping[str, Any]
    previous: str  # hash of the record before, GENESIS for the first
    hash: str

    @property
    def sentence(self) -> str:
        """What it says in one line; "" for a kind that has no sentence."""
        if (step := self.body.get("interrupted")) is not None:
            return f"interrupted: {step or 'in an unknown step'}"
        return str(self.body.get("sentence", ""))

    def as_json(self) -> dict[str, Any]:
        """One line of an export; ``read_line`` of exports.py is its inverse."""
        return {
            "id": self.id,
            "at": stamp(self.at),
            "kind": self.kind,
            "app": self.app,
            "commit": self.commit,
            "verdict": self.verdict,
            "body": dict(self.body),
            "previous": self.previous,
            "hash": self.hash,
        }


class Entry(NamedTuple):
    """A record without its body: what a list of many needs."""

    id: int
    at: datetime
    kind: str
    app: str
    commit: str | None
    verdict: str | None


def canonical(body: Mapping[str, Any]) -> str:
    """The one JSON text of ``body`` that is stored and hashed."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_encode = json.JSONEncoder(ensure_ascii=False).encode


def chain_hash(
    previous: str, at: str, kind: str, app: str, commit: str | None, verdict: str | None, body: str
) -> str:
    """The hash of a record: over the hash of the one before, and every field as stored."""
    fields = _encode([previous, at, kind, app, commit, verdict, body])
    return hashlib.sha256(fields.encode("utf-8", "surrogatepass")).hexdigest()
