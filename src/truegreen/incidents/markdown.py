"""Text of unknown origin inside Markdown: what a log line says must not become markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LONGEST = 400  # characters of one quoted text; the evidence's digest covers the whole


def plain(text: str) -> str:
    """``text`` in one line, at most LONGEST characters, with nothing in it that is markup."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if len(line) > LONGEST:
        line = line[: LONGEST - 1] + "…"
    line = re.sub(r"([\\`*\[\]|~])", r"\\\1", line)
    line = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\A(#+|[+-]|\d+[.)])(?=\s|\Z)", r"\\\1", line)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; cells must be ``plain`` (or our own text) already."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell or "–" for cell in row) + " |" for row in rows]
    return lines
