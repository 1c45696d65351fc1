"""The checks themselves, compiled once into the function that every request goes through.

This is the hot path: one call, closures instead of attributes, the common case first, reasons
worked out only for what did not pass. Every function here takes raw text that anybody may have
sent, and none of them raises. Settings are checked in policy.py, before they get here.
"""

from __future__ import annotations

from truegreen.guard import reasons
from truegreen.guard.address import canonical, packed

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from truegreen.guard.ranges import Ranges
else:
    Protocol = object

KEPT = 4096  # visitors remembered, with the edge that they came by
_KEPT_LENGTH = 160  # longer X-Forwarded-For lines are not remembered: bounds memory at about 2 MB

Judged = tuple[str, str | None]


class Judge(Protocol):
    """``(reason, client)`` for raw facts, each latin-1 text as sent, or None when it was not.

    ``secret``: the secret's header. ``address``: X-Forwarded-For or the peer, as the profile says.
    ``client``: the edge's header with its visitor's address. ``worker``: CF-Worker. ``token``:
    Cf-Access-Jwt-Assertion. Header lines known to be several are joined by a line feed.
    ``client`` of the answer: the visitor's address in its one spelling, when it can be believed.
    """

    def __call__(
        self,
        secret: str | None,
        address: str | None,
        client: str | None,
        worker: str | None = None,
        token: str | None = None,
        /,
    ) -> Judged: ...


def compile_judge(
    *,
    mode: str,
    checks: frozenset[str],
    accepted: tuple[str, ...],
    ranges: Ranges | None,
    hops: int,
    workers: frozenset[str],
    access: Callable[[str | None], str] | None,
    clock: Callable[[], float],
    client_is_peer: bool,
) -> Judge:
    """The judge of one policy. ``accepted``: the secrets; see GuardPolicy for the others."""
    if mode == "off":
        off: Judged = (reasons.OFF, None)
        return lambda *_facts: off

    from hmac import compare_digest  # here, not above: it loads OpenSSL

    refusals: dict[str, Judged] = {one: (one, None) for one in reasons.REASONS}
    admitted: Judged = (reasons.ADMITTED, None)
    ask_secret = "secret" in checks
    ask_worker = "worker" in checks
    ask_presence = "presence_unsafe" in checks
    ask_more = ask_worker or ask_presence or access is not None
    ask_address = ranges is not None
    believes = ask_secret or ask_address
    first = accepted[0] if accepted else ""
    second = accepted[1] if len(accepted) > 1 else None
    stale_at = float("inf") if ranges is None or ranges.stale_at is None else ranges.stale_at
    holds: Callable[[str], bool] = ranges.holds if ranges else lambda _text: False
    one_hop = hops == 1
    edges: set[str | None] = set()  # never None: that is only asked for
    kept: dict[str | None, Judged] = {}
    remembered = kept.get

    def resolve(address: str | None, client: str | None) -> Judged:
        """What is not remembered: is ``address`` the edge's, and which client does it name."""
        named = client
        if ask_address:
            # The usual form first: one proxy, and an edge's address that was seen before.
            reached = address.rpartition(", ")[2] if one_hop and address else None
            if reached not in edges or "\n" in address:  # type: ignore[operator]
                reached = hop(address, hops)
                if not reached or "\n" in address or not holds(reached):  # type: ignore[operator]
                    return refusals[_place(address, hops)]
                if len(edges) >= KEPT:
                    edges.clear()
                edges.add(reached)  # an edge has few addresses; what it holds was in the list
            if client_is_peer:
                named = reached
        if named is None:
            return admitted
        judged = (reasons.ADMITTED, canonical(named))
        key = address if ask_address else client
        if key is not None and len(key) <= _KEPT_LENGTH:
            if len(kept) >= KEPT:
                kept.clear()
            kept[key] = judged
        return judged

    def judge(
        secret: str | None,
        address: str | None,
        client: str | None,
        worker: str | None = None,
        token: str | None = None,
        /,
    ) -> Judged:
        if ask_secret:
            if secret is None:
                return refusals[_secret_reason(secret, first)]
            try:
                same = compare_digest(secret, first)
                if second is not None:  # always both: time must not tell which
                    same |= compare_digest(secret, second)
            except TypeError:  # characters beyond ASCII, on either side
                same = _same_bytes(secret, accepted)
            if not same or not first:
                return refusals[_secret_reason(secret, first)]
        if believes:
            if ask_address and clock() >= stale_at:
                return refusals[reasons.RANGES_STALE]
            known = remembered(address if ask_address else client)
            if known is not None and (known[1] == client or client_is_peer):
                judged = known
            else:
                judged = resolve(address, client)
        else:
            judged = admitted
        if ask_more and judged[0] is reasons.ADMITTED:
            if ask_worker and worker is not None and worker.lower() not in workers:
                return refusals[reasons.WORKER_REFUSED]
            if access is not None and (against := access(token)):
                return refusals[against]
            if ask_presence and not client:
                return refusals[reasons.CONNECTING_IP_MISSING]
        return judged

    return judge


def _same_bytes(secret: str | None, accepted: tuple[str, ...]) -> bool:
    """The comparison for secrets beyond ASCII, in bytes: compare_digest takes no such text."""
    from hmac import compare_digest

    if secret is None:
        return False
    try:
        received = secret.encode("latin-1")
    except UnicodeEncodeError:
        return False
    same = False
    for one in accepted:
        same |= compare_digest(received, one.encode("latin-1"))
    return same


def _secret_reason(secret: str | None, first: str) -> str:
    if not first:
        return reasons.SECRET_UNSET
    if not secret:
        return reasons.SECRET_MISSING
    if "," in secret or "\n" in secret:  # no secret holds one, so these are two lines joined
        return reasons.SECRET_DUPLICATED
    return reasons.SECRET_MISMATCH


def hop(address: str | None, hops: int) -> str | None:
    """The entry of ``address`` that the profile believes, without blanks; None: there is none."""
    if address is None or not hops:
        return address
    entries = address.rsplit(",", hops)
    return entries[-hops].strip(" \t") if len(entries) >= hops else None


def _place(address: str | None, hops: int) -> str:
    """Why ``address`` does not name one of the edge's. Only for what was already refused."""
    if not address:
        return reasons.ADDRESS_MISSING
    if "\n" in address:
        return reasons.FORWARDED_DUPLICATED
    believed = hop(address, hops)
    if believed is None:
        return reasons.FORWARDED_SHORT
    return reasons.ADDRESS_MALFORMED if packed(believed) is None else reasons.ADDRESS_OUTSIDE
