"""The signature of a webhook: HMAC-SHA256 over the time and the body. Pure.

``TrueGreen-Signature: t=<unix seconds>,v1=<hex>``, over ``<t>.<body>``: the time is signed too,
so that a message that was overheard cannot be sent again later.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256

from truegreen.secret import Secret

HEADER = "TrueGreen-Signature"
TOLERANCE = 300  # seconds
_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})\Z")


def sign(body: bytes, key: Secret, at: int) -> str:
    """The header's value for ``body``, sent at ``at`` (Unix seconds)."""
    return f"t={at},v1={_digest(body, key, at)}"


def holds(header: str, body: bytes, key: Secret, now: float, tolerance: int = TOLERANCE) -> bool:
    """Whether ``header`` is ours for ``body``, and not older than ``tolerance`` seconds (nor as
    far ahead). For receivers; takes as long for every wrong one."""
    match = _FORM.match(header)
    if match is None:
        return False
    at = int(match[1])
    same = hmac.compare_digest(match[2], _digest(body, key, at))
    return same and abs(now - at) <= tolerance


def _digest(body: bytes, key: Secret, at: int) -> str:
    return hmac.new(key.reveal().encode(), f"{at}.".encode() + body, sha256).hexdigest()
