"""The decision itself: which check does not hold for a request, as a pure function of raw facts.

This is the reference: it is written to be read, knows every check and names every reason. It takes
raw text that anybody may have sent, and nothing here raises for it. admission.py answers the common
case faster and must never say yes where this says no. Settings are checked in policy.py.
"""

from __future__ import annotations

from truegreen.address import packed
from truegreen.frozen import Frozen
from truegreen.guard import reasons

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from truegreen.guard.ranges import Ranges


class Rules(Frozen):
    """What a policy asks of a request; see GuardPolicy for the words.

    ``accepted``: the secrets as they are sent, in latin-1; none to two. ``hops``: the profile's; 0:
    the peer is believed. ``access``: why a token does not do, or ``""``. ``same``: compares two
    secrets in constant time (``hmac.compare_digest``, not imported here because it loads OpenSSL).
    """

    __slots__ = ("accepted", "access", "checks", "clock", "hops", "mode", "ranges", "same",
                 "workers")  # fmt: skip

    accepted: tuple[bytes, ...]
    access: Callable[[str | None], str] | None
    checks: frozenset[str]
    clock: Callable[[], float]
    hops: int
    mode: str
    ranges: Ranges | None
    same: Callable[[Any, Any], bool]
    workers: frozenset[str]

    def __init__(
        self,
        accepted: tuple[bytes, ...],
        access: Callable[[str | None], str] | None,
        checks: frozenset[str],
        clock: Callable[[], float],
        hops: int,
        mode: str,
        ranges: Ranges | None,
        same: Callable[[Any, Any], bool],
        workers: frozenset[str],
    ) -> None:
        self._fill(accepted, access, checks, clock, hops, mode, ranges, same, workers)

    def __repr__(self) -> str:
        return f"Rules({self.mode}, {sorted(self.checks)}, secrets={len(self.accepted)})"


def judge(
    rules: Rules,
    secret: str | None,
    address: str | None,
    client: str | None,
    worker: str | None = None,
    token: str | None = None,
) -> str:
    """``reasons.ADMITTED``, or why not: the first check that does not hold. ``OFF`` in mode off.

    Facts are latin-1 text as sent, or None when it was not. ``secret``: the secret's header.
    ``address``: X-Forwarded-For or the peer, as the profile says. ``client``: the edge's header
    with its visitor's address. ``worker``: CF-Worker. ``token``: Cf-Access-Jwt-Assertion. Header
    lines known to be several are joined by a line feed.
    """
    if rules.mode == "off":
        return reasons.OFF
    if "secret" in rules.checks and (against := _secret(rules, secret)):
        return against
    if rules.ranges is not None:
        if rules.ranges.stale(rules.clock()):
            return reasons.RANGES_STALE
        if against := _place(rules, address):
            return against
    if "worker" in rules.checks and worker is not None and worker.lower() not in rules.workers:
        return reasons.WORKER_REFUSED
    if rules.access is not None and (against := rules.access(token)):
        return against
    if "presence_unsafe" in rules.checks and not client:
        return reasons.CONNECTING_IP_MISSING
    return reasons.ADMITTED


def _secret(rules: Rules, secret: str | None) -> str:
    """Why ``secret`` does not do, or ``""``."""
    if not rules.accepted:
        return reasons.SECRET_UNSET
    if secret and _among(rules, secret):
        return ""
    return unlike(secret)


def unlike(secret: str | None) -> str:
    """Why a request with ``secret``, which is none of the accepted, is refused."""
    if not secret:
        return reasons.SECRET_MISSING
    if "," in secret or "\n" in secret:  # no secret holds one, so these are two lines joined
        return reasons.SECRET_DUPLICATED
    return reasons.SECRET_MISMATCH


def _among(rules: Rules, secret: str) -> bool:
    """Whether ``secret`` is one of the accepted, compared as the bytes that were sent."""
    try:
        received = secret.encode("latin-1")
    except UnicodeEncodeError:  # no server sends that
        return False
    found = False
    for one in rules.accepted:  # always all of them: time must not tell which
        found |= rules.same(received, one)
    return found


def _place(rules: Rules, address: str | None) -> str:
    """Why ``address`` does not name one of the edge's, or ``""``."""
    if not address:
        return reasons.ADDRESS_MISSING
    if "\n" in address:
        return reasons.FORWARDED_DUPLICATED
    believed = hop(address, rules.hops)
    if believed is None:
        return reasons.FORWARDED_SHORT
    if packed(believed) is None:
        return reasons.ADDRESS_MALFORMED
    if rules.ranges is None or not rules.ranges.holds(believed):
        return reasons.ADDRESS_OUTSIDE
    return ""


def hop(address: str | None, hops: int) -> str | None:
    """The entry of ``address`` that the profile believes, without blanks; None: there is none."""
    if address is None or not hops:
        return address
    entries = address.rsplit(",", hops)
    return entries[-hops].strip(" \t") if len(entries) >= hops else None
