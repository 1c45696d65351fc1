"""The ledger as JSON lines: written, read back, and verified without a database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from truegreen.errors import UsageError
from truegreen.ledger.chain import Walked, walk
from truegreen.ledger.record import Record, Stored, canonical

_KEYS = {"id", "at", "kind", "app", "commit", "verdict", "body", "previous", "hash"}
LONGEST = 64 * 1024 * 1024  # characters of one line


def lines(records: Iterable[Record]) -> Iterator[str]:
    """One line a record, without its line end."""
    for record in records:
        yield canonical(record.as_json())


def read_line(line: str, where: str) -> Stored:
    """A record out of one line. UsageError, with ``where``, for anything else."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is no JSON: {error}", hint=_FIX) from None
    if not isinstance(told, dict) or set(told) != _KEYS or not isinstance(told["body"], dict):
        raise UsageError(f"{where} is no record of a ledger", hint=_FIX)
    texts = ("at", "kind", "app", "previous", "hash")
    maybe = ("commit", "verdict")
    if (
        type(told["id"]) is not int
        or not all(isinstance(told[name], str) for name in texts)
        or not all(isinstance(told[name], str | None) for name in maybe)
    ):
        raise UsageError(f"{where} has a field of a wrong type", hint=_FIX)
    return Stored(
        told["id"], told["at"], told["kind"], told["app"], told["commit"], told["verdict"],
        canonical(told["body"]), told["previous"], told["hash"],
    )  # fmt: skip


def read_export(path: Path) -> Iterator[Stored]:
    """The records of an export, in its order. UsageError names the line that is none."""
    try:
        with path.open(encoding="utf-8") as file:
            number = 0
            while line := file.readline(LONGEST):
                number += 1
                yield read_line(line, f"{path}: line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def verify_export(path: Path, expect: Iterable[str] = ()) -> Walked:
    """Walks the chain of an export. An end that was cut off shows only against ``expect``."""
    return walk(read_export(path), find=lambda digest: _find(path, digest), expect=expect)


def _find(path: Path, digest: str) -> int | None:
    return next((row.id for row in read_export(path) if row.hash == digest), None)


_FIX = "truegreen ledger export writes such files"
