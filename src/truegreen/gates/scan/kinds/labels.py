"""Numbers that only a word beside them explains: ``phone: …``, ``born on …``, ``BSN …``.

One shape finds a word that is followed by a digit within 24 bytes on the same line; which reader
then looks at the digits is the word's affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import births, cards, national, phones

# Which word -> who reads the number. Short words must stand alone: "sin" is also in "using".
_LEFT, _RIGHT = r"(?:\b|_)", r"(?:\b|_)"
_WORDS: tuple[tuple[str, str], ...] = (
    ("ssn", rf"{_LEFT}ssn{_RIGHT}|social.?security"),
    ("birth", rf"birth[a-z]*|{_LEFT}dob{_RIGHT}|{_LEFT}born|geburtsdatum|geboortedatum|naissance"
              rf"|nacimiento|nascita|nascimento|{_LEFT}geb\."),
    ("phone", rf"phone|telefon[a-z]*|{_LEFT}tel{_RIGHT}|{_LEFT}fax|mobile|{_LEFT}cell{_RIGHT}"
              rf"|whatsapp|msisdn|{_LEFT}sms{_RIGHT}|{_LEFT}handy(?:nummer)?{_RIGHT}"),
    ("weak_phone", rf"{_LEFT}(?:call|reach|answering|dial|contact|hotline|ring)"),
    ("national", rf"{_LEFT}(?:{national.WORDS}){_RIGHT}"),
)  # fmt: skip
_GAP = r"[^0-9\n]{0,24}[0-9]"

SHAPE = ("(?i:" + "|".join(words for _, words in _WORDS) + ")" + _GAP).encode()
# Of two words at one place each gets its say: a "personnummer" is Norway's and Sweden's.
_READERS = tuple((name, re.compile(words.encode(), re.IGNORECASE)) for name, words in _WORDS)
# "phone_id: 12345678" and "tel width 1200000" are not about the number itself
_ABOUT = re.compile(
    rb"(?:id|ids|count|hash|port|version|size|width|height|len|length|error|code|index|line|time"
    rb"|timeout|price|max|min|limit)(?:[^a-z]|\Z)",
    re.IGNORECASE,
)
_FEW_WORDS = re.compile(
    rb"[^A-Za-z]*(?:[A-Za-z]{1,12}[^A-Za-z]+){0,3}\Z"
)  # up to three words between


def classify(data: bytes, start: int, end: int) -> Iterator[Match]:
    """What the word at ``start`` says of the digit at ``end - 1``."""
    digit = end - 1
    for name, words in _READERS:
        word = words.match(data, start, end)
        if word is None:
            continue
        if name == "national":
            yield from national.labelled(data, word[0].strip(b"_"), word.end())
            continue
        gap = data[word.end() : digit]
        if name == "birth":
            yield from births.labelled(data, digit)
        elif name == "ssn":
            yield from cards.labelled_ssn(data, digit)
        elif not _ABOUT.search(gap) and _FEW_WORDS.match(gap):
            yield from phones.labelled(data, digit, grouped=name == "weak_phone")
