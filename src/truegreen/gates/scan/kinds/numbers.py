"""Is this number really a payment card, a US social security number, an IBAN? Pure.

Only arithmetic and published formats; where a candidate stands in a text is ``cards``' business.
Sources: ISO/IEC 7812 and the networks' published ranges; SSA's rules of 2011; the SWIFT IBAN
registry (release 99).
"""

from __future__ import annotations

import re
from functools import cache

# (issuer, first digits from, to, lengths)
_ISSUERS: tuple[tuple[str, str, str, frozenset[int]], ...] = (
    ("visa", "4", "4", frozenset({13, 16, 19})),
    ("mastercard", "51", "55", frozenset({16})),
    ("mastercard", "2221", "2720", frozenset({16})),
    ("amex", "34", "34", frozenset({15})),
    ("amex", "37", "37", frozenset({15})),
    ("discover", "6011", "6011", frozenset({16, 17, 18, 19})),
    ("discover", "644", "659", frozenset({16, 17, 18, 19})),
    ("diners", "300", "305", frozenset({14})),
    ("diners", "3095", "3095", frozenset({14})),
    ("diners", "36", "36", frozenset({14})),
    ("diners", "38", "39", frozenset({14})),
    ("jcb", "3528", "3589", frozenset({16, 17, 18, 19})),
    ("jcb", "1800", "1800", frozenset({15})),
    ("jcb", "2131", "2131", frozenset({15})),
    ("unionpay", "62", "62", frozenset({16, 17, 18, 19})),
    ("maestro", "5018", "5018", frozenset(range(12, 20))),
    ("maestro", "5020", "5020", frozenset(range(12, 20))),
    ("maestro", "5038", "5038", frozenset(range(12, 20))),
    ("maestro", "5893", "5893", frozenset(range(12, 20))),
    ("maestro", "6304", "6304", frozenset(range(12, 20))),
    ("maestro", "6759", "6763", frozenset(range(12, 20))),
)


def luhn(digits: str) -> bool:
    """Whether the last of ``digits`` (0–9 only) is their Luhn check digit."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        if index % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def card_issuer(digits: str) -> str | None:
    """The network whose cards look like this: its prefix, its length, Luhn; None when none do."""
    if len(set(digits)) < 3:
        return None
    for issuer, first, last, lengths in _ISSUERS:
        if len(digits) in lengths and first <= digits[: len(first)] <= last:
            return issuer if luhn(digits) else None
    return None


def is_ssn(area: str, group: str, serial: str) -> bool:
    """Whether the SSA can have given out this number: no 000, 666 or 9xx, no zero group."""
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


# country -> the structure of what follows the two check digits: n digits, a letters, c either
_BBAN = {
    "AD": "8n12c", "AE": "19n", "AL": "8n16c", "AT": "16n", "AZ": "4a20c", "BA": "16n",
    "BE": "12n", "BG": "4a6n8c", "BH": "4a14c", "BI": "23n", "BR": "23n1a1c", "BY": "4c4n16c",
    "CH": "5n12c", "CR": "18n", "CY": "8n16c", "CZ": "20n", "DE": "18n", "DJ": "23n",
    "DK": "14n", "DO": "4c20n", "EE": "16n", "EG": "25n", "ES": "20n", "FI": "14n",
    "FK": "2a12n", "FO": "14n", "FR": "10n11c2n", "GB": "4a14n", "GE": "2a16n", "GI": "4a15c",
    "GL": "14n", "GR": "7n16c", "GT": "4c20c", "HN": "4a20n", "HR": "17n", "HU": "24n",
    "IE": "4a14n", "IL": "19n", "IQ": "4a15n", "IS": "22n", "IT": "1a10n12c", "JO": "4a4n18c",
    "KW": "4a22c", "KZ": "3n13c", "LB": "4n20c", "LC": "4a24c", "LI": "5n12c", "LT": "16n",
    "LU": "3n13c", "LV": "4a13c", "LY": "21n", "MC": "10n11c2n", "MD": "2c18c", "ME": "18n",
    "MK": "3n10c2n", "MN": "16n", "MR": "23n", "MT": "4a5n18c", "MU": "4a19n3a", "NI": "4a20n",
    "NL": "4a10n", "NO": "11n", "OM": "3n16c", "PK": "4a16c", "PL": "24n", "PS": "4a21c",
    "PT": "21n", "QA": "4a21c", "RO": "4a16c", "RS": "18n", "RU": "14n15c", "SA": "2n18c",
    "SC": "4a20n3a", "SD": "14n", "SE": "20n", "SI": "15n", "SK": "20n", "SM": "1a10n12c",
    "SO": "19n", "ST": "21n", "SV": "4a20n", "TL": "19n", "TN": "20n", "TR": "6n16c",
    "UA": "6n19c", "VA": "18n", "VG": "4a16n", "XK": "16n", "YE": "4a4n18c",
}  # fmt: skip
_CLASSES = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}


def _compiled(structure: str) -> tuple[int, re.Pattern[str]]:
    parts = re.findall(r"(\d+)([nac])", structure)
    pattern = "".join(f"{_CLASSES[kind]}{{{count}}}" for count, kind in parts)
    return 4 + sum(int(count) for count, _ in parts), re.compile(pattern + r"\Z")


IBAN_COUNTRIES = tuple(_BBAN)


@cache
def _iban(country: str) -> tuple[int, re.Pattern[str]] | None:
    structure = _BBAN.get(country)
    return _compiled(structure) if structure else None


def iban_length(country: str) -> int | None:
    """How many characters an IBAN of ``country`` (two capitals) has; None: it has no IBANs."""
    known = _iban(country)
    return known[0] if known else None


def is_iban(text: str) -> bool:
    """Whether ``text`` (capitals and digits, no blanks) has its country's form and mod 97 is 1."""
    known = _iban(text[:2])
    if known is None or len(text) != known[0] or not known[1].match(text, 4):
        return False
    rearranged = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in rearranged)) % 97 == 1
