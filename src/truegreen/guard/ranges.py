"""An edge's networks as a set with an origin, an age and files. How it answers is spans.py's.

Only the set and its files live here. Which address is asked about is profiles.py's, what follows
from the answer policy.py's, fetching refresh.py's.
"""

from __future__ import annotations

from truegreen.address import network
from truegreen.errors import ConfigError
from truegreen.guard.spans import compile_lookup

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

DAY = 86_400.0
_MOST_DAYS = 36_500
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

    __slots__ = ("client_header", "date", "holds", "name", "size", "stale_at")

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
        self.holds = compile_lookup(spans[4], spans[16])
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
            try:
                return cls((line for line in lines if line), name=where.stem)
            except RangesError as error:
                raise RangesError(str(where), error.key, error.problem, fix=error.fix) from error
        return cls.from_document(str(where), text)

    @classmethod
    def from_document(cls, file: str, text: str) -> Ranges:
        """The list that JSON ``text`` is; ``file`` names it in errors. Raises RangesError."""
        import json  # only who uses a file pays for it
        from pathlib import Path

        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RangesError(file, "", f"is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise RangesError(file, "", "is not a JSON object")
        for key in document.keys() - _KEYS:
            raise RangesError(file, key, "is not known", fix="one of " + " ".join(sorted(_KEYS)))
        networks = document.get("networks")
        if not isinstance(networks, list) or not all(isinstance(one, str) for one in networks):
            raise RangesError(file, "networks", "is not a list of strings")
        for key in ("edge", "date", "client_header"):
            if not isinstance(told := document.get(key) or "", str) or not told.isprintable():
                raise RangesError(file, key, "is not a string of printable characters")
        days = document.get("max_age_days")
        if days is not None and (type(days) is not int or not 1 <= days <= _MOST_DAYS):
            raise RangesError(file, "max_age_days", "is no number of days", fix="e.g. 90")
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
