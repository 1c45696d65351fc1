"""Whose a platform's folder is: the lock that one process holds, and the operator's token.

Nothing is started here, and no state is read.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from truegreen.embedded.data_folder import DataFolder
from truegreen.errors import UsageError
from truegreen.secret import Secret


@contextlib.contextmanager
def only_one(data: DataFolder) -> Iterator[None]:
    """Holds the folder's lock, with our pid in it, for as long as we run."""
    with data.serve_lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UsageError(
                f"a platform runs on {data.root} already (pid {file.read().strip()})",
                hint="truegreen platform status shows it, truegreen platform stop ends it",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def token_of(path: Path) -> Secret:
    """The operator's token; made, for its owner's eyes only, when there is none."""
    if not path.is_file() or not path.read_text(encoding="ascii").strip():
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        fresh.replace(path)
    path.chmod(0o600)
    return Secret(path.read_text(encoding="ascii").strip())
