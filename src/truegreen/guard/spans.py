"""Whether an address that is text lies in one of many networks, in a fraction of a microsecond.

All networks become one ascending list of boundaries, where they begin and where they end; an
address is inside when an odd number of boundaries lies at or below it. Overlapping, nested and
adjacent networks are merged while building, so an answer never depends on their order.

A v4 address is answered by its first three bytes, which nearly always say it all; the few /24 that
a boundary divides have theirs to bisect. A v6 list is cut by an address's bytes until a handful is
left to bisect. So 100,000 networks cost what 22 do.

Only the compiled question lives here; what it is asked about is ranges.py's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from truegreen.address import AF_INET, AF_INET6, MAPPED, inet_pton

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable

    Node = bool | tuple[bytes, ...] | list["Node"]

DENSE = 32  # boundaries up to which a bisect is smaller than one more cut, and nearly as quick

_OUTSIDE: list[Node] = [False] * 256
_INSIDE: list[Node] = [True] * 256
_DIVIDED = 2  # beside 0, outside, and 1, inside


def compile_lookup(
    v4: list[tuple[int, int]], v6: list[tuple[int, int]], dense: int = DENSE
) -> Callable[[str], bool]:
    """The question ``holds(text)`` about half-open spans of addresses as numbers, in any order.

    It is False for text that is no address, and never raises. A v4-mapped v6 address is looked up
    as the v4 address. ``dense``: boundaries from which on a part of the v6 list is cut again.
    """
    rows4, divided = _table(_boundaries(v4, 4))
    rows6 = _rows(_boundaries(v6, 16), dense)
    pton, mapped = inet_pton, MAPPED

    # Asks as address.packed() does, without its call: a fifth of the whole. It says what this does.
    def holds(text: str) -> bool:
        try:
            if ":" not in text:
                address = pton(AF_INET, text)
            else:
                address = pton(AF_INET6, text)
                if address[0] or address[:12] != mapped:
                    part, depth = rows6[address[0]][address[1]], 2
                    while type(part) is list:
                        part = part[address[depth]]
                        depth += 1
                    if type(part) is tuple:
                        return bisect_right(part, address) & 1 == 1
                    return part is True
                address = address[12:]
        except (OSError, ValueError):
            return False
        flag = rows4[address[0]][address[1]][address[2]]
        if not flag:
            return False
        return flag == 1 or bisect_right(divided[address[:3]], address) & 1 == 1

    return holds


def _table(
    boundaries: list[bytes],
) -> tuple[list[list[bytes]], dict[bytes, tuple[bytes, ...]]]:
    """v4 by /24: a flag for each at ``rows[first byte][second byte][third byte]``; and, of those
    that are divided, what a bisect needs. Flags that are alike are one object: most addresses are
    far from any boundary."""
    known = {one: one for one in (bytes(256), b"\1" * 256)}
    outside, inside = ([one] * 256 for one in known)
    rows: list[list[bytes]] = []
    divided: dict[bytes, tuple[bytes, ...]] = {}
    at = 0
    for first in range(256):
        row: list[bytes] = []
        end = _within(boundaries, bytes((first,)), at)[1]
        for second in sorted({one[1] for one in boundaries[at:end]}):
            row += (inside if at & 1 else outside)[len(row) : second]
            low, at = _within(boundaries, bytes((first, second)), at)
            flags = _flags(boundaries, low, at, divided)
            row.append(known.setdefault(flags, flags))
        alike = inside if at & 1 else outside
        rows.append(row + alike[len(row) :] if row else alike)
    return rows, divided


def _flags(
    boundaries: list[bytes], low: int, high: int, divided: dict[bytes, tuple[bytes, ...]]
) -> bytes:
    """The flags of a /16 whose boundaries are those from ``low`` to before ``high``."""
    flags = bytearray((low & 1,)) * 256
    for number in range(low, high):
        one = boundaries[number]
        after = one[2]
        if one[3]:
            flags[after] = _DIVIDED
            after += 1
            if one[:3] not in divided:
                begin, end = _within(boundaries, one[:3], low)
                divided[one[:3]] = _bisected(boundaries, begin, end)
        flags[after:] = bytes((~number & 1,)) * (256 - after)
    return bytes(flags)


def _boundaries(spans: list[tuple[int, int]], width: int) -> list[bytes]:
    """Where the union of half-open ``spans`` begins and ends, ascending, as packed addresses."""
    merged: list[int] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1]:
            merged[-1] = max(merged[-1], end)
        else:
            merged += (start, end)
    if merged and merged[-1] == 1 << (8 * width):
        merged.pop()  # to the end of the address space: no boundary is left to cross
    return [one.to_bytes(width, "big") for one in merged]


def _rows(boundaries: list[bytes], dense: int) -> list[list[Node]]:
    """The whole address space by its first byte, then by its second: always two cuts."""
    rows = []
    for part in range(256):
        low, high = _within(boundaries, bytes((part,)), 0)
        if low < high:
            rows.append(_cut(boundaries, bytes((part,)), low, high, dense))
        else:
            rows.append(_INSIDE if low & 1 else _OUTSIDE)
    return rows


def _cut(boundaries: list[bytes], prefix: bytes, low: int, high: int, dense: int) -> list[Node]:
    """The addresses that begin with ``prefix``, whose boundaries are those from ``low`` to before
    ``high``, by their next byte."""
    row: list[Node] = []
    for part in sorted({one[len(prefix)] for one in boundaries[low:high]}):
        row += [low & 1 == 1] * (part - len(row))
        longer = prefix + bytes((part,))
        low, end = _within(boundaries, longer, low)
        row.append(_node(boundaries, longer, low, end, dense))
        low = end
    return row + [low & 1 == 1] * (256 - len(row))


def _node(boundaries: list[bytes], prefix: bytes, low: int, high: int, dense: int) -> Node:
    """The addresses that begin with ``prefix``: all inside, all outside, or what tells them
    apart."""
    if not any(boundaries[low][len(prefix) :]):
        low += 1  # the part begins where a network does, or where one has ended
    if low == high:
        return low & 1 == 1
    if high - low > dense:
        return _cut(boundaries, prefix, low, high, dense)
    return _bisected(boundaries, low, high)


def _bisected(boundaries: list[bytes], low: int, high: int) -> tuple[bytes, ...]:
    """Some boundaries to bisect among. When the first ends a network, after b"", which lies below
    every address: so the parity within the part is the parity within the whole."""
    return ((b"",) if low & 1 else ()) + tuple(boundaries[low:high])


def _within(boundaries: list[bytes], prefix: bytes, low: int) -> tuple[int, int]:
    """Where the boundaries that begin with ``prefix`` stand: from, to before. None before ``low``
    does."""
    low = bisect_left(boundaries, prefix, lo=low)
    return low, bisect_right(boundaries, prefix + b"\xff" * 16, lo=low)
