"""Where blobs come from: a commit's tree, a diff, the whole history (``repository``), files and
slugs (``files``). Each gives items in order; what a blob holds is not looked at here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from truegreen.gates.scan.found import Gap

Blocks = Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to scan. ``key`` names its content (a git object id) where the content cannot
    change under its name, else "". ``read`` gives its bytes, once; it raises OSError when they
    cannot be had. ``gap``: it is not scanned, and this is why."""

    path: str
    key: str = ""
    size: int = 0
    read: Callable[[], Blocks] | None = None
    gap: Gap | None = None
