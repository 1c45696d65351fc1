"""The temporary folder of one proof: locked while it is in use, and what a kill left is removed.

Nobody can clean up after a SIGKILL of its own. The lock ends with the process, so the next proof
knows for certain which folders are nobody's, and two at once leave each other alone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "truegreen-prove-"
LOCK = "in-use.lock"


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new folder, removed afterwards."""
    _remove_left_over(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # Locked under another name first: nobody must find it there and not locked.
        fresh = folder / f"{LOCK}.new"
        with fresh.open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fresh.rename(folder / LOCK)
            yield folder


def _remove_left_over(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            with (folder / LOCK).open("rb+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
