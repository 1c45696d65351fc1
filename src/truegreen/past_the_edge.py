"""What can be asked of an origin from anywhere, without its secret: requests that a guard refuses.

``guard/attacks.py`` has the whole matrix and takes the edge's address from here. ``verify`` asks
these on every run, and would otherwise import the guard for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EDGE_ADDRESS = "173.245.48.1"  # one of Cloudflare's, whoever asks

# By name, in this order.
OUTSIDE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "plain": MappingProxyType({}),
        "forged CF-Connecting-IP": MappingProxyType(
            {"CF-Connecting-IP": "203.0.113.7", "X-Forwarded-For": EDGE_ADDRESS}
        ),
        "forged secret": MappingProxyType(
            {"CF-Connecting-IP": "203.0.113.7", "X-Origin-Secret": "true"}
        ),
    }
)
