"""Where a worker gets a commit from: a repository's address that may stand in a shared table. Pure.

Only transports that fetch: git also has addresses that run a command (``ext::``). A password never
stands in one: a worker has access of its own, by its git configuration or ssh agent.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from truegreen.errors import UsageError

PROTOCOLS = "https:ssh:file"  # GIT_ALLOW_PROTOCOL
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)[^:\s][^\s]*\Z")
_LONGEST = 500  # characters
_HINT = "https://HOST/PATH, ssh://…, git@HOST:PATH, or the path of a folder that workers see"


def shareable(address: str) -> str:
    """``address`` without what is secret in it. Raises UsageError for one that no worker may use.

    An https address loses its user and password. A path must be absolute.
    """
    address = address.strip()
    if not address or len(address) > _LONGEST or not address.isprintable():
        raise UsageError("the repository's address is empty or no address", hint=_HINT)
    if address.startswith("/"):
        return address
    scheme, colons, _ = address.partition("://")
    if not colons:
        if "::" not in address and _SCP.match(address):
            return address
        raise UsageError(f"{_shown(address)} is no address that workers can fetch", hint=_HINT)
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise UsageError("the repository's address is no URL", hint=_HINT) from None
    if scheme == "file" and not host and parts.path.startswith("/"):
        return address
    if scheme not in ("https", "ssh") or not host or host.startswith("-"):
        raise UsageError(f"workers do not fetch {_shown(address)}", hint=_HINT)
    if parts.query or parts.fragment:  # where tokens stand too
        raise UsageError("the repository's address has a query in it", hint=_HINT)
    user = f"{parts.username}@" if scheme == "ssh" and parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((scheme, f"{user}{host}{port}", parts.path, "", ""))


def _shown(address: str) -> str:
    """Without what may be a password."""
    return repr(re.sub(r"//[^/@]*@", "//[redacted]@", address)[:100])
