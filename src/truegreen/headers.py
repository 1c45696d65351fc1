"""How WSGI and ASGI have a request's headers: the one place where the service's half reads them.

No imports, for a dyno loads this at start; but for ``truegreen_speedups`` (the folder speedups/),
a compiled ``splitter`` that gives the same answers and is taken where it is installed.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Line = tuple[bytes, bytes]
    Lines = Iterable[Line]
    # The secret, the address, whether either came more than once, the lines without the secret's.
    Split = Callable[[list[Line]], tuple[bytes | None, bytes | None, bool, list[Line]]]

try:
    from truegreen_speedups import splitter as compiled
except ImportError:  # the extra is not installed, or there was no C compiler where it was
    compiled = None


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


def without(lines: Lines, name: bytes) -> list[Line]:
    """All lines but those of ``name``; a new list."""
    return [pair for pair in lines if pair[0] != name]


def splitter(secret_name: bytes, address_name: bytes) -> Split:
    """A function for the guard's hot path: reads all that it needs of a request's lines in one go.

    Called with a list of lines it gives ``(secret, line, several, stripped)``: the last value under
    either name, or None; whether one of the two came more than once; and the lines without the
    secret's, as a new list where there are any: a server's own list is left as it is. Names are
    lower case; the two may be the same, then there is no ``line``.
    """
    split = _splitter(secret_name, address_name)
    if compiled is not None:  # it asks the pure one about lines that are no tuples of bytes
        split = compiled(secret_name, address_name, split)
    return split


def _splitter(secret_name: bytes, address_name: bytes) -> Split:
    least = min(secret_name, address_name)
    guess = 0  # where the secret stood last: most requests have the same order

    def split(lines: list[Line]) -> tuple[bytes | None, bytes | None, bool, list[Line]]:
        nonlocal guess
        secret = line = None
        several = False
        for name, value in lines:
            if name >= least:  # one comparison instead of two for most of the names
                if name == secret_name:
                    if secret is not None:
                        several = True
                    secret = value
                elif name == address_name:
                    if line is not None:
                        several = True
                    line = value
        if secret is None:
            return None, line, several, lines
        if several:
            return secret, line, True, without(lines, secret_name)
        place, stripped = guess, lines.copy()
        if place >= len(lines) or stripped.pop(place)[0] != secret_name:
            guess = [name for name, _ in lines].index(secret_name)
            stripped = lines.copy()
            del stripped[guess]
        return secret, line, False, stripped

    return split
