"""Addresses and names that may be used against a platform: parsed and refused here, purely.

No network and no httpx here. Everything that decides *where a token may go* is in this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from truegreen.address import packed, parsed
from truegreen.errors import UsageError

HEROKU_API = "https://api.heroku.com"

_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\Z")
# Heroku's own rule for names, as its schema of the Platform API states it.
_APP_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]\Z")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """Scheme, host and port of a Platform API. Only ``parse_api_url`` makes one."""

    scheme: str  # http (loopback only) | https
    host: str  # lower case; IPv6 without brackets
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    def is_origin_of(self, scheme: str, host: str, port: int | None) -> bool:
        """Whether a request to these goes to this API: the only place its token may go to."""
        scheme = scheme.lower()
        actual = port if port is not None else _PORTS.get(scheme)
        return (scheme, host.lower(), actual) == (self.scheme, self.host, self.port)


def is_loopback(host: str) -> bool:
    """Whether ``host`` (no port, no brackets) can only be this machine.

    127.0.0.0/8, ::1, ``localhost`` and ``*.localhost`` (RFC 6761). Other spellings that a C
    library may take for loopback (``127.1``, ``0x7f000001``, ``2130706433``) are not.
    """
    host = host.lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = parsed(host)
    return address is not None and address.is_loopback


def parse_api_url(text: str) -> ApiAddress:
    """The address of a Platform API, from ``https://api.heroku.com`` or ``http://127.0.0.1:5000``.

    http is taken for loopback hosts only, since the token would travel in the clear. No path,
    query, fragment or user name. Raises UsageError, which says what to write instead.
    """
    parts, port = _split(text, what="the platform's API URL")
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise UsageError(
            f"the platform's API URL {text!r} has more than scheme, host and port",
            hint=f"write it like {HEROKU_API}",
        )
    host = (parts.hostname or "").lower()
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"the platform's API URL {text!r} would send the token over plain http",
            hint=f"write https://{parts.netloc}; http is for 127.0.0.1 and *.localhost only",
        )
    return ApiAddress(parts.scheme, host, port or _PORTS[parts.scheme])


def check_data_url(text: str, *, what: str) -> str:
    """``text``, when it may be fetched from or uploaded to: https, or http on loopback.

    For addresses that the platform names (a source's put_url, an output stream). They carry their
    permission in themselves, so errors show no more of them than scheme and host. Raises
    UsageError; user names in them are refused, because a client would turn them into a header.
    """
    parts, _ = _split(text, what=what, private=True)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise UsageError(f"{what} is plain http on {parts.hostname}", hint="it must be https")
    return text


def check_app(text: str) -> str:
    """``text``, when it is an app's name or id (UUID). Raises UsageError with the rule."""
    if _APP_NAME.match(text) or _UUID.match(text):
        return text
    raise UsageError(
        f"{text!r} is not an app's name",
        hint="3 to 30 lower-case letters, digits and -, a letter first, no - at the end",
    )


def segment(value: str | int) -> str:
    """``value`` as one segment of a path. Raises UsageError for what would leave its place."""
    text = str(value)
    if not text or text in (".", ".."):
        raise UsageError(f"{text!r} cannot be part of an API path", hint="give an id or a name")
    return quote(text, safe="")


def _split(text: str, *, what: str, private: bool = False) -> tuple[SplitResult, int | None]:
    shown = "" if private else f" {text!r}"
    problem = f"{what}{shown} is not a URL"
    hint = f"write it like {HEROKU_API} or http://127.0.0.1:5000"
    if not text.isascii() or any(char <= " " or char in '\\"<>^`{|}\x7f' for char in text):
        raise UsageError(f"{problem}: it holds blanks or signs that no URL has", hint=hint)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(problem, hint=hint) from error
    if parts.scheme not in _PORTS:
        raise UsageError(f"{problem} with http or https", hint=hint)
    if "@" in parts.netloc:
        # The text is not shown: what stands before the @ is most likely a secret.
        raise UsageError(f"{what} holds a user name or a password", hint="give the token by itself")
    host = parts.hostname or ""
    if port == 0 or not (_HOST_NAME.match(host) or _is_ipv6(parts.netloc, host)):
        raise UsageError(f"{problem}: host or port is wrong", hint=hint)
    return parts, port


def _is_ipv6(netloc: str, host: str) -> bool:
    return netloc.startswith("[") and ":" in host and packed(host) is not None
