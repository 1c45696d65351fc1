"""The suppressions file: findings that are known and accepted, by keyed hash, until a day. A
baseline is the same in bulk.

A fingerprint is HMAC-SHA256 over kind and value, keyed with the file's own random key, so a
suppression survives moved lines, renamed files and squashed commits, and one repository's
fingerprints say nothing in another. The key lies in the repository beside them: whoever can read
it can confirm a guess, and of a short number (an SSN has 10^9 values) try all. A fingerprint is as
confidential as the repository, and no more; printed elsewhere, without the key, it says nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from truegreen.config.table import Table
from truegreen.errors import ConfigError, UsageError
from truegreen.secret import Secret

_FINGERPRINT_HEX = 24  # 96 bits: no two values of one repository meet by chance
_KEY = re.compile(r"[0-9a-f]{64}\Z")
_HEAD = """\
# Findings of `truegreen scan` that are known and accepted, each until its day.
# The key makes the fingerprints this repository's own; with another one, none of them holds.
"""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One accepted finding. It holds through the day ``expires``; ``kind`` and ``where`` are for
    the people who read the file."""

    fingerprint: str
    reason: str
    owner: str
    expires: date
    kind: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Suppressions:
    """A file's key and entries, by fingerprint. ``file`` names it in messages."""

    file: str
    key: Secret
    entries: Mapping[str, Suppression]


def load(path: Path) -> Suppressions | None:
    """The suppressions in ``path``; None when there is no such file. Raises ConfigError with
    file, line and key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "", "is not UTF-8 text") from error
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    return parse(text, str(path))


def parse(text: str, file: str) -> Suppressions:
    """The same, of a text. Raises ConfigError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", f"is not valid TOML: {error}") from error
    top = Table(file, "", data)
    key = top.text("key")
    if not _KEY.match(key):
        fix = "64 hexadecimal digits; `truegreen scan --baseline` makes a file with its own"
        raise top.error("key", "is missing or not a key", fix=fix)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "[[suppress]]"]
    entries: dict[str, Suppression] = {}
    for index, table in enumerate(top.tables("suppress")):
        table.file = f"{file}:{lines[index]}" if index < len(lines) else file
        entry = _entry(table)
        if entry.fingerprint in entries:
            raise table.error("fingerprint", f"{entry.fingerprint} is there twice")
        entries[entry.fingerprint] = entry
    top.done()
    return Suppressions(file, Secret(key), MappingProxyType(entries))


def _entry(table: Table) -> Suppression:
    entry = Suppression(
        fingerprint=table.required_text("fingerprint").lower(),
        reason=table.required_text("reason"),
        owner=table.required_text("owner"),
        expires=table.day("expires"),
        kind=table.text("kind"),
        where=table.text("where"),
    )
    if not re.fullmatch(rf"[0-9a-f]{{{_FINGERPRINT_HEX}}}", entry.fingerprint):
        fix = f"{_FINGERPRINT_HEX} hexadecimal digits, as `truegreen scan` prints them"
        raise table.error("fingerprint", f"{entry.fingerprint!r} is not one", fix=fix)
    table.done()
    return entry


class Marker:
    """Makes fingerprints under one key. ``digest`` stands for the key where it must not show."""

    def __init__(self, key: Secret) -> None:
        self._base = hmac.new(b"truegreen-scan/2 " + key.reveal().encode(), b"", hashlib.sha256)
        self.digest = self._base.copy().hexdigest()[:16]

    def __call__(self, kind: str, value: Secret) -> str:
        """The fingerprint of ``value`` as a ``kind``."""
        mac = self._base.copy()
        mac.update(f"{kind}\0{value.reveal()}".encode("utf-8", errors="surrogatepass"))
        return mac.hexdigest()[:_FINGERPRINT_HEX]


def new_key() -> Secret:
    return Secret(secrets.token_hex(32))


def add(path: Path, key: Secret, entries: Iterable[Suppression]) -> int:
    """Writes ``entries`` behind what is in ``path``, which is made with ``key`` when it is not
    there; gives how many were new. What people wrote into the file stays as it is.

    Raises ConfigError for a file that does not parse, UsageError for one that has another key or
    cannot be written.
    """
    known = load(path)
    if known is not None and known.key != key:
        raise UsageError(f"{path} was changed in the meantime", hint="scan again")
    text = path.read_text(encoding="utf-8") if known else f'{_HEAD}key = "{key.reveal()}"\n'
    there = set(known.entries) if known else set()
    count = 0
    for entry in entries:
        if entry.fingerprint not in there:
            there.add(entry.fingerprint)
            text = text.rstrip("\n") + "\n\n" + _written(entry)
            count += 1
    parse(text, str(path))  # whatever was asked for, no broken file is left behind
    try:
        _replace(path, text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return count


def _written(entry: Suppression) -> str:
    fields = ("fingerprint", "kind", "where", "reason", "owner")
    lines = [f"{name} = {_quoted(getattr(entry, name))}" for name in fields if getattr(entry, name)]
    return "\n".join(["[[suppress]]", *lines, f"expires = {entry.expires.isoformat()}", ""])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _replace(path: Path, text: str) -> None:
    """All or nothing: a killed writer leaves the file as it was."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
