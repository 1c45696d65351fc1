"""Secrets that only their surroundings give away: a random value assigned to a name that says
``token`` or ``password``, and a password in a URL.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import placeholders
from truegreen.secret import Secret

URL_SHAPE = rb"""://[^\s:@/"'<>]*:[^\s@/"'<>]+@[A-Za-z0-9\[]"""

# Literals (in any case) at which an assignment may begin.
WORDS = (b"secret", b"token", b"passwd", b"password", b"api_key", b"apikey", b"api-key",
         b"access_key", b"auth_key", b"private_key", b"encryption_key", b"signing_key",
         b"credential")  # fmt: skip
PATTERN = (
    rb"(?i:secret|token|passwd|password|api[_-]?key|access_key|auth_key|private_key"
    rb"|encryption_key|signing_key|credential)[A-Za-z0-9_-]{0,24}"
    rb"[\"'\]]{0,2}[ \t]{0,4}(?::=|=>|=|:)[ \t]{0,4}"
    rb"[bru]{0,2}(?P<quote>[\"'`]?)(?P<value>[A-Za-z0-9+/=_~.!@#$%^&*-]{16,200})"
    rb"(?![A-Za-z0-9_(\[])"
)
_ENTROPY = 3.5  # bits a character; 16 random letters and digits have 3.6 on average, words 2.8
_TURN = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")


def looks_random(value: str) -> bool:
    """Whether ``value`` (16 characters or more) was drawn rather than written: letters and digits
    change places often, and no character comes too often."""
    letters = sum(char.isalpha() for char in value)
    figures = sum(char.isdigit() for char in value)
    if letters < 3 or figures < 3:
        return False
    if entropy(value) < min(_ENTROPY, 0.85 * math.log2(len(value))):
        return False
    # names-made-of-words-2024 change from letters to digits once or twice, random text often
    turns = len(_TURN.findall("".join(char for char in value if char.isalnum())))
    return turns >= max(3, len(value) // 10)


def entropy(value: str) -> float:
    """Shannon's, in bits a character."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())


def judge_assignment(match: re.Match[bytes]) -> Match | None:
    """A match of PATTERN as a finding; None when the value looks written, not drawn."""
    value = match["value"].decode("latin-1").rstrip(".,")
    if len(value) < 16 or placeholders.key(value) or not looks_random(value):
        return None
    if not match["quote"] and re.search(r"[.!@#$%^&*]", value):
        return None  # an expression: secret = settings.SECRETS_V1.key2
    start = match.start("value")
    shown = f"{len(value)} characters"
    return Match(start, start + len(value), "secret", Secret(value), shown)


_USERINFO = re.compile(r"://([^:@/]*):([^@/]+)@")
_NOT_ONE = re.compile(
    r"[${}<>%*()\[\]]|\A(?:x+|\.+|pass|passwd|password|pw|pwd|secret|user|token|changeme|test|guest"
    r"|admin|root|postgres|mysql|redis|foo|bar|hunter2|your.*|my.*|some.*)\Z",
    re.IGNORECASE,
)


def classify_url(data: bytes, start: int, end: int) -> Iterator[Match]:
    """The password in the URL at ``start``, unless it is a word or a variable."""
    text = data[start : min(end, start + 300)].decode("latin-1")
    found = _USERINFO.match(text)
    if found is None:
        return
    user, password = found[1], found[2]
    if len(password) < 8 or _NOT_ONE.search(password) or password.lower() == user.lower():
        return
    if not any(char.isdigit() for char in password) or placeholders.key(password):
        return
    host = data[start + found.end() : start + found.end() + 12]
    if host.startswith((b"example.", b"localhost", b"127.0.0.1", b"host")):
        return
    first = start + found.start(2)
    shown = f"{len(password)} characters"
    yield Match(first, first + len(password), "url-password", Secret(password), shown)
