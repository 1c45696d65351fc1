"""Phone numbers. Which digits are one cannot be read from the digits alone, so there are three
ways in: the North American form, an international number written in groups, and any number beside
a word that says what it is. The first two must be valid in the numbering plan (``phonenumbers``,
imported only when there is something to ask); the third only possible, since the word decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import placeholders
from truegreen.secret import Secret

NATIONAL_SHAPE = rb"\b[0-9]{3}[-.][0-9]{3}[-.][0-9]{4}\b|\([0-9]{3}\)[ ]?[0-9]{3}[-.][0-9]{4}\b"
INTERNATIONAL_SHAPE = rb"\+[1-9][0-9]*[ ().-][0-9 ().-]+[0-9]"
# A word that follows the number: "555-1234 office", "-Fax".
FOLLOWED_SHAPE = rb"[0-9][ -]{1,2}(?i:office|fax|mobile|cell|landline)\b"

_LONGEST = 40  # bytes from the first to the last digit, extension included
_BODY = r"[0-9](?:[ \t]?[()./-]{0,2}[ \t]?[0-9]){5,16}"
_EXTENSION = r"(?:[ ]?(?:x|ext\.?[ ]?)[0-9]{1,6})?"
_WRITTEN = re.compile(rf"(?:\+|\(\+?)?{_BODY}{_EXTENSION}(?![0-9A-Za-z_]|[.:,][0-9])")
_TAIL = re.compile(_EXTENSION + r"(?![0-9A-Za-z_]|[.:-][0-9])")
# What is written with digits and separators and is something else.
_OTHER = re.compile(
    r"[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}(?![0-9])"  # a day, year first
    r"|[0-9]{1,2}([-./])[0-9]{1,2}\1[0-9]{4}(?![0-9])"  # a day, year last
    r"|(?:19|20)[0-9]{2} ?- ?(?:19|20)[0-9]{2}\Z"  # a span of years
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z"  # an IP address
    r"|[0-9]+\.[0-9]+\Z"  # a decimal
)


def classify_national(data: bytes, start: int, end: int) -> Iterator[Match]:
    """The North American number from ``start`` to ``end``, if its plan knows its area code."""
    before = data[start - 1 : start]
    if before and (before.isalnum() or before in b"_.-+/=%"):
        return
    tail = _TAIL.match(data[end : end + 12].decode("latin-1"))
    if tail is None:
        return
    digits = _digits(data[start:end].decode("latin-1"))
    if digits[0] in "01" or digits[3] in "01" or placeholders.phone(digits):
        return
    if _is_valid("+1" + digits):
        yield _match(start, end + tail.end(), digits)


def classify_international(data: bytes, start: int, end: int) -> Iterator[Match]:
    """The number in groups behind a +, if some country's plan has it. What follows the number may
    look like more of it, so groups are taken away from the end, three at most."""
    before = data[start - 1 : start]
    if before and (before.isalnum() or before in b"_+/="):
        return
    text = data[start : min(end, start + 26)].decode("latin-1")
    for _ in range(4):
        digits = _digits(text)
        if not 8 <= len(digits) <= 15:
            if len(digits) < 8:
                return
        elif not placeholders.phone(digits) and _is_valid("+" + digits):
            following = data[start + len(text) : start + len(text) + 1]
            if following.isalnum() or following == b"_":
                return
            yield _match(start, start + len(text), digits)
            return
        cut = re.match(r"(.*[0-9])[ ().-]+[0-9]+\Z", text)
        if cut is None:
            return
        text = cut[1]


def classify_followed(data: bytes, start: int, _end: int) -> Iterator[Match]:
    """The number that ends at ``start``, before a word that says that it is one."""
    offset = max(0, start + 1 - _LONGEST)
    text = data[offset : start + 1].decode("latin-1")
    line = max(text.rfind("\n"), text.rfind("\\"), text.rfind(","), text.rfind(";")) + 1
    for match in re.finditer(r"(?<![0-9A-Za-z.:/-])(?:\+|\(\+?)?[0-9]", text[line:]):
        first = line + match.start()
        whole = re.fullmatch(rf"(?:\+|\(\+?)?{_BODY}{_EXTENSION}", text[first:])
        if whole:
            yield from _plausible(offset + first, whole[0], grouped=False)
            return


def labelled(data: bytes, start: int, *, grouped: bool) -> Iterator[Match]:
    """The number whose first digit is at ``start``, behind a word that calls it a phone number.
    ``grouped``: the word is a weak one ("call"), so the number must be written in groups."""
    while start and data[start - 1 : start] in (b"(", b"+"):
        start -= 1
    match = _WRITTEN.match(data[start : start + _LONGEST].decode("latin-1"))
    if match:
        yield from _plausible(start, match[0], grouped=grouped)


def _plausible(start: int, written: str, *, grouped: bool) -> Iterator[Match]:
    digits = _digits(re.sub(r"(?:x|ext).*", "", written))
    bare = written.lstrip("+(").isdigit()
    if _OTHER.match(written) or placeholders.phone(digits):
        return
    if not (6 if not bare else 7) <= len(digits) <= 15 or (bare and grouped):
        return
    yield _match(start, start + len(written), digits)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _match(start: int, end: int, digits: str) -> Match:
    return Match(start, end, "phone", Secret(digits), f"{len(digits)} digits")


def _is_valid(number: str) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return False
