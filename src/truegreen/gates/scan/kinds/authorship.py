"""Is an e-mail address here because its owner signed a piece of work? Those are published on
purpose, in most files of most open source, and nobody could ship a line with them in the way.

By signs, never by address: a word of authorship on the same line before it (``Author:``,
``Copyright``, ``written by``, ``Signed-off-by:``), ``by`` and a capitalised name right before it,
or, within one block comment or one ``__author__`` list, such a word up to four lines above.
"""

from __future__ import annotations

import re

_SAME_LINE = re.compile(
    rb"__author|[@.:]?\b(?:module|section|code)?authors?\b[\"' _]{0,3}[:=]|\bauthors? is\b"
    rb"|copyright|\(c\)|\xc2\xa9"
    rb"|\b(?:written|contributed|maintained|cloned|adapted|implemented|based on .{0,60}|support"
    rb"|added|patch|provided|tweaks) by\b|\bmaintainers?\b[^\n]{0,40}:"
    rb"|\bthanks to\b|\bcredits?\b|\bcontact:|\bcourtesy of\b|public domain"
    rb"|\b(?:signed-off|co-authored|reviewed|reported|suggested|tested|acked|updated)-?(?:by)?:",
    re.IGNORECASE,
)
# "by Greg Ward <", "by Timothy O'Malley <", "by Peter Astrand <"
_BY_NAME = re.compile(rb"\b[Bb]y (?:[A-Z\xc0-\xff][\w.'\x80-\xff-]*[ ,]+){1,4}[<(;]?(?:mailto:)?\Z")
_COMMENT = re.compile(rb"[ \t]*(?:#|//|/?\*|--|;|%|\.\.|REM\b)")
_ABOVE = 4  # lines
_FAR = 500  # bytes


def is_attribution(data: bytes, start: int) -> bool:
    """Whether the address at ``start`` stands there as a signature."""
    opened = data.rfind(b"\n", max(0, start - _FAR), start) + 1
    if not opened:
        opened = max(0, start - _FAR)
    before = data[opened:start]
    if _SAME_LINE.search(before) or _BY_NAME.search(before):
        return True
    above = data[max(0, opened - _FAR) : opened].split(b"\n")[:-1][-_ABOVE:]
    if _COMMENT.match(data[opened : opened + 40]):
        for line in reversed(above):
            if not _COMMENT.match(line):
                return False
            if _SAME_LINE.search(line):
                return True
        return False
    # the other lines of __author__ = ("…", or authors = [
    opening = re.compile(rb"(?:__author__|\bauthors)\s*=\s*[(\[][^)\]]*\Z")
    return any(opening.search(b"\n".join(above[n:])) for n in range(len(above)))
