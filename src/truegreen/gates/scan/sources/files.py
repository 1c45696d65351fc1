"""Files outside of git: a log, a folder, a slug (an archive is opened by ``containers``). Links
are not followed: what they lead to is not what was named.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from truegreen.errors import UsageError
from truegreen.gates.head_tree import printable
from truegreen.gates.scan.found import Gap
from truegreen.gates.scan.sources import Item

CHUNK = 1 << 20  # bytes read at once


def file_items(path: Path) -> Iterator[Item]:
    """``path`` itself, or every file under it in the order of names. What cannot be listed or is
    no plain file is an item with its reason. Raises UsageError when there is no ``path``."""
    try:
        info = path.lstat()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if stat.S_ISDIR(info.st_mode):
        yield from _folder(path, "")
    else:
        yield _item(path, printable(os.fsencode(path)), info)


def _folder(folder: Path, prefix: str) -> Iterator[Item]:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        yield Item(prefix or ".", gap=_unread(error))
        return
    for name in names:
        path = folder / name
        shown = prefix + printable(os.fsencode(name))
        try:
            info = path.lstat()
        except OSError as error:
            yield Item(shown, gap=_unread(error))
            continue
        if stat.S_ISDIR(info.st_mode):
            if name != ".git":
                yield from _folder(path, f"{shown}/")
        else:
            yield _item(path, shown, info)


def _item(path: Path, shown: str, info: os.stat_result) -> Item:
    if stat.S_ISLNK(info.st_mode):
        return Item(shown, gap=Gap("", "a link, not followed"))
    if not stat.S_ISREG(info.st_mode):
        return Item(shown, gap=Gap("", "no plain file"))
    return Item(shown, "", info.st_size, partial(_blocks, path))


def _blocks(path: Path) -> Iterator[bytes]:
    # O_NOFOLLOW: it may have become a link since it was listed; O_NONBLOCK: or a pipe
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while block := file.read(CHUNK):
            yield block


def _unread(error: OSError) -> Gap:
    return Gap("", error.strerror or str(error), unread=True)
