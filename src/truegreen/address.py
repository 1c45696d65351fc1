"""The one place of the tree where text becomes a network address. Nothing here decides anything.

The guard has addresses as packed bytes, four for v4 and sixteen for v6: so they compare and bisect
as they are. A v4-mapped v6 address (``::ffff:a.b.c.d``, RFC 4291 2.5.5.2) is the v4 address: an
edge that reaches a dual-stack listener must not get another identity by it.
"""

from __future__ import annotations

# The C module: `socket` costs 3 ms of imports for two functions, and a dyno imports this at start.
from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

__all__ = ["AF_INET", "AF_INET6", "MAPPED", "canonical", "inet_pton", "network", "packed", "parsed",
           "shown"]  # fmt: skip

MAPPED = bytes(10) + b"\xff\xff"


def packed(text: str) -> bytes | None:
    """The address that ``text`` is, or None when it is none. Never raises for a string.

    Strict, as inet_pton(3): no blanks, port, zone, brackets, leading zeros or short forms.
    """
    try:
        if ":" in text:
            address = inet_pton(AF_INET6, text)
            return address[12:] if address.startswith(MAPPED) else address
        return inet_pton(AF_INET, text)
    except (OSError, ValueError):  # ValueError: a NUL, a lone surrogate
        return None


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """What ``packed`` gives, for whoever asks what kind of an address it is (loopback, public)."""
    import ipaddress  # only here: 4 ms, and no service asks

    address = packed(text)
    return None if address is None else ipaddress.ip_address(address)


def canonical(text: str) -> str | None:
    """The one spelling of the address that ``text`` is (RFC 5952), or None when it is none."""
    try:
        if ":" not in text:
            inet_pton(AF_INET, text)  # so strict that there is one spelling only
            return text
    except (OSError, ValueError):
        return None
    address = packed(text)
    return None if address is None else shown(address)


def shown(address: bytes) -> str:
    """The text of packed ``address``. Raises ValueError unless it has 4 or 16 bytes."""
    return inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address)


def network(text: str) -> tuple[bytes, int]:
    """The first address and the prefix length of ``text``, e.g. ``104.16.0.0/13`` or ``::1``.

    A network inside ``::ffff:0:0/96`` is the v4 network. Raises ValueError for anything malformed,
    and for bits set behind the prefix: such a line is more likely a typing error than a network.
    """
    name, slash, length = text.partition("/")
    address = packed(name)
    if address is None:
        raise ValueError(f"{text!r} is not an address or a network")
    width = 8 * len(address)
    mapped = ":" in name and width == 32
    if not slash:
        return address, width
    if not (length.isascii() and length.isdigit() and len(length) <= 3):
        raise ValueError(f"{text!r} has no prefix length after the slash")
    bits = int(length) - (96 if mapped else 0)
    if not 0 <= bits <= width:
        raise ValueError(f"{text!r} has a prefix length outside 0 to {width}")
    if int.from_bytes(address, "big") & ((1 << (width - bits)) - 1):
        raise ValueError(f"{text!r} has bits set behind its prefix")
    return address, bits
