"""An edge's networks as a set that answers "is this address in it" in a fraction of a microsecond.

Parity bisect: all networks become one ascending list of boundaries, where they begin and where they
end; an address is inside when an odd number of boundaries lies at or below it. Overlapping, nested
and adjacent networks are merged while building, so an answer never depends on their order. Long
lists are cut by an address's first two bytes, so that 100,000 networks cost what 22 do.

Only the set and its files live here. Which address is asked about is profiles.py's, what follows
from the answer policy.py's, fetching refresh.py's.
"""

from __future__ import annotations

from bisect import bisect_right

from truegreen.errors import ConfigError
from truegreen.guard.address import AF_INET, AF_INET6, MAPPED, inet_pton, network

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Any

DAY = 86_400.0
_FLAT = 1024  # boundaries up to which one list is faster than a table of lists
_KEYS = frozenset({"edge", "source", "date", "max_age_days", "client_header", "networks"})


class RangesError(ConfigError):
    """A list of networks that cannot be used: names the file, the key and the fix."""


class Ranges:
    """An immutable set of networks with its origin and its age.

    ``networks``: texts such as ``104.16.0.0/13``, ``2606:4700::/32``, ``192.0.2.7``. ``name``: the
    edge's, for people. ``date``: the day of the list, as ``YYYY-MM-DD``, and ``max_age_days``: how
    long it may be believed; both or neither, and without them it never gets stale (an allowlist of
    your own). ``client_header``: the header in which this edge says who its visitor was, in lower
    case, or None when it says so in none.

    Raises RangesError for a malformed network, no network at all, or a malformed date.
    """

    __slots__ = ("_v4", "_v6", "client_header", "date", "holds", "name", "size", "stale_at")

    def __init__(
        self,
        networks: Iterable[str],
        *,
        name: str = "allowlist",
        date: str | None = None,
        max_age_days: int | None = None,
        client_header: str | None = None,
    ) -> None:
        spans: dict[int, list[tuple[int, int]]] = {4: [], 16: []}
        self.size = 0
        for text in networks:
            try:
                first, bits = network(text)
            except ValueError as error:
                raise RangesError(name, "networks", str(error), fix="write it as 192.0.2.0/24")  # noqa: B904
            start = int.from_bytes(first, "big")
            spans[len(first)].append((start, start + (1 << (8 * len(first) - bits))))
            self.size += 1
        if not self.size:
            raise RangesError(name, "networks", "the list is empty", fix="name one network")
        if (date is None) != (max_age_days is None):
            raise RangesError(name, "date", "date and max_age_days go together", fix="give both")
        self.name = name
        self.date = date
        self.client_header = client_header.lower() if client_header else None
        self.stale_at: float | None = None
        if date is not None and max_age_days is not None:
            self.stale_at = _midnight(name, date) + max_age_days * DAY
        self._v4 = _boundaries(spans[4], 4)
        self._v6 = _boundaries(spans[16], 16)
        self.holds = _lookup(self._v4, self._v6)
        """Whether the address that a text is lies in the set. False for text that is none."""

    def __contains__(self, text: str) -> bool:
        return self.holds(text)

    def age_days(self, now: float) -> float | None:
        """Days since the list's date at ``now`` (seconds since the epoch); None without a date."""
        return None if self.date is None else (now - _midnight(self.name, self.date)) / DAY

    def stale(self, now: float) -> bool:
        """Whether the list is older at ``now`` (seconds since the epoch) than it may be."""
        return self.stale_at is not None and now >= self.stale_at

    def __repr__(self) -> str:
        return f"Ranges({self.name}, {self.size} networks, {self.date or 'undated'})"

    @classmethod
    def shipped(cls, edge: str = "cloudflare") -> Ranges:
        """The list of ``edge`` that comes with this package. Raises RangesError."""
        if not edge.replace("-", "").isalnum():
            raise RangesError(edge, "", "is no edge's name", fix=_known())
        path = edges() / f"{edge}.json"
        if not path.is_file():
            raise RangesError(edge, "", "no list of this edge is shipped", fix=_known())
        return cls.load(path)

    @classmethod
    def load(cls, path: str | Path) -> Ranges:
        """The list in ``path``: JSON as in edges/README.md, or, for any other suffix than
        ``.json``, plain text with one network a line and ``#`` comments.

        Raises RangesError when it cannot be read or used.
        """
        from pathlib import Path

        where = Path(path)
        try:
            text = where.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RangesError(str(where), "", f"cannot be read: {error}") from error
        if where.suffix != ".json":
            lines = (line.partition("#")[0].strip() for line in text.splitlines())
            return cls((line for line in lines if line), name=where.stem)
        return cls.from_document(str(where), text)

    @classmethod
    def from_document(cls, file: str, text: str) -> Ranges:
        """The list that JSON ``text`` is; ``file`` names it in errors. Raises RangesError."""
        import json  # only who uses a file pays for it
        from pathlib import Path

        try:
            document: Any = json.loads(text)
        except ValueError as error:
            raise RangesError(file, "", f"is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise RangesError(file, "", "is not a JSON object")
        for key in document.keys() - _KEYS:
            raise RangesError(file, key, "is not known", fix="one of " + " ".join(sorted(_KEYS)))
        networks = document.get("networks")
        if not isinstance(networks, list) or not all(isinstance(one, str) for one in networks):
            raise RangesError(file, "networks", "is not a list of strings")
        for key in ("edge", "date", "client_header"):
            if not isinstance(document.get(key), str | None):
                raise RangesError(file, key, "is not a string")
        days = document.get("max_age_days")
        if days is not None and (type(days) is not int or days < 1):
            raise RangesError(file, "max_age_days", f"{days!r} is no number of days", fix="e.g. 90")
        try:
            return cls(
                networks,
                name=document.get("edge") or Path(file).stem,
                date=document.get("date"),
                max_age_days=days,
                client_header=document.get("client_header"),
            )
        except RangesError as error:
            raise RangesError(file, error.key, error.problem, fix=error.fix) from error


def edges() -> Path:
    """The folder with the lists that come with this package."""
    from pathlib import Path

    return Path(__file__).parent / "edges"


def _known() -> str:
    return "one of " + " ".join(sorted(path.stem for path in edges().glob("*.json")))


def _midnight(name: str, day: str) -> float:
    """Seconds since the epoch at the start of ``day`` in UTC."""
    from datetime import UTC, datetime

    try:
        if len(day) != 10:
            raise ValueError(day)
        return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise RangesError(name, "date", f"{day!r} is no day", fix="write YYYY-MM-DD") from None


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


def _lookup(v4: list[bytes], v6: list[bytes]) -> Callable[[str], bool]:
    # packed() again, but for its call: a fifth of the whole. address.py says what it does.
    pton, mapped, find = inet_pton, MAPPED, bisect_right
    if len(v4) <= _FLAT and len(v6) <= _FLAT:

        def flat(text: str) -> bool:
            try:
                if ":" not in text:
                    return find(v4, pton(AF_INET, text)) & 1 == 1
                address = pton(AF_INET6, text)
            except (OSError, ValueError):
                return False
            if address[:12] == mapped:
                return find(v4, address[12:]) & 1 == 1
            return find(v6, address) & 1 == 1

        return flat
    return _tabled(_table(v4), _table(v6))


def _tabled(
    table4: list[tuple[bytes, ...]], table6: list[tuple[bytes, ...]]
) -> Callable[[str], bool]:
    pton, mapped, find = inet_pton, MAPPED, bisect_right

    def tabled(text: str) -> bool:
        try:
            if ":" not in text:
                address = pton(AF_INET, text)
                return find(table4[address[0] << 8 | address[1]], address) & 1 == 1
            address = pton(AF_INET6, text)
        except (OSError, ValueError):
            return False
        if address[:12] == mapped:
            address = address[12:]
            return find(table4[address[0] << 8 | address[1]], address) & 1 == 1
        return find(table6[address[0] << 8 | address[1]], address) & 1 == 1

    return tabled


def _table(boundaries: list[bytes]) -> list[tuple[bytes, ...]]:
    """The boundaries by an address's first two bytes.

    A part that begins inside a network starts with b"", which lies below every address: so the
    parity within the part is the parity within the whole.
    """
    outside: tuple[bytes, ...] = ()
    inside = (b"",)
    table: list[tuple[bytes, ...]] = []
    low = 0
    for part in range(1 << 16):
        start = inside if low & 1 else outside
        high = bisect_right(boundaries, part.to_bytes(2, "big") + b"\xff" * 15, lo=low)
        table.append(start + tuple(boundaries[low:high]) if high > low else start)
        low = high
    return table
