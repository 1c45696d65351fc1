"""How WSGI and ASGI have a request's headers: the one place where the service's half reads them.

Only the guard's hot path (guard/asgi.py) walks the lines by itself. Standard library, no imports: a
dyno loads this at start.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Iterable

    Lines = Iterable[tuple[bytes, bytes]]


def environ_key(name: str) -> str:
    """Under which key WSGI's environ has the header ``name``, in any case (PEP 3333)."""
    return "HTTP_" + name.upper().replace("-", "_")


def values(lines: Lines, name: bytes) -> list[bytes]:
    """The values of the header ``name`` (lower case, as ASGI has names), one a line."""
    return [pair[1] for pair in lines if pair[0] == name]


def single(lines: Lines, name: bytes) -> str | None:
    """The value of ``name`` as WSGI would have it; None unless it came exactly once."""
    found = values(lines, name)
    return found[0].decode("latin-1") if len(found) == 1 else None


def joined(lines: Lines, name: bytes) -> str | None:
    """The value of ``name``, its lines joined by a line feed; None when it did not come."""
    found = values(lines, name)
    return b"\n".join(found).decode("latin-1") if found else None


def without(lines: Lines, name: bytes) -> list[tuple[bytes, bytes]]:
    """All lines but those of ``name``; a new list."""
    return [pair for pair in lines if pair[0] != name]
