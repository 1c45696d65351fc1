"""How long a migration waits for a lock, and how often it tries again. Pure.

A statement that waits for ACCESS EXCLUSIVE makes every later reader of the table wait behind it,
so it waits briefly, lets them through, and comes again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FIRST_PAUSE = 0.1  # seconds
LONGEST_PAUSE = 1.0
GROWTH = 1.5
# https://www.postgresql.org/docs/current/errcodes-appendix.html
LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK_DETECTED = "40P01"


def pause(attempt: int, chance: float) -> float:
    """Seconds before attempt ``attempt`` + 1 (from 1). ``chance``: 0 to 1; two release commands
    that collide once should not do so again."""
    most = min(LONGEST_PAUSE, FIRST_PAUSE * GROWTH ** min(attempt - 1, 50))
    return most * (0.5 + chance / 2)


def wait_for_lock(configured: float, vacuum_timeout: float | None) -> float:
    """Seconds that the next attempt's statements wait for a lock.

    ``vacuum_timeout``: None, or the server's deadlock_timeout in seconds where a lock like
    (auto)vacuum's was held. Autovacuum gives way only to who has waited that long, so a shorter
    wait would be turned away until it is through with the table.
    """
    return configured if vacuum_timeout is None else max(configured, vacuum_timeout + 0.2)


def state_of(error: BaseException) -> str:
    """The SQLSTATE of a driver's error, wherever it keeps it; "" when it has none."""
    for one in _chain(error):
        for name in ("sqlstate", "pgcode"):  # psycopg 3 and asyncpg; psycopg 2
            value = getattr(one, name, None)
            if isinstance(value, str) and len(value) == 5:
                return value
        first = one.args[0] if one.args else None
        if isinstance(first, dict) and isinstance(first.get("C"), str):  # pg8000
            return str(first["C"])
    return ""


def is_lock_trouble(error: BaseException) -> bool:
    """Whether trying again may help: nothing was done, because somebody held a lock."""
    return state_of(error) in (LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED)


def first_line(error: BaseException) -> str:
    """What a driver says, without the details: those hold rows' values."""
    inner: Any = getattr(error, "orig", None) or error
    lines = str(inner).strip().splitlines()
    return f"{type(inner).__name__}: {lines[0] if lines else ''}".rstrip(": ")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            waiting += [getattr(one, "orig", None), one.__cause__]
