"""When the disk is full: which errors say so, and how to write what must not be lost.

The rule: reading goes on, nothing that could not be written is called done, and what has ended is
written down as soon as there is room again.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Callable

_ERRNOS = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
_FULL = frozenset([sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR])
_PAUSE = 1.0
_log = logging.getLogger(__name__)


def is_full(error: BaseException) -> bool:
    """Does the error say that something could not be stored (disk full, quota, file too large)?"""
    if isinstance(error, OSError):
        return error.errno in _ERRNOS
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _FULL
    return False


async def written(write: Callable[[], None], *, pause: float = _PAUSE) -> None:
    """Calls ``write`` until there is room for it; ``pause``: seconds between two attempts.

    For what has happened and must be known, like the end of a build. Raises what else it raises.
    """
    import asyncio  # not above: `verify`, which asks where a platform is, imports this, too

    told = False
    while True:
        try:
            write()
            return
        except (OSError, sqlite3.Error) as error:
            if not is_full(error):
                raise
            if not told:
                _log.error("the disk is full, waiting for room: %s", error)
                told = True
        await asyncio.sleep(pause)
