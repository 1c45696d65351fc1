"""Whether an address that is text lies in one of many networks, in a fraction of a microsecond.

All networks become one ascending list of boundaries, where they begin and where they end; an
address is inside when an odd number of boundaries lies at or below it. Overlapping, nested and
adjacent networks are merged while building, so an answer never depends on their order. The list is
cut by an address's bytes: most parts are wholly inside or outside, the others hold a few boundaries
to bisect. So 100,000 networks cost what 22 do.

Only the compiled question lives here; what it is asked about is ranges.py's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from truegreen.guard.address import AF_INET, AF_INET6, MAPPED, inet_pton

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable

    Node = bool | tuple[bytes, ...] | list["Node"]

DENSE = 32  # boundaries up to which a bisect is smaller than one more cut, and nearly as quick
SHORT = 256  # boundaries of a v4 list that is cut until nothing is left to bisect: at most 1 MB
LONG = 32_768  # boundaries of a v4 list from which on a table answers: at most 16 MB

_OUTSIDE: list[Node] = [False] * 256
_INSIDE: list[Node] = [True] * 256


def compile_lookup(
    v4: list[tuple[int, int]], v6: list[tuple[int, int]], dense: int = DENSE
) -> Callable[[str], bool]:
    """The question ``holds(text)`` about half-open spans of addresses as numbers, in any order.

    It is False for text that is no address, and never raises. A v4-mapped v6 address is looked up
    as the v4 address. ``dense``: boundaries from which on a part is cut again.
    """
    edges4, edges6 = _boundaries(v4, 4), _boundaries(v6, 16)
    rows6 = _rows(edges6, dense)
    if len(edges4) > LONG:
        return _tabled(_Table(edges4), rows6)
    return _cut_up(_rows(edges4, 0 if len(edges4) <= SHORT else dense), rows6)


# Both ask as address.packed() does, without its call: a fifth of the whole. It says what they do.


def _cut_up(rows4: list[list[Node]], rows6: list[list[Node]]) -> Callable[[str], bool]:
    pton, mapped = inet_pton, MAPPED

    def holds(text: str) -> bool:
        try:
            if ":" not in text:
                address = pton(AF_INET, text)
                part = rows4[address[0]][address[1]]
            else:
                address = pton(AF_INET6, text)
                if address[0] or address[:12] != mapped:
                    part = rows6[address[0]][address[1]]
                else:
                    address = address[12:]
                    part = rows4[address[0]][address[1]]
        except (OSError, ValueError):
            return False
        if part is True or part is False:
            return part
        return _inside(part, address)

    return holds


def _tabled(table: _Table, rows6: list[list[Node]]) -> Callable[[str], bool]:
    pton, mapped, rows4, fine = inet_pton, MAPPED, table.rows, table.fine

    def holds(text: str) -> bool:
        try:
            if ":" not in text:
                address = pton(AF_INET, text)
            else:
                address = pton(AF_INET6, text)
                if address[0] or address[:12] != mapped:
                    return _inside(rows6[address[0]][address[1]], address)
                address = address[12:]
        except (OSError, ValueError):
            return False
        flag = rows4[address[0]][address[1] << 8 | address[2]]
        if flag == 1:
            return True
        return flag == _FINE and bisect_right(fine[address[:3]], address) & 1 == 1

    return holds


def _inside(part: Node, address: bytes) -> bool:
    """Whether ``address`` is inside, in the part of its first two bytes."""
    depth = 2
    while type(part) is list:
        part = part[address[depth]]
        depth += 1
    return bisect_right(part, address) & 1 == 1 if type(part) is tuple else part is True


_FINE = 2


class _Table:
    """A long v4 list by its /24: one byte in ``rows``, 0 outside, 1 inside, 2 look into ``fine``.
    One place of memory a question, so that a list too large for the processor's cache is quick."""

    def __init__(self, boundaries: list[bytes]) -> None:
        numbers = [int.from_bytes(one, "big") for one in boundaries]
        if len(numbers) % 2:
            numbers.append(1 << 32)
        flags = bytearray(1 << 24)
        for start, end in zip(numbers[::2], numbers[1::2], strict=True):
            first, last = (start + 255) >> 8, end >> 8
            if first < last:
                flags[first:last] = b"\1" * (last - first)
        self.fine: dict[bytes, tuple[bytes, ...]] = {}
        for one in boundaries:
            if one[3]:
                flags[int.from_bytes(one[:3], "big")] = _FINE
                low, high = _within(boundaries, one[:3], 0)
                self.fine[one[:3]] = ((b"",) if low & 1 else ()) + tuple(boundaries[low:high])
        shared: dict[bytes, bytes] = {}
        self.rows = []
        for part in range(256):
            row = bytes(flags[part << 16 : (part + 1) << 16])
            self.rows.append(shared.setdefault(row, row))


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
    """The addresses that begin with ``prefix``: all inside, all outside, or what tells them apart.

    A tuple that begins inside a network starts with b"", which lies below every address: so the
    parity within the part is the parity within the whole.
    """
    if not any(boundaries[low][len(prefix) :]):
        low += 1  # the part begins where a network does, or where one has ended
    if low == high:
        return low & 1 == 1
    if high - low > dense:
        return _cut(boundaries, prefix, low, high, dense)
    return ((b"",) if low & 1 else ()) + tuple(boundaries[low:high])


def _within(boundaries: list[bytes], prefix: bytes, low: int) -> tuple[int, int]:
    """Where the boundaries that begin with ``prefix`` stand: from, to before. None before ``low``
    does."""
    low = bisect_left(boundaries, prefix, lo=low)
    return low, bisect_right(boundaries, prefix + b"\xff" * 16, lo=low)
