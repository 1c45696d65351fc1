"""Reads blobs out of a repository, many in one go, by one ``git cat-file --batch``. Local only: an
object that is not here (partial clone) is missing, not fetched.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from truegreen.errors import UsageError
from truegreen.git_environment import git_environment

CHUNK = 1 << 20  # bytes read at once


class Missing(OSError):
    """git does not have the object, or stopped before it was told."""


def read_objects(root: Path, oids: Sequence[str]) -> Iterator[tuple[int, Iterator[bytes]]]:
    """``(size in bytes, blocks)`` of each of ``oids``, in order. ``blocks`` must be read before the
    next is asked for, what is left of it is passed over; it raises Missing. Raises UsageError
    without git."""
    with tempfile.TemporaryFile() as wanted:
        wanted.write("".join(f"{oid}\n" for oid in oids).encode())
        wanted.seek(0)
        try:
            process = subprocess.Popen(
                ["git", "-C", str(root), "cat-file", "--batch", "--buffer"],
                stdin=wanted,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=git_environment(),
            )
        except FileNotFoundError as error:
            raise UsageError("git is not installed, or not on PATH") from error
    with process:
        assert process.stdout is not None
        try:
            for oid in oids:
                words = process.stdout.readline().split()
                size = int(words[2]) if len(words) == 3 else 0
                is_blob = len(words) == 3 and words[1] == b"blob"
                blocks = _content(process.stdout, oid, size)
                yield (size, blocks) if is_blob else (0, _missing(oid))
                if len(words) == 3:
                    deque(blocks, maxlen=0)
        finally:
            process.stdout.close()
            process.kill()  # it only reads: nothing to finish


def _content(stdout: IO[bytes], oid: str, size: int) -> Iterator[bytes]:
    left = size
    while left:
        block = stdout.read(min(left, CHUNK))
        if not block:
            raise Missing(f"git stopped within {oid[:12]}")
        left -= len(block)
        yield block
    stdout.read(1)


def _missing(oid: str) -> Iterator[bytes]:
    raise Missing(f"git does not have {oid[:12]}")
    yield b""
