"""Who the visitor was, as far as that can be believed: read when the application asks for it.

The adapters leave a note in the request that passed (where the address stands, never a value that
a client could have written there); most requests are answered without anybody asking, so nothing
is parsed before. Which request passed is policy.py's.
"""

from __future__ import annotations

from truegreen.address import canonical
from truegreen.headers import environ_key, single

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

CLIENT = "truegreen.client"
"""The key of the note, in WSGI's environ and in ASGI's scope. Read it with ``client_address``."""


def client_address(request: Mapping[str, Any]) -> str | None:
    """The visitor's address in its one spelling (RFC 5952), or None: not known, not believed.

    ``request``: WSGI's environ (Flask: ``request.environ``, Django: ``request.META``) or ASGI's
    scope (Starlette: ``request.scope``), behind the guard. None when the request did not pass the
    checks (an exempt path, mode report or off), when no check was asked that the edge alone can
    pass, and when the edge named nobody, nobody valid, or two. Never raises.
    """
    note = request.get(CLIENT)
    named = note(request) if callable(note) else note
    return canonical(named) if isinstance(named, str) else None


def in_environ(header: str) -> Callable[[Mapping[str, Any]], str | None]:
    """Reads ``header`` (lower case) of a WSGI environ. Lines that came twice are joined by commas
    there, which is no address."""
    key = environ_key(header)
    return lambda environ: environ.get(key)


def in_scope(header: str) -> Callable[[Mapping[str, Any]], str | None]:
    """Reads ``header`` (lower case) of an ASGI scope; None unless it came exactly once."""
    name = header.encode()
    return lambda scope: single(scope["headers"], name)
