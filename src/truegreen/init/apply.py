"""Writes a plan into a repository: all of it or nothing, also when it is killed in the middle.

A journal beside the service's state says what stood there before. It is on disk before the first
file is changed and goes after the last one, so whoever finds one takes back what it names.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from truegreen.errors import Refused, UsageError
from truegreen.init.plan import Change
from truegreen.state import locate

_JOURNAL = "init.json"


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Holds the service in ``root`` for one ``init``, after taking back what a killed one left.

    Raises Refused when another one is at it, UsageError when the folder cannot be written.
    """
    place = locate(root, {})
    try:
        place.make_folder()
        handle = os.open(place.folder / "init.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UsageError(f"{place.folder} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused("another truegreen init is at work here", hint="wait for it") from error
        take_back(root)
        yield
    finally:
        os.close(handle)


def begun(root: Path) -> bool:
    """Whether an ``init`` was killed here, and what it wrote is still to be taken back."""
    return (locate(root, {}).folder / _JOURNAL).exists()


def write(root: Path, top: Path, changes: Sequence[Change]) -> None:
    """Writes ``changes`` below ``top``; the service is in ``root``. To be called ``alone``.

    Raises UsageError when a file has changed since it was read, or cannot be written; nothing of
    the plan stands there then.
    """
    journal = locate(root, {}).folder / _JOURNAL
    _replace(journal, json.dumps(_entries(top, changes)).encode())
    try:
        for change in changes:
            _write(top, change)
    except BaseException as error:
        take_back(root)
        if isinstance(error, OSError):
            raise UsageError(f"{error.filename}: {error.strerror}; nothing was written") from error
        raise
    journal.unlink()


def take_back(root: Path) -> tuple[str, ...]:
    """Undoes what an interrupted ``write`` did, and gives the paths that it put back.

    A file that has been changed by somebody since then is left alone.
    """
    journal = locate(root, {}).folder / _JOURNAL
    try:
        entries: list[dict[str, Any]] = json.loads(journal.read_bytes())
    except FileNotFoundError:
        return ()
    except ValueError as error:  # written whole, so this is not ours
        raise UsageError(f"{journal} is not a journal of init", hint="remove it") from error
    done = []
    for entry in reversed(entries):
        path = Path(entry["path"])
        if not path.is_symlink() and path.is_file() and _digest(path) == entry["new"]:
            if entry["old"] is None:
                path.unlink()
            else:
                _replace(path, base64.b64decode(entry["old"]))
            done.append(str(path))
        for folder in entry["folders"]:
            if Path(folder).is_dir() and not any(Path(folder).iterdir()):
                Path(folder).rmdir()
    journal.unlink()
    return tuple(done)


def _entries(top: Path, changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [
        {
            "path": str(top / change.path),
            "old": None if change.old is None else base64.b64encode(change.old).decode(),
            "new": sha256(change.new).hexdigest(),
            "folders": [
                str(one)
                for one in (top / change.path).parents
                if one.is_relative_to(top) and not one.exists()
            ],
        }
        for change in changes
    ]


def _write(top: Path, change: Change) -> None:
    path = top / change.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if change.old is None:
        name = _temporary(path, change.new)
        try:
            os.link(name, path)  # unlike a rename it never replaces what has appeared meanwhile
        except FileExistsError as error:
            raise UsageError(
                f"{change.path} has appeared meanwhile; nothing was written"
            ) from error
        finally:
            name.unlink()
    else:
        if path.is_symlink() or path.read_bytes() != change.old:
            raise UsageError(f"{change.path} was changed meanwhile; nothing was written")
        _replace(path, change.new)


def _replace(path: Path, data: bytes) -> None:
    name = _temporary(path, data)
    try:
        if path.exists():
            name.chmod(path.stat().st_mode & 0o7777)
        name.replace(path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def _temporary(path: Path, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".truegreen-init.")
    with os.fdopen(handle, "wb") as file:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        file.write(data)
        file.flush()
        os.fsync(handle)
    return Path(name)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
