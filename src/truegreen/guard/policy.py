"""Whether a request came through the front door: a pure decision on its path and headers.

The check that holds is a secret header that the edge *sets* (a Cloudflare Transform Rule overwrites
what the client sent). Behind Heroku's router the peer's address is always the router's, and every
``CF-…`` or ``X-Forwarded-For`` value can be forged or comes from an attacker's own Cloudflare zone;
see docs/guard.md for the table. No framework, no I/O.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from truegreen.errors import UsageError
from truegreen.secret import Secret

MODES = ("off", "report", "enforce")
DEFAULT_HEADER = "X-Origin-Secret"
CONNECTING_IP = "cf-connecting-ip"

# The reasons, a contract for counters and logs.
OFF = "guard_off"
EXEMPT = "exempt"
ADMITTED = "admitted"
SECRET_MISSING = "secret_missing"  # noqa: S105  # a reason's name
SECRET_MISMATCH = "secret_mismatch"  # noqa: S105
SECRET_DUPLICATED = "secret_duplicated"  # noqa: S105
SECRET_UNSET = "secret_unset"  # noqa: S105
CONNECTING_IP_MISSING = "connecting_ip_missing"


class GuardError(UsageError):
    """A guard that could not do what its mode says. Raised at start, never at a request."""


class Decision(NamedTuple):
    """``allowed``: let it in. ``reason``: machine-readable, one of this module's constants.

    ``passed``: whether every check held; in mode ``report`` a request that did not pass is
    allowed all the same.
    """

    allowed: bool
    reason: str
    passed: bool


class GuardPolicy:
    """Which requests are let in. Immutable; share one among threads.

    ``mode``: ``off``, ``report`` (decides, refuses nothing) or ``enforce``. ``secrets``: one, or
    two while rotating. ``header``: the one that carries it. ``exempt``: paths let in unasked, by
    exact match. ``checks``: all must hold; ``secret``, and ``presence_unsafe``, which asks only
    whether CF-Connecting-IP is there. Anyone can send that: it exists to show its weakness.

    Raises GuardError for an unknown mode or check, no checks, a secret that no header can carry,
    more than two secrets, or ``enforce`` with the secret check and no secret.
    """

    __slots__ = ("_accepted", "_checks", "_exempt", "_header", "_headers", "_mode")

    def __init__(
        self,
        mode: str,
        secrets: Iterable[Secret] = (),
        header: str = DEFAULT_HEADER,
        exempt: Iterable[str] = frozenset(),
        checks: Iterable[str] = ("secret",),
    ) -> None:
        known: dict[str, Callable[[Mapping[str, str]], str]] = {
            "secret": self._secret_reason,
            "presence_unsafe": _presence_reason,
        }
        names = tuple(checks)
        if mode not in MODES:
            raise GuardError(f"origin guard: mode {mode!r} is not known", hint=" ".join(MODES))
        if not names or not known.keys() >= set(names):
            raise GuardError(f"origin guard: checks {names!r}", hint="some of " + ", ".join(known))
        if not header.isascii() or not header.replace("-", "").isalnum():
            raise GuardError(
                f"origin guard: {header!r} is no header's name", hint="letters, digits and -"
            )
        if isinstance(exempt, str):
            raise GuardError("origin guard: exempt is one string", hint="pass a set of paths")
        self._mode = mode
        self._header = header
        self._headers = (header.lower(), CONNECTING_IP)
        self._exempt = frozenset(exempt)
        self._accepted = tuple(_carried(secret) for secret in secrets)
        self._checks = tuple((name, known[name]) for name in names)
        if len(self._accepted) > 2:
            raise GuardError(
                f"origin guard: {len(self._accepted)} secrets", hint="one, or two while rotating"
            )
        if mode == "enforce" and "secret" in names and not self._accepted:
            raise GuardError(
                "origin guard: mode enforce without a secret",
                hint="set ORIGIN_SECRET to the value that the edge sends, or mode off",
            )

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str],
        *,
        mode: str,
        header: str = DEFAULT_HEADER,
        exempt: Iterable[str] = frozenset(),
    ) -> GuardPolicy:
        """The policy with the secrets in ORIGIN_SECRET and, while rotating, ORIGIN_SECRET_PREVIOUS.

        With mode ``off`` neither is read. Raises GuardError as the class does.
        """
        names = () if mode == "off" else ("ORIGIN_SECRET", "ORIGIN_SECRET_PREVIOUS")
        values = [environ.get(name) for name in names]
        secrets = [Secret(value) for value in values if value]
        return cls(mode, secrets, header, exempt)

    @property
    def mode(self) -> str:
        return self._mode

    @property
    def header(self) -> str:
        """The header that carries the secret. Strip it once decided."""
        return self._header

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that ``decide`` looks at, in lower case."""
        return self._headers

    def decide(self, path: str, headers: Mapping[str, str]) -> Decision:
        """Whether to let in a request for ``path`` (decoded, without the query).

        ``headers``: those of ``self.headers`` that the request has, names in lower case, values
        latin-1 decoded as WSGI has them; a header that came twice is joined with a comma, as
        gunicorn does.
        """
        if self._mode == "off":
            return Decision(True, OFF, True)
        if path in self._exempt:
            return Decision(True, EXEMPT, True)
        for _, reason_of in self._checks:
            reason = reason_of(headers)
            if reason:
                return Decision(self._mode == "report", reason, False)
        return Decision(True, ADMITTED, True)

    def _secret_reason(self, headers: Mapping[str, str]) -> str:
        given = headers.get(self._headers[0])
        if not self._accepted:
            return SECRET_UNSET
        if not given:
            return SECRET_MISSING
        if "," in given:  # no secret holds one, so this is two lines joined
            return SECRET_DUPLICATED
        try:
            received = given.encode("latin-1")
        except UnicodeEncodeError:
            return SECRET_MISMATCH
        same = False
        for accepted in self._accepted:  # always all of them: time must not tell which
            same |= hmac.compare_digest(received, accepted)
        return "" if same else SECRET_MISMATCH

    def __repr__(self) -> str:
        checks = "+".join(name for name, _ in self._checks)
        return f"GuardPolicy({self._mode}, {checks}, secrets={len(self._accepted)})"


def _presence_reason(headers: Mapping[str, str]) -> str:
    return "" if headers.get(CONNECTING_IP) else CONNECTING_IP_MISSING


def _carried(secret: Secret) -> bytes:
    """The secret's bytes on the wire. Raises GuardError, which never shows it."""
    text = secret.reveal()
    if not text:
        raise GuardError("origin guard: the secret is empty", hint="leave it out, or set it")
    if text != text.strip() or "," in text or not text.isprintable():
        raise GuardError(
            "origin guard: the secret has a comma, a control character or surrounding blanks",
            hint="make one with: openssl rand -hex 32",
        )
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise GuardError(
            "origin guard: the secret has characters that no header carries",
            hint="make one with: openssl rand -hex 32",
        ) from None
