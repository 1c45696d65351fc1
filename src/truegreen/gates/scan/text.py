"""Personal data and secrets in one text. Pure: no files, no configuration, no printing.

Every pattern is bounded and cannot match again inside what it has already refused, so the time is
linear in the length of the text whatever stands in it (Python's ``re`` backtracks; a pattern with
two unbounded neighbours would hang on a megabyte of one character).

Not looked for: phone numbers, postal addresses, names, passwords in URLs. Each needs context that
a pattern does not have.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from truegreen.gates.scan import numbers, placeholders
from truegreen.secret import Secret

KINDS = (
    "email",
    "card",
    "ssn",
    "iban",
    "private-key",
    "aws-key",
    "aws-secret",
    "github-token",
    "slack-token",
    "stripe-key",
    "google-key",
    "heroku-key",
    "jwt",
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found. ``value`` is normalised (no separators), and never shows itself;
    ``masked`` is what may be shown. ``line`` and ``column`` count from 1."""

    kind: str
    path: str
    line: int
    column: int
    value: Secret
    masked: str


_Raw = tuple[int, str, str, str]  # offset, kind, normalised value, masked


def scan_text(text: str, path: str) -> tuple[Hit, ...]:
    """Everything found in ``text``, in order; ``path`` is only carried along. Never raises."""
    raw = sorted({*_emails(text), *_cards(text), *_ssns(text), *_ibans(text), *_keys(text)})
    if not raw:
        return ()
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    hits = []
    for offset, kind, value, masked in raw:
        line = bisect.bisect_right(starts, offset)
        column = offset - starts[line - 1] + 1
        hits.append(Hit(kind, path, line, column, Secret(value), masked))
    return tuple(hits)


# --- e-mail: from each @, at most 64 characters back and 253 on (RFC 5321, 4.5.3.1)

_LOCAL_REVERSED = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_{|}~'-]+")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}")
_TOP = re.compile(r"(?:xn--[a-z0-9-]{2,59}|[A-Za-z]{2,24})(?![A-Za-z0-9_@]|-[A-Za-z0-9])")
_USERINFO = re.compile(r"[^\s/\"'<>]{0,64}//:")  # reversed: what stands before user@ in a URL
_TEMPLATE = re.compile(r"[{}$]|\A%")  # "{name}@…", "%s@…": somebody's, but not yet
# "logo@2x.png": not addresses, and none of these is a top-level domain
_FILE = re.compile(
    r"(?:png|jpe?g|gif|svg|webp|css|m?js|tsx?|html|json|ya?ml|toml|txt)\Z", re.IGNORECASE
)


def _emails(text: str) -> Iterator[_Raw]:
    at = text.find("@")
    while at != -1:
        found = _email_at(text, at)
        if found:
            yield found
        at = text.find("@", at + 1)


def _email_at(text: str, at: int) -> _Raw | None:
    domain = _domain_after(text, at + 1)
    if domain is None:
        return None
    back = text[max(0, at - 65) : at][::-1]
    match = _LOCAL_REVERSED.match(back)
    if match is None:
        return None
    local = match[0][::-1]
    if len(local) > 64 or ".." in local or _TEMPLATE.search(local):
        return None
    local = local.lstrip("./'=&?|!#*^~")  # what quotes, paths and queries leave in front of it
    if not local or local.endswith(".") or not any(char.isalnum() for char in local):
        return None
    start = at - len(local)
    if _USERINFO.match(text[max(0, start - 80) : start][::-1]):
        return None
    if placeholders.email(local, domain):
        return None
    top = domain.rpartition(".")[2]
    return start, "email", f"{local}@{domain}".lower(), f"{local[0]}…@….{top.lower()}"


def _domain_after(text: str, start: int) -> str | None:
    """The domain that begins at ``start``: labels, then a top-level domain of letters."""
    match = _DOMAIN.match(text, start, start + 254)
    while match is not None:
        end = match.end()
        top = _TOP.match(text, end, end + 64)
        if top is not None:
            domain = text[start : top.end()]
            return None if _FILE.match(top[0]) or len(domain) > 253 else domain
        # "a.b.c@": the last label may be text after a full stop: try with one label less
        cut = text.rfind(".", start, end - 1)
        match = _DOMAIN.match(text, start, cut + 1) if cut > start else None
    return None


# --- numbers

_BEFORE, _AFTER = r"(?<![0-9A-Za-z_.])", r"(?![0-9A-Za-z_])"
_CARD_RUN = re.compile(_BEFORE + r"[1-6][0-9]{11,18}(?!\.[0-9])" + _AFTER)
_FOURS = r"[1-6][0-9]{3}([ -])[0-9]{4}\2[0-9]{4}\2[0-9]{4}"
_UNEVEN = r"3[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5}"  # American Express 4-6-5, Diners 4-6-4
# Within a lookahead, so that a group that is not part of the card does not swallow its beginning.
_CARD_GROUPS = (
    re.compile(f"{_BEFORE}(?=({_FOURS}){_AFTER})"),
    re.compile(f"{_BEFORE}(?=({_FOURS}\\2[0-9]{{3}}){_AFTER})"),
    re.compile(f"{_BEFORE}(?=({_UNEVEN}){_AFTER})"),
)


def _cards(text: str) -> Iterator[_Raw]:
    candidates = [(match.start(), match[0]) for match in _CARD_RUN.finditer(text)]
    for pattern in _CARD_GROUPS:
        candidates += [(match.start(1), match[1]) for match in pattern.finditer(text)]
    told: set[int] = set()
    for offset, written in candidates:
        digits = written.replace(" ", "").replace("-", "")
        issuer = numbers.card_issuer(digits)
        if issuer and offset not in told and not placeholders.card(digits):
            told.add(offset)
            yield offset, "card", digits, f"{issuer}, {len(digits)} digits"


_SSN = re.compile(r"(?<![0-9A-Za-z_.-])([0-9]{3})-([0-9]{2})-([0-9]{4})(?![0-9A-Za-z_]|-[0-9])")
_SSN_LOOSE = re.compile(
    r"(?<![0-9A-Za-z_.-])([0-9]{3})([ .]?)([0-9]{2})\2([0-9]{4})(?![0-9A-Za-z_]|[.-][0-9])"
)
_SSN_CONTEXT = re.compile(r"\b(?:ssn|social[ -]security)\b", re.IGNORECASE)


def _ssns(text: str) -> Iterator[_Raw]:
    candidates = [(match.start(), match[1], match[2], match[3]) for match in _SSN.finditer(text)]
    if _SSN_CONTEXT.search(text):
        for match in _SSN_LOOSE.finditer(text):
            if _SSN_CONTEXT.search(text, max(0, match.start() - 40), match.start()):
                candidates.append((match.start(), match[1], match[3], match[4]))
    for offset, area, group, serial in candidates:
        digits = area + group + serial
        if numbers.is_ssn(area, group, serial) and not placeholders.ssn(digits):
            yield offset, "ssn", digits, "***-**-****"


_IBAN_START = re.compile(r"(?<![A-Za-z0-9_])(?:[A-Z]{2}|[a-z]{2})[0-9]{2}(?=[ -]?[A-Za-z0-9])")


def _ibans(text: str) -> Iterator[_Raw]:
    for match in _IBAN_START.finditer(text):
        country = match[0][:2].upper()
        length = numbers.iban_length(country)
        if length is None:
            continue
        taken, end = _alphanumerics(text, match.start(), length)
        if end < len(text) and (text[end].isalnum() or text[end] == "_"):
            continue
        if taken != taken.upper() and taken != taken.lower():
            continue
        value = taken.upper()
        if numbers.is_iban(value) and not placeholders.iban(value):
            yield match.start(), "iban", value, f"{country}, {length} characters"


def _alphanumerics(text: str, start: int, count: int) -> tuple[str, int]:
    """The next ``count`` letters and digits, single blanks and hyphens between them left out,
    and where they end; fewer when something else comes first."""
    taken: list[str] = []
    position = start
    while len(taken) < count and position < len(text):
        char = text[position]
        if char.isascii() and char.isalnum():
            taken.append(char)
        elif char not in " -" or text[position - 1] in " -":
            break
        position += 1
    return "".join(taken), position


# --- keys: (kind, what must stand in the text at all, pattern whose group 1 is the key)

_EDGE = r"(?<![A-Za-z0-9])"
_KEY_SHAPES: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, literal, re.compile(pattern))
    for kind, literal, pattern in (
        ("aws-key", "AKIA", _EDGE + r"(AKIA[A-Z2-7]{16})(?![A-Za-z0-9])"),
        ("aws-key", "ASIA", _EDGE + r"(ASIA[A-Z2-7]{16})(?![A-Za-z0-9])"),
        ("github-token", "gh", _EDGE + r"(gh[pousr]_[A-Za-z0-9]{36,255})"),
        ("github-token", "github_pat_", _EDGE + r"(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})"),
        ("slack-token", "xox", _EDGE + r"(xox[abeprs]-[A-Za-z0-9-]{16,250})"),
        ("stripe-key", "_live_", _EDGE + r"([sr]k_live_[A-Za-z0-9]{16,250})"),
        ("google-key", "AIza", _EDGE + r"(AIza[0-9A-Za-z_-]{35})(?![0-9A-Za-z_-])"),
        ("heroku-key", "HRKU-", _EDGE + r"(HRKU-[A-Za-z0-9_-]{36,250})"),
    )
)
_AWS_SECRET = re.compile(
    r"(?i:secret_?(?:access_?)?key)[\"']?[ \t]{0,8}[=:][ \t]{0,8}[\"']?"
    r"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,4096})\.(eyJ[A-Za-z0-9_-]{8,8192})\.([A-Za-z0-9_-]{16,2048})"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=]{40}")


def _keys(text: str) -> Iterator[_Raw]:
    for kind, literal, pattern in _KEY_SHAPES:
        if literal in text:
            for match in pattern.finditer(text):
                if not placeholders.key(match[1]):
                    yield match.start(1), kind, match[1], _masked_key(match[1])
    for match in _AWS_SECRET.finditer(text):
        if not placeholders.key(match[1]):
            yield match.start(1), "aws-secret", match[1], f"{len(match[1])} characters"
    yield from _jwts(text)
    yield from _private_keys(text)


def _jwts(text: str) -> Iterator[_Raw]:
    if "eyJ" not in text:
        return
    for match in _JWT.finditer(text):
        if _is_jose_header(match[1]) and not placeholders.key(match[3]):
            yield match.start(1), "jwt", match[0], f"eyJ…, {len(match[0])} characters"


def _is_jose_header(segment: str) -> bool:
    try:
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and ("alg" in header or "enc" in header)


def _private_keys(text: str) -> Iterator[_Raw]:
    if "PRIVATE KEY" not in text:
        return
    for match in _PRIVATE_KEY.finditer(text):
        # a header alone is a mention of the format; a key has a body, be it escaped in one line
        body = _KEY_BODY.search(text, match.end(), match.end() + 600)
        if body and not placeholders.key(body[0]):
            what = f"{match[1]}private key".strip()
            yield match.start(), "private-key", body[0], what


def _masked_key(value: str) -> str:
    prefix = re.match(r"AKIA|ASIA|AIza|HRKU-|xox.-|gh._|github_pat_|.k_live_", value)
    return f"{prefix[0] if prefix else ''}…, {len(value)} characters"
