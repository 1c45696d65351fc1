"""Ports of this machine: one that is free, and whether somebody listens on one. What is done about
it is the caller's."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress


def free_port() -> int:
    """One of 127.0.0.1 that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def accepts(port: int) -> bool:
    """Does somebody accept a TCP connection on 127.0.0.1:``port`` now?"""
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    # A port of the ephemeral range that nobody listens on may be connected to itself (RFC 9293,
    # simultaneous open): that is no listener.
    itself = writer.get_extra_info("sockname") == writer.get_extra_info("peername")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return not itself
