"""Dates of birth: a day between 1900 and 2099 behind a word that says whose day it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import placeholders
from truegreen.secret import Secret

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST = re.compile(
    r"([12][0-9]{3})([-/.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12][0-9]|3[01])(?![0-9])"
)
_YEAR_LAST = re.compile(r"([0-3]?[0-9])([-/. ])([0-3]?[0-9])\2([12][0-9]{3})(?![0-9])")
_NAMED = re.compile(
    rf"([0-3]?[0-9])(?:st|nd|rd|th|\.)?[ -]({'|'.join(_MONTHS)})[a-z]*"
    r"\.?[ ,-]{1,2}([12][0-9]{3})",
    re.IGNORECASE,
)


def labelled(data: bytes, start: int) -> Iterator[Match]:
    """The day that begins with the digit at ``start``."""
    text = data[start : start + 32].decode("latin-1")
    found = _read(text)
    if found is None:
        return
    day, length = found
    if 1900 <= day.year < 2100 and not placeholders.birth(day):
        yield Match(start, start + length, "birth-date", Secret(day.isoformat()), "a day")


def _read(text: str) -> tuple[date, int] | None:
    if match := _YEAR_FIRST.match(text):
        return _day(match, match[1], match[3], match[4])
    if match := _NAMED.match(text):
        return _day(match, match[3], str(_MONTHS.index(match[2].lower()) + 1), match[1])
    if match := _YEAR_LAST.match(text):
        first, second = int(match[1]), int(match[3])
        # 04/25/1987 can only be month first; of 04/05/1987 either reading is a day
        month, day = (first, second) if second > 12 else (second, first)
        return _day(match, match[4], str(month), str(day))
    return None


def _day(match: re.Match[str], year: str, month: str, day: str) -> tuple[date, int] | None:
    try:
        return date(int(year), int(month), int(day)), match.end()
    except ValueError:
        return None
