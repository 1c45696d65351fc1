"""One request and one answer, as every driver of the selftest takes and gives them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from truegreen.guard.attacks import Header


@dataclass(frozen=True, slots=True)
class Request:
    """``target``: path and query as on the request line. ``peer``: who connects, for the app.
    ``credulous``: for WSGI in process, as a server hands it on that believes names with ``_``."""

    method: str
    target: bytes
    headers: tuple[Header, ...] = field(default=(), repr=False)
    peer: str = "127.0.0.1"
    websocket: bool = False
    credulous: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``status`` 0 and ``error``: nothing did. Header names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    error: str = ""
    timed_out: bool = False

    def header(self, name: str) -> str:
        """The first value of ``name`` (lower case), or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def says(self) -> str:
        """``error`` in the JSON body, or an empty string."""
        try:
            told: Any = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        found = told.get("error") if isinstance(told, dict) else None
        return found if isinstance(found, str) else ""

    @property
    def summary(self) -> str:
        """``403 direct_origin_blocked``, ``200``, or the error."""
        return f"{self.status} {self.says}".rstrip() if self.status else self.error


class Driver(Protocol):
    """Something that takes a request to the app. Never raises for what the app does."""

    def send(self, request: Request) -> Answer: ...
