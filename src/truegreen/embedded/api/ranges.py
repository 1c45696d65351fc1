"""Heroku's lists in pieces: ``Range: version ..; max=10, order=desc`` → 206 and ``Next-Range``.

Pure. (devcenter: "Platform API Reference", Ranges.) Two orders are known, a number and an id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
DEFAULT_MAX = 200
HARD_MAX = 1000
_RANGE = re.compile(r"(\w+)\s+(\]?)([^\s.;]*)\.\.(\[?)([^\s.;]*?)(\[?)\s*(?:;(.*))?")


class BadRange(ValueError):
    """The Range header is none that lists know."""


@dataclass(frozen=True)
class ListRange:
    """``after``/``start``: where to begin, exclusive or inclusive ('' is the beginning)."""

    field: str
    start: str
    exclusive: bool
    end: str
    max: int
    descending: bool

    @classmethod
    def parse(cls, text: str, fields: Sequence[str]) -> ListRange:
        """``fields``: what may be ordered by; the first is meant when there is no header."""
        if not text.strip():
            return cls(fields[0], "", False, "", DEFAULT_MAX, False)
        match = _RANGE.fullmatch(text.strip())
        if match is None or match[1] not in fields:
            raise BadRange(f"{text!r}: write e.g. `{fields[0]} ..; max=10, order=desc`")
        options = {
            part.strip().partition("=")[0]: part.strip().partition("=")[2]
            for part in re.split(r"[,;]", match[7] or "")
        }
        size = options.get("max", str(DEFAULT_MAX))
        if not size.isascii() or not size.isdigit() or not 0 < int(size) <= HARD_MAX:
            raise BadRange(f"max={size}: 1 to {HARD_MAX}")
        return cls(
            match[1], match[3], bool(match[2]), match[5], int(size), options.get("order") == "desc"
        )

    def cut(
        self, items: Sequence[T], key: Callable[[T], str | int]
    ) -> tuple[list[T], dict[str, str], bool]:
        """The piece, its headers, and whether more follows. Raises BadRange for a bound that is
        not of the field's kind."""
        ordered = sorted(items, key=key, reverse=self.descending)
        kind = type(key(ordered[0])) if ordered else str
        try:
            start = kind(self.start) if self.start else None
            end = kind(self.end) if self.end else None
        except ValueError as error:
            raise BadRange(str(error)) from None

        def before(a: str | int, b: str | int) -> bool:
            return a > b if self.descending else a < b  # type: ignore[operator]

        if start is not None:
            ordered = [
                item
                for item in ordered
                if not before(key(item), start) and not (self.exclusive and key(item) == start)
            ]
        if end is not None:
            ordered = [item for item in ordered if not before(end, key(item))]
        piece, more = ordered[: self.max], len(ordered) > self.max
        headers = {"Accept-Ranges": self.field}
        if piece:
            headers["Content-Range"] = f"{self.field} {key(piece[0])}..{key(piece[-1])}"
        if more:
            order = ", order=desc" if self.descending else ""
            headers["Next-Range"] = f"{self.field} ]{key(piece[-1])}..; max={self.max}{order}"
        return piece, headers, more
