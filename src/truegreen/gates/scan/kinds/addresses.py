"""IP addresses. Off unless the policy asks for them: in a service's own files most are machines,
in a log all are people. ``public`` leaves out what no person on the internet can have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from truegreen.address import parsed
from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import placeholders
from truegreen.secret import Secret

SHAPE = (
    rb"\b[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\b"
    rb"|\b[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:){2,6}[0-9A-Fa-f]{1,4}\b"
    rb"|\b[0-9A-Fa-f]{1,4}::[0-9A-Fa-f]{1,4}\b"
)
_AFTER = re.compile(rb"[0-9A-Za-z_:]|[.-][0-9]")


def classifier(policy: str) -> Callable[[bytes, int, int], Iterator[Match]]:
    """A classifier for ``policy``: ``public`` or ``all``."""

    def classify(data: bytes, start: int, end: int) -> Iterator[Match]:
        if (start and data[start - 1 : start] in (b".", b"-", b":")) or _AFTER.match(data, end):
            return
        address = parsed(data[start:end].decode("ascii"))
        if address is None:
            return
        if policy == "public" and (not address.is_global or address.is_multicast):
            return
        if not placeholders.address(address):
            shown = f"IPv{address.version}"
            yield Match(start, end, "ip", Secret(str(address)), shown)

    return classify
