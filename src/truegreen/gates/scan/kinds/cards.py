"""Payment cards, US social security numbers and IBANs: found by form, kept by arithmetic.

The arithmetic itself is in ``numbers``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import numbers, placeholders
from truegreen.secret import Secret

CARD_SHAPE = (
    rb"\b(?:[2-6][0-9]{11,18}|1800[0-9]{11})\b"
    rb"|\b[2-6][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}\b"
    rb"|\b3[0-9]{3}[ -][0-9]{6}[ -][0-9]{4,5}\b"
)
SSN_SHAPE = rb"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"
IBAN_SHAPE = (
    rb"\b(?i:" + "|".join(numbers.IBAN_COUNTRIES).encode() + rb")[0-9]{2}[ -]?"
    rb"[0-9A-Za-z]{4}[ -]?[0-9A-Za-z]{3}"
)

_BEFORE = re.compile(rb"[0-9A-Za-z_.]\Z")
_AFTER = r"(?![0-9A-Za-z_])"
_CARD_FORMS = tuple(
    re.compile(form + _AFTER)
    for form in (
        r"[1-6][0-9]{11,18}(?!\.[0-9])",
        r"[1-6][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}\1[0-9]{3}",
        r"[1-6][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}",
        r"3[0-9]{3}([ -])[0-9]{6}\1[0-9]{4,5}",
    )
)


def classify_card(data: bytes, start: int, _end: int) -> Iterator[Match]:
    """The card number at ``start``, if a network issues such numbers and its Luhn digit is
    right."""
    if start and _BEFORE.match(data, start - 1, start):
        return
    text = data[start : start + 28].decode("latin-1")
    for form in _CARD_FORMS:
        match = form.match(text)
        if match is None:
            continue
        digits = match[0].replace(" ", "").replace("-", "")
        issuer = numbers.card_issuer(digits)
        if issuer and not placeholders.card(digits):
            shown = f"{issuer}, {len(digits)} digits"
            yield Match(start, start + match.end(), "card", Secret(digits), shown)
            return


_SSN = re.compile(r"([0-9]{3})-([0-9]{2})-([0-9]{4})(?![0-9A-Za-z_]|-[0-9])")
_SSN_LOOSE = re.compile(r"([0-9]{3})([ .-]?)([0-9]{2})\2([0-9]{4})(?![0-9A-Za-z_]|[.-][0-9])")


def classify_ssn(data: bytes, start: int, _end: int) -> Iterator[Match]:
    """The hyphenated number at ``start``, if the SSA can have given it out."""
    if start and data[start - 1 : start] in (b".", b"-", b"_"):
        return
    match = _SSN.match(data[start : start + 13].decode("latin-1"))
    if match:
        yield from _ssn(start, start + 11, match[1], match[2], match[3])


def labelled_ssn(data: bytes, start: int) -> Iterator[Match]:
    """The number at ``start``, which a word calls an SSN: with any separator or none."""
    match = _SSN_LOOSE.match(data[start : start + 13].decode("latin-1"))
    if match:
        yield from _ssn(start, start + match.end(), match[1], match[3], match[4])


def _ssn(start: int, end: int, area: str, group: str, serial: str) -> Iterator[Match]:
    digits = area + group + serial
    if numbers.is_ssn(area, group, serial) and not placeholders.ssn(digits):
        yield Match(start, end, "ssn", Secret(digits), "***-**-****")


def classify_iban(data: bytes, start: int, _end: int) -> Iterator[Match]:
    """The IBAN at ``start``, in capitals or not, in groups or not, with mod 97 equal to 1."""
    text = data[start : start + 80].decode("latin-1")
    country = text[:2].upper()
    length = numbers.iban_length(country)
    if length is None:
        return
    taken, stop = _alphanumerics(text, length)
    following = text[stop : stop + 1]
    if following == "_" or (following.isascii() and following.isalnum()):
        return
    if taken != taken.upper() and taken != taken.lower():
        return
    value = taken.upper()
    if numbers.is_iban(value) and not placeholders.iban(value):
        shown = f"{country}, {length} characters"
        yield Match(start, start + stop, "iban", Secret(value), shown)


def _alphanumerics(text: str, count: int) -> tuple[str, int]:
    """The first ``count`` letters and digits, single blanks and hyphens between them left out,
    and where they end; fewer when something else comes first."""
    taken: list[str] = []
    position = 0
    while len(taken) < count and position < len(text):
        char = text[position]
        if char.isascii() and char.isalnum():
            taken.append(char)
        elif char not in " -" or text[position - 1] in " -":
            break
        position += 1
    return "".join(taken), position
