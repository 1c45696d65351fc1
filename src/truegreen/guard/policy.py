"""Whether a request came through the front door: a pure decision on a few facts of it.

The check that holds is a secret header that the edge *sets* (a Cloudflare Transform Rule overwrites
what the client sent). Behind Heroku's router the peer's address is always the router's, and every
``CF-…`` or ``X-Forwarded-For`` value can be forged or comes from an attacker's own Cloudflare zone;
see docs/guard.md for the table. Further checks are joined by *and*. No framework, no I/O.
"""

from __future__ import annotations

import time

from truegreen.address import canonical
from truegreen.guard import reasons
from truegreen.guard.judge import Rules, hop, judge
from truegreen.guard.profiles import GuardError, Profile
from truegreen.guard.tally import Tally
from truegreen.secret import Secret, SecretBytes

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol

    from truegreen.guard.ranges import Ranges
else:
    Protocol = object

MODES = ("off", "report", "enforce")
CHECKS = ("secret", "ranges", "worker", "access", "presence_unsafe")
DEFAULT_HEADER = "X-Origin-Secret"
_SHORTEST = 8  # characters; `openssl rand -hex 32` makes 64
CONNECTING_IP = "cf-connecting-ip"
FORWARDED = "x-forwarded-for"
WORKER = "cf-worker"
ASSERTION = "cf-access-jwt-assertion"


class Access(Protocol):
    """What the check ``access`` asks; guard/access.py has the one for Cloudflare Access."""

    def reason(self, token: str | None) -> str:
        """Why ``token`` does not do, or ``""``. Must not block and must not raise."""
        ...


class Decision(tuple["bool | str", ...]):
    """``allowed``: let it in. ``reason``: machine-readable, one of reasons.py.

    ``passed``: whether every check held; in mode ``report`` a request that did not pass is
    allowed all the same.
    """

    __slots__ = ()

    def __new__(cls, allowed: bool, reason: str, passed: bool) -> Decision:
        return super().__new__(cls, (allowed, reason, passed))

    @property
    def allowed(self) -> bool:
        return self[0] is True

    @property
    def reason(self) -> str:
        return str(self[1])

    @property
    def passed(self) -> bool:
        return self[2] is True

    def __repr__(self) -> str:
        return f"Decision(allowed={self[0]}, reason={self[1]}, passed={self[2]})"


class GuardPolicy:
    """Which requests are let in. Its settings never change; share one among threads.

    ``mode``: ``off``, ``report`` (decides, refuses nothing) or ``enforce``. ``secrets``: one, or
    two while rotating. ``header``: the one that carries it. ``exempt``: paths let in without the
    checks, by exact match with the whole path.

    ``checks``: which must *all* hold, whatever their order here: ``secret``; ``ranges``: the
    address that reached the platform, as ``profile`` has it, is the edge's; ``worker``: no
    ``CF-Worker`` header, or one that names a zone in ``workers``; ``access``: a valid Cloudflare
    Access token; ``presence_unsafe``: CF-Connecting-IP is there. Anyone can send that: it exists to
    show its weakness. None: ``secret``, and each of the others for which something is given.

    ``client_header``: where the edge says who its visitor was, lower case; by default what
    ``ranges`` says, else CF-Connecting-IP; believed only of a request that passed ``secret`` or
    ``ranges``. ``tally`` counts. ``clock``: seconds since the epoch, asked for the list's age.

    Raises GuardError for an unknown mode or check, no checks, a check without what it needs, a
    secret that no header can carry, more than two secrets, or ``enforce`` with the secret check and
    no secret.
    """

    __slots__ = ("_client_header", "_exempt", "_header", "_headers", "_profile", "clock", "rules",
                 "tally")  # fmt: skip

    def __init__(
        self,
        mode: str,
        secrets: Iterable[Secret] = (),
        header: str = DEFAULT_HEADER,
        exempt: Iterable[str] = frozenset(),
        checks: Iterable[str] | None = None,
        *,
        ranges: Ranges | None = None,
        profile: Profile | None = None,
        workers: Iterable[str] | None = None,
        access: Access | None = None,
        client_header: str | None = None,
        tally: Tally | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        given = {"ranges": ranges, "worker": workers, "access": access}
        if checks is None:
            checks = ("secret", *(name for name, what in given.items() if what is not None))
        names = frozenset(checks)
        if mode not in MODES:
            raise GuardError(
                f"origin guard: mode {mode!r} is not known",
                hint="off, report or enforce; see where it is read from (ORIGIN_GUARD?)",
            )
        if not names or not names <= set(CHECKS):
            raise GuardError(
                f"origin guard: checks {sorted(names)!r}", hint="some of " + ", ".join(CHECKS)
            )
        for name, what in given.items():
            if (name in names) != (what is not None):
                raise GuardError(
                    f"origin guard: the check {name} and what it needs go together",
                    hint="ranges=…, workers=… or access=…, and the name in checks, or neither",
                )
        if ranges is not None and profile is None:
            raise GuardError(
                "origin guard: the check ranges needs a profile",
                hint="say what stands before the app: profiles.HEROKU, HEROKU_LEGACY, DIRECT, "
                "or behind(n)",
            )
        if not header.isascii() or not header.replace("-", "").isalnum():
            raise GuardError(
                f"origin guard: {header!r} is no header's name", hint="letters, digits and -"
            )
        accepted = tuple(_carried(secret) for secret in secrets)
        self._header = header
        self._exempt = _paths(exempt)
        self._profile = profile
        if client_header is None:
            client_header = CONNECTING_IP if ranges is None else ranges.client_header
        self._client_header = client_header.lower() if client_header else ""
        self.tally = Tally() if tally is None else tally
        self.clock = clock
        if len(accepted) > 2:
            raise GuardError(
                f"origin guard: {len(accepted)} secrets", hint="one, or two while rotating"
            )
        if mode == "enforce" and "secret" in names and not accepted:
            raise GuardError(
                "origin guard: mode enforce without a secret",
                hint="set ORIGIN_SECRET to the value that the edge sends, or mode off",
            )
        self._headers = tuple(
            dict.fromkeys(
                name
                for name in (
                    header.lower(),
                    self._client_header or (CONNECTING_IP if "presence_unsafe" in names else ""),
                    FORWARDED if self.reads_forwarded else "",
                    WORKER if "worker" in names else "",
                    ASSERTION if "access" in names else "",
                )
                if name
            )
        )
        from hmac import compare_digest  # here, not above: it loads OpenSSL

        self.rules = Rules(
            accepted=accepted,
            access=access.reason if access else None,
            checks=names,
            clock=clock,
            hops=profile.hops if profile else 0,
            mode=mode,
            ranges=ranges,
            same=compare_digest,
            workers=_zones(workers),
        )

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str],
        *,
        mode: str,
        header: str = DEFAULT_HEADER,
        exempt: Iterable[str] = frozenset(),
        checks: Iterable[str] | None = None,
        ranges: Ranges | None = None,
        profile: Profile | None = None,
        workers: Iterable[str] | None = None,
        access: Access | None = None,
        client_header: str | None = None,
        tally: Tally | None = None,
    ) -> GuardPolicy:
        """The policy with the secrets in ORIGIN_SECRET and, while rotating, ORIGIN_SECRET_PREVIOUS.

        With mode ``off`` neither is read. Raises GuardError as the class does, and for one of less
        than 8 characters: a placeholder (``true``, ``secret``) is what an attacker tries first; or
        beyond ASCII: an edge may send it in UTF-8, and nobody would get in.
        """
        names = () if mode == "off" else ("ORIGIN_SECRET", "ORIGIN_SECRET_PREVIOUS")
        secrets = []
        for name in names:
            if value := environ.get(name):
                if why := _unfit(value):
                    raise GuardError(
                        f"origin guard: {name} has {why}",
                        hint="make one with: openssl rand -hex 32",
                    )
                secrets.append(Secret(value))
        return cls(mode, secrets, header, exempt, checks, ranges=ranges, profile=profile,
                   workers=workers, access=access, client_header=client_header,
                   tally=tally)  # fmt: skip

    @property
    def mode(self) -> str:
        return self.rules.mode

    @property
    def header(self) -> str:
        """The header that carries the secret. Strip it once decided."""
        return self._header

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that ``decide`` looks at, in lower case; the secret's is the first."""
        return self._headers

    @property
    def checks(self) -> tuple[str, ...]:
        """The names of the checks, in the order in which they are asked."""
        return tuple(name for name in CHECKS if name in self.rules.checks)

    @property
    def exempt(self) -> frozenset[str]:
        return self._exempt

    @property
    def ranges(self) -> Ranges | None:
        return self.rules.ranges

    @property
    def profile(self) -> Profile | None:
        return self._profile

    @property
    def client_header(self) -> str:
        """Where the edge says who its visitor was, lower case; "" when it says so in no header."""
        return self._client_header

    @property
    def edge_names(self) -> bool:
        """Whether the edge says in a header who its visitor was; else the address that reached the
        platform is the visitor's."""
        return bool(self._client_header)

    @property
    def believes(self) -> bool:
        """Whether who passes has been shown to come from the edge, so that its word on its visitor
        counts."""
        return self.mode != "off" and not self.rules.checks.isdisjoint({"secret", "ranges"})

    @property
    def reads_forwarded(self) -> bool:
        """Whether the believed address is in X-Forwarded-For (else it is the connection's peer)."""
        return self._profile is not None and self._profile.hops > 0

    @property
    def list_age_days(self) -> float | None:
        """The age of the list of ranges, in days; None without one or without a date."""
        return None if self.ranges is None else self.ranges.age_days(self.clock())

    @property
    def list_stale(self) -> bool:
        """Whether the list of ranges is too old to be believed: then nothing passes ``ranges``."""
        return self.ranges is not None and self.ranges.stale(self.clock())

    @property
    def last_refused_at(self) -> float | None:
        """When a request was last refused, seconds since the epoch; None: never."""
        return self.tally.last_refused_at

    def sound_in_wsgi(self) -> None:
        """Raises GuardError when only an address decides, and WSGI could be shown a forged one."""
        alone = self.rules.checks.isdisjoint({"secret", "access"}) and "ranges" in self.rules.checks
        if alone and self._profile and self._profile.forgeable_in_wsgi and self.mode != "off":
            raise GuardError(
                f"origin guard: ranges alone behind {self._profile.name} can be forged: WSGI "
                "servers join a second X-Forwarded-For line, which this platform does not check",
                hint="add the secret, or declare profiles.HEROKU (Router 2.0) where that is true",
            )

    def reached_by(self, address: str | None) -> str | None:
        """The address that reached the platform, of raw ``address`` (X-Forwarded-For or the peer),
        in its one spelling; None when it is none. For logs: nothing else of the header gets out."""
        reached = hop(address, self._profile.hops if self._profile else 0)
        return None if reached is None else canonical(reached)

    def settle(self, reason: str, path: str) -> tuple[bool, str]:
        """Whether a request for ``path`` is let in when judge.py says ``reason``, and the reason to
        count. ``path``: decoded, whole, without the query."""
        if reason is reasons.ADMITTED or reason is reasons.OFF:
            return True, reason
        if path in self._exempt:
            return True, reasons.EXEMPT
        return self.rules.mode == "report", reason

    def conclude(self, reason: str, path: str, address: str | None) -> bool:
        """``settle``, counted and, where it was not let in, logged; for adapters. ``address``: raw,
        X-Forwarded-For or the peer."""
        tally, allowed, refused = self.tally, True, False
        # What settle() says, without its call: a sixth of what a refusal costs.
        if not (reason is reasons.ADMITTED or reason is reasons.OFF):
            if path in self._exempt:
                reason = reasons.EXEMPT
            else:
                refused, allowed = True, self.rules.mode == "report"
        next(tally.counters[reason])
        if tally.observe is not None:
            tally.told(reason, allowed)
        if refused:
            tally.refused(reason, allowed, path, self.reached_by(address) if tally.logs else None)
        return allowed

    def decide(self, path: str, headers: Mapping[str, str], peer: str | None = None) -> Decision:
        """Whether to let in a request for ``path`` (decoded, without the query).

        ``headers``: those of ``self.headers`` that the request has, names in lower case, values
        latin-1 decoded as WSGI has them; a header that came twice is joined with a comma, as
        gunicorn does, or with a line feed where the lines are known. ``peer``: the address of the
        connection, for a profile without proxies.
        """
        get = headers.get
        address = get(FORWARDED) if self.reads_forwarded else peer
        reason = judge(
            self.rules, get(self._headers[0]), address, get(self._client_header or CONNECTING_IP),
            get(WORKER), get(ASSERTION),
        )  # fmt: skip
        allowed, settled = self.settle(reason, path)
        return Decision(allowed, settled, settled in reasons.LET_IN)

    def __repr__(self) -> str:
        listed = f", {self.ranges!r}" if self.ranges else ""
        return (
            f"GuardPolicy({self.mode}, {'+'.join(self.checks)}, "
            f"secrets={len(self.rules.accepted)}{listed})"
        )


def _paths(exempt: Iterable[str]) -> frozenset[str]:
    if isinstance(exempt, str):
        raise GuardError("origin guard: exempt is one string", hint="pass a set of paths")
    paths = frozenset(exempt)
    for path in paths:
        if not path.startswith("/") or not path.isascii() or "?" in path:
            raise GuardError(
                f"origin guard: exempt path {path!r}", hint="ASCII, from / on, without a query"
            )
    return paths


def _zones(workers: Iterable[str] | None) -> frozenset[str]:
    if isinstance(workers, str):
        raise GuardError("origin guard: workers is one string", hint="pass a set of zones")
    return frozenset(zone.lower() for zone in workers or ())


def _unfit(value: str) -> str:
    """What a variable has that should hold a secret and does not do, or ``""``."""
    if len(value) < _SHORTEST:
        return f"less than {_SHORTEST} characters"
    return "" if value.isascii() else "characters beyond ASCII"


def _carried(secret: Secret) -> bytes:
    """The secret as it is sent, in latin-1. Raises GuardError, which never shows it."""
    text = secret.reveal()
    if not text:
        raise GuardError("origin guard: the secret is empty", hint="leave it out, or set it")
    if why := "has a comma" if "," in text else secret.unsendable():
        raise GuardError(
            f"origin guard: the secret {why}", hint="make one with: openssl rand -hex 32"
        )
    return SecretBytes(text.encode("latin-1"))
