"""What the adapters need to say yes quickly to what nearly every request is.

A dyno asks for each request, so wsgi.py and asgi.py write the common case out in one expression of
these parts, with the secret first. Nothing is remembered of visitors, so a new one costs what a
returning one does; of the edge, which has few addresses, those that were found in the list. What is
not admitted that way (unusual spellings, secrets beyond ASCII in WSGI, further checks) goes to
judge.py, and only it names reasons. The short way must never admit what judge.py does not:
tests/guard/test_admission.py compares them through both adapters.
"""

from __future__ import annotations

from truegreen.guard.judge import hop
from truegreen.secret import SecretText

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from truegreen.guard.judge import Rules

KEPT = 4096  # the edge's addresses that are remembered, about 0.5 MB; then no more


class Admission:
    """The parts for one adapter of one policy; ``raw``: header values come as bytes, as in ASGI.

    ``usable``: False for rules that the short way does not know: without the secret, or with checks
    besides the ranges. ``first``, ``second``: the secrets, to compare with ``rules.same``; the
    second is None while there is one, else both are always compared: time must not tell which.
    ``anywhere``: no address is asked for. ``stale_at``: from when on the list may not be believed.
    ``known``: last entries that ``in_place`` has found in the list, with the blank that the router
    writes before them; empty unless exactly one proxy stands before us.
    """

    __slots__ = ("anywhere", "first", "in_place", "known", "second", "stale_at", "usable")

    def __init__(self, rules: Rules, *, raw: bool) -> None:
        self.usable = (
            rules.mode != "off"
            and bool(rules.accepted)
            and "secret" in rules.checks
            and rules.checks <= {"secret", "ranges"}
        )
        secrets: list[Any] = [
            one if raw else SecretText(one.decode("latin-1")) for one in rules.accepted
        ]
        self.first = secrets[0] if secrets else None
        self.second = secrets[1] if len(secrets) > 1 else None
        self.anywhere = rules.ranges is None
        stale_at = None if rules.ranges is None else rules.ranges.stale_at
        self.stale_at = float("inf") if stale_at is None else stale_at
        self.known: set[Any] = set()
        self.in_place = _compile(rules, self.known, raw=raw)


def _compile(rules: Rules, known: set[Any], *, raw: bool) -> Callable[[Any], bool]:
    """Whether X-Forwarded-For, or the peer, names one of the edge's addresses; remembers it."""
    hops, ranges = rules.hops, rules.ranges
    if ranges is None:
        return lambda _address: False
    holds = ranges.holds
    comma: Any = b"," if raw else ","
    blanks: Any = b" \t" if raw else " \t"

    def last(address: Any) -> bool:
        reached = address.rpartition(comma)[2]
        bare = reached.strip(blanks)
        if not holds(bare.decode("latin-1") if raw else bare):
            return False
        if len(known) < KEPT:
            known.add(reached)
        return True

    def any_place(address: Any) -> bool:
        believed = hop(address.decode("latin-1") if raw else address, hops)
        return believed is not None and holds(believed)

    return last if hops == 1 else any_place
