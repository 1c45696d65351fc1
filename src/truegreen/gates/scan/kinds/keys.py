"""Secrets that begin with a known literal: how a rule of the vendors' file judges what it finds,
and the rules that are more than a pattern (JSON web tokens, private keys, AWS secrets).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import assignments, placeholders
from truegreen.secret import Secret

Judge = Callable[["re.Match[bytes]"], "Match | None"]


@dataclass(frozen=True)
class Anchored:
    """A rule that is tried wherever one of its ``anchors`` stands, from there on.

    ``caseless`` (ASCII) holds for the anchors alone. ``pattern`` is Python's, and is matched at
    the anchor: look-ahead is fine, the engines never see it. ``loose``: a letter or digit may
    stand before the anchor.
    """

    kind: str
    anchors: tuple[bytes, ...]
    pattern: bytes
    judge: Judge
    caseless: bool = False
    loose: bool = False

    @cached_property
    def compiled(self) -> re.Pattern[bytes]:
        return re.compile(self.pattern)

    def match(self, data: bytes, start: int) -> Match | None:
        """What the anchor at ``start`` is the beginning of; None when it is not this rule's."""
        if not self.loose and start and data[start - 1 : start].isalnum():
            return None
        found = self.compiled.match(data, start)
        return None if found is None else self.judge(found)


def vendor_judge(kind: str, prefix: int, entropy: float) -> Judge:
    """A judge that shows the first ``prefix`` characters and wants ``entropy`` bits a character.
    The value is the group ``value`` where the pattern has one."""

    def judge(match: re.Match[bytes]) -> Match | None:
        group: str | int = "value" if "value" in match.re.groupindex else 0
        value = match[group].decode("latin-1")
        if placeholders.key(value) or assignments.entropy(value) < entropy:
            return None
        shown = f"{value[:prefix]}…, {len(value)} characters"
        start, end = match.span(group)
        return Match(start, end, kind, Secret(value), shown)

    return judge


def _judge_jwt(match: re.Match[bytes]) -> Match | None:
    header, signature = match[1].decode("ascii"), match[2].decode("ascii")
    if not _is_jose_header(header) or placeholders.key(signature):
        return None
    value = match[0].decode("ascii")
    return Match(*match.span(), "jwt", Secret(value), f"eyJ…, {len(value)} characters")


def _is_jose_header(segment: str) -> bool:
    try:
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and ("alg" in header or "enc" in header)


_KEY_BODY = re.compile(rb"[A-Za-z0-9+/=]{40}")


def _judge_private_key(match: re.Match[bytes]) -> Match | None:
    # a header alone is a mention of the format; a key has a body, be it escaped in one line
    body = _KEY_BODY.search(match.string, match.end(), match.end() + 600)
    if body is None or placeholders.key(body[0].decode("ascii")):
        return None
    what = f"{match[1].decode('ascii')}private key".strip()
    return Match(*match.span(), "private-key", Secret(body[0].decode("ascii")), what)


BUILT_IN: tuple[Anchored, ...] = (
    Anchored(
        "jwt",
        (b"eyJ",),
        rb"(eyJ[A-Za-z0-9_-]{8,4096})\.eyJ[A-Za-z0-9_-]{8,8192}\.([A-Za-z0-9_-]{16,2048})",
        _judge_jwt,
    ),
    Anchored(
        "private-key",
        (b"-----BEGIN",),
        rb"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)?-----",
        _judge_private_key,
        loose=True,
    ),
    Anchored(
        "secret",
        assignments.WORDS,
        assignments.PATTERN,
        assignments.judge_assignment,
        caseless=True,
        loose=True,
    ),
)
