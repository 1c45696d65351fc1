"""The check ``access``: a Cloudflare Access token, verified with the team's public keys.

Facts (Cloudflare One docs, "Validate JWTs"): the token comes in Cf-Access-Jwt-Assertion, is signed
with RS256, its issuer is ``https://TEAM.cloudflareaccess.com``, its audience holds the
application's AUD tag; keys are published at ``/cdn-cgi/access/certs``, rotate every six weeks, and
the previous one stays valid for seven days. Nothing here fetches: access_keys.py does, outside any
request. Needs the extra ``access`` (PyJWT), which is imported when a verifier is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from truegreen.guard import reasons
from truegreen.guard.profiles import GuardError

DAY = 86_400.0
GRACE = 7 * DAY  # how long a key stays valid that a newer document no longer lists
_LONGEST = 16_384
_KEPT = 1024
_ALGORITHM = "RS256"


class AccessVerifier:
    """Verifies tokens of one team for some applications. Made for threads.

    ``team``: the issuer, e.g. ``https://raxx.cloudflareaccess.com``. ``audiences``: the AUD tags
    that are accepted. ``keys``: the team's JWKS document; without one every token is refused with
    ``access_keys_stale`` until ``replace_keys`` is called. ``max_age``: seconds after which the
    keys are too old and nothing passes. ``leeway``: seconds that clocks may differ. ``clock``:
    seconds since the epoch.

    Raises GuardError without PyJWT and its crypto extra, without an audience, for a team that is
    no https origin, or for keys that hold none that can be used.
    """

    def __init__(
        self,
        team: str,
        audiences: Iterable[str],
        keys: Mapping[str, Any] | None = None,
        *,
        max_age: float = 7 * DAY,
        leeway: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            import cryptography  # noqa: F401  # PyJWT verifies no RS256 without it
            import jwt
        except ImportError as error:
            raise GuardError(
                "origin guard: the check access needs PyJWT", hint="install truegreen[access]"
            ) from error
        if isinstance(audiences, str):
            raise GuardError("origin guard: audiences is one string", hint="pass a list")
        self._audiences = frozenset(audiences)
        if not self._audiences or not all(self._audiences):
            raise GuardError("origin guard: no audience", hint="the application's AUD tag")
        host = team.removeprefix("https://")
        if host == team or not host or "/" in host:
            raise GuardError(
                f"origin guard: team {team!r}", hint="https://TEAM.cloudflareaccess.com, no path"
            )
        self.team = team
        self._jwt = jwt
        self._max_age = max_age
        self._leeway = leeway
        self._clock = clock
        self._keys: dict[str, tuple[Any, float]] = {}  # kid -> key, valid until
        self._read_at: float | None = None
        self._verified: dict[str, tuple[float, float, str]] = {}  # token -> nbf, exp, kid
        if keys is not None:
            self.replace_keys(keys)

    @property
    def certs_url(self) -> str:
        """Where the team publishes its keys."""
        return f"{self.team}/cdn-cgi/access/certs"

    @property
    def keys_age(self) -> float | None:
        """Seconds since the keys were last replaced; None: never."""
        return None if self._read_at is None else self._clock() - self._read_at

    def replace_keys(self, document: Mapping[str, Any]) -> tuple[str, ...]:
        """Takes the keys of a JWKS ``document`` just read; gives their ids.

        A key that the document no longer lists stays valid for seven days. Raises GuardError, and
        keeps what it has, when the document holds no usable key.
        """
        now = self._clock()
        fresh: dict[str, tuple[Any, float]] = {}
        listed = document.get("keys") if isinstance(document, Mapping) else None
        for entry in listed if isinstance(listed, list) else ():
            if not isinstance(entry, Mapping) or entry.get("kty") != "RSA":
                continue
            kid = entry.get("kid")
            if not isinstance(kid, str) or entry.get("alg", _ALGORITHM) != _ALGORITHM:
                continue
            try:
                key = self._jwt.PyJWK(dict(entry), algorithm=_ALGORITHM)
            except Exception:  # noqa: BLE001, S112  # another usable key may follow
                continue
            fresh[kid] = (key, float("inf"))
        if not fresh:
            raise GuardError(
                "origin guard: no RSA key in the team's keys", hint=f"read {self.certs_url}"
            )
        kept = {
            kid: (key, min(until, now + GRACE))
            for kid, (key, until) in self._keys.items()
            if kid not in fresh and until > now
        }
        self._keys = kept | fresh
        self._verified = {}
        self._read_at = now
        return tuple(fresh)

    def reason(self, token: str | None) -> str:
        """Why ``token`` does not do, one of the ``access_…`` reasons, or ``""``. Never raises."""
        if not token:
            return reasons.ACCESS_MISSING
        now = self._clock()
        if self._read_at is None or now - self._read_at > self._max_age:
            return reasons.ACCESS_KEYS_STALE
        known = self._verified.get(token)
        if known is None:
            try:
                found = self._verify(token, now)
            except Exception:  # noqa: BLE001  # anybody wrote this token: nested JSON, huge numbers
                return reasons.ACCESS_MALFORMED
            if isinstance(found, str):
                return found
            known = found
        starts, ends, kid = known
        if not starts - self._leeway <= now < ends + self._leeway:
            return reasons.ACCESS_EXPIRED
        _, until = self._keys.get(kid, (None, 0.0))
        return "" if now < until else reasons.ACCESS_KEY_UNKNOWN

    def _verify(self, token: str, now: float) -> tuple[float, float, str] | str:
        """(not before, expires, key's id) of a token whose signature and claims hold."""
        jwt = self._jwt
        if len(token) > _LONGEST or not token.isascii():
            return reasons.ACCESS_MALFORMED
        kid = jwt.get_unverified_header(token).get("kid")
        keys, verified = self._keys, self._verified  # what belongs together, before a replacement
        key, _ = keys.get(kid, (None, 0.0))  # until when it is valid, reason() asks each time
        if key is None:
            return reasons.ACCESS_KEY_UNKNOWN
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._audiences,
                issuer=self.team,
                options={  # times are compared below, with our own clock
                    "require": ["exp", "aud", "iss"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError:
            return reasons.ACCESS_SIGNATURE
        except jwt.InvalidAudienceError:
            return reasons.ACCESS_AUDIENCE
        except jwt.InvalidIssuerError:
            return reasons.ACCESS_ISSUER
        starts, ends = float(claims.get("nbf", 0)), float(claims["exp"])
        if not starts - self._leeway <= now < ends + self._leeway:  # NaN never holds
            return reasons.ACCESS_EXPIRED
        if len(verified) >= _KEPT:
            verified.clear()
        verified[token] = (starts, ends, kid)
        return starts, ends, kid

    def __repr__(self) -> str:
        return f"AccessVerifier({self.team}, keys={len(self._keys)})"
