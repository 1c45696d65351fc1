"""E-mail addresses: from an @, at most 64 characters back and 253 on (RFC 5321, 4.5.3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import authorship, placeholders
from truegreen.secret import Secret

# The middle of an address. The rest is read in both directions by hand: a bounded repetition in
# front of the @ would blow up RE2's automaton, an unbounded one would swallow what it refuses.
SHAPE = rb"[A-Za-z0-9!#$%&*+/=?^_{|}~'-]@[A-Za-z0-9]"

_LOCAL_REVERSED = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_{|}~'-]+")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}")
_TOP = re.compile(r"(?:xn--[a-z0-9-]{2,59}|[A-Za-z]{2,24})(?![A-Za-z0-9_@]|-[A-Za-z0-9])")
_USERINFO = re.compile(r"[^\s/\"'<>]{0,64}//:")  # reversed: what stands before user@ in a URL
_TEMPLATE = re.compile(r"[{}$]|\A%")  # "{name}@…", "%s@…": somebody's, but not yet
# "logo@2x.png": not addresses, and none of these is a top-level domain
_FILE = re.compile(
    r"(?:png|jpe?g|gif|svg|webp|css|m?js|tsx?|html|json|ya?ml|toml|txt)\Z", re.IGNORECASE
)


def classify(data: bytes, start: int, _end: int) -> Iterator[Match]:
    """The address around the @ at ``start + 1``, unless it is a placeholder or part of a URL."""
    at = start + 1
    offset = max(0, at - 150)
    text = data[offset : at + 256].decode("latin-1")
    middle = at - offset
    domain = _domain_after(text, middle + 1)
    if domain is None:
        return
    match = _LOCAL_REVERSED.match(text[max(0, middle - 65) : middle][::-1])
    if match is None:
        return
    local = match[0][::-1]
    if len(local) > 64 or ".." in local or _TEMPLATE.search(local):
        return
    if text[max(0, middle - len(local) - 1) : middle - len(local)] == "\\":
        local = local[1:]  # of an escape: "\\njo@…"
    local = local.lstrip("./'=&?|!#*^~")  # what quotes, paths and queries leave in front of it
    if not local or local.endswith(".") or not any(char.isalnum() for char in local):
        return
    first = middle - len(local)
    if _USERINFO.match(text[max(0, first - 80) : first][::-1]):
        return
    if placeholders.email(local, domain) or authorship.is_attribution(data, offset + first):
        return
    top = domain.rpartition(".")[2]
    yield Match(
        offset + first,
        at + 1 + len(domain),
        "email",
        Secret(f"{local}@{domain}".lower()),
        f"{local[0]}…@….{top.lower()}",
    )


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
