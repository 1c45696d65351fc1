"""That an action was meant: a form that this board made, for this browser, for this command, once.

The form's value is signed over the browser's cookie and over the command line that the page showed,
so that a form of a stranger, of another command or from another visit is worth nothing.
"""

from __future__ import annotations

import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable
from hashlib import sha256

LASTS = 600  # seconds between the page and the answer
_FORM = re.compile(r"(\d{1,12})\.([A-Za-z0-9_-]{22})\.([0-9a-f]{64})\Z")
_VISIT = re.compile(r"[A-Za-z0-9_-]{32}\Z")


class Forms:
    """The forms of one process. ``clock``: seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}  # by the form's number, until when it would have held

    def visit(self, cookie: str) -> str:
        """The value of the browser's cookie: what it has, or a new one."""
        return cookie if _VISIT.match(cookie) else secrets.token_urlsafe(24)

    def make(self, visit: str, command: str) -> str:
        """The value of a form that asks for ``command``."""
        until, number = int(self._clock()) + LASTS, secrets.token_urlsafe(16)
        return f"{until}.{number}.{self._signed(visit, command, until, number)}"

    def use(self, value: str, visit: str, command: str) -> str:
        """Why the form is worth nothing; "" for one that is, which is used up with that."""
        parts = _FORM.match(value)
        if parts is None or not _VISIT.match(visit):
            return "the form is none of this board's"
        until, number = int(parts[1]), parts[2]
        if not hmac.compare_digest(parts[3], self._signed(visit, command, until, number)):
            return "the form is of another browser, or what it would run is not the same any more"
        now = self._clock()
        if until < now:
            return "the form is too old"
        with self._lock:
            self._used = {one: end for one, end in self._used.items() if end >= now}
            if number in self._used:
                return "the form was used already"
            self._used[number] = until
        return ""

    def _signed(self, visit: str, command: str, until: int, number: str) -> str:
        told = "\n".join((visit, str(until), number, command))
        return hmac.new(self._key, told.encode("utf-8", "surrogatepass"), sha256).hexdigest()
