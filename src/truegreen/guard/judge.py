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
    from typing import Protocol, TypeVar

    from truegreen.guard.ranges import Ranges

    _V = TypeVar("_V")
else:
    Protocol = object

KEPT = 4096  # addresses remembered; real traffic has few edges and visitors that come back
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
    admitted = reasons.ADMITTED
    ask_secret = "secret" in checks
    ask_worker = "worker" in checks
    ask_presence = "presence_unsafe" in checks
    ask_more = ask_worker or ask_presence or access is not None
    believes = ask_secret or ranges is not None
    first = accepted[0] if accepted else ""
    second = accepted[1] if len(accepted) > 1 else None
    stale_at = float("inf") if ranges is None or ranges.stale_at is None else ranges.stale_at
    placed: dict[str, str] = {}  # X-Forwarded-For or peer -> "" or the reason against it
    clients: dict[str, str | None] = {}

    def judge(
        secret: str | None,
        address: str | None,
        client: str | None,
        worker: str | None = None,
        token: str | None = None,
        /,
    ) -> Judged:
        if ask_secret:
            try:
                same = compare_digest(secret, first)  # type: ignore[type-var]  # None: TypeError
                if second is not None:  # always both: time must not tell which
                    same |= compare_digest(secret, second)  # type: ignore[type-var]
            except TypeError:  # no header, or characters beyond ASCII on either side
                same = _same_bytes(secret, accepted)
            if not same or not first:
                return refusals[_secret_reason(secret, first)]
        if ranges is not None:
            if clock() >= stale_at:
                return refusals[reasons.RANGES_STALE]
            try:
                against = placed[address]  # type: ignore[index]  # None is never in it
            except KeyError:
                against = _place(address, hops, ranges.contains)
                if address is not None:
                    _keep(placed, address, against)
            if against:
                return refusals[against]
        if ask_more:
            if ask_worker and worker is not None and worker.lower() not in workers:
                return refusals[reasons.WORKER_REFUSED]
            if access is not None and (against := access(token)):
                return refusals[against]
            if ask_presence and not client:
                return refusals[reasons.CONNECTING_IP_MISSING]
        if client_is_peer:
            client = _hop(address, hops) if ranges is not None else None
        if client is None or not believes:
            return (admitted, None)
        try:
            return (admitted, clients[client])
        except KeyError:
            believed = canonical(client)
            _keep(clients, client, believed)
            return (admitted, believed)

    return judge


def _keep(kept: dict[str, _V], key: str, value: _V) -> None:
    if len(key) <= _KEPT_LENGTH:
        if len(kept) >= KEPT:
            kept.clear()
        kept[key] = value


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


def _hop(address: str | None, hops: int) -> str | None:
    """The entry of ``address`` that the profile believes, without blanks; None: there is none."""
    if address is None or not hops:
        return address
    entries = address.rsplit(",", hops)
    if len(entries) < hops:
        return None
    return entries[-hops].strip(" \t")


def _place(address: str | None, hops: int, contains: Callable[[bytes], bool]) -> str:
    """Why ``address`` is not one of the edge's, or ``""``."""
    if not address:
        return reasons.ADDRESS_MISSING
    if "\n" in address:
        return reasons.FORWARDED_DUPLICATED
    believed = _hop(address, hops)
    if believed is None:
        return reasons.FORWARDED_SHORT
    where = packed(believed)
    if where is None:
        return reasons.ADDRESS_MALFORMED
    return "" if contains(where) else reasons.ADDRESS_OUTSIDE
