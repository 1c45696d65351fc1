"""The network's part of the seal: connections end at this machine, but for the allowed hosts.

Closes what goes through Python's ``socket`` module, in this process. Sockets that C libraries open
by themselves (libpq, uvloop) and child processes are not reached: what keeps those from production
is that its addresses are not in the sealed environment. Unix sockets stay open.
"""

from __future__ import annotations

import errno
import fnmatch
import sys
from collections.abc import Callable, Sequence
from types import FrameType, ModuleType
from typing import Any

from truegreen.address import packed, parsed

Told = Callable[[str, int, FrameType], None]

_LOCAL_NAMES = ("localhost", "ip6-localhost", "")


class ConnectionSealed(PermissionError):
    """The seal refused a connection. An OSError, so that code which copes with none does."""


def is_local(host: str) -> bool:
    """Loopback, the unspecified address (which connects to loopback), and localhost's names."""
    name = host.rstrip(".").lower()
    if name in _LOCAL_NAMES or name.endswith(".localhost"):
        return True
    address = parsed(name.partition("%")[0])
    return address is not None and (address.is_loopback or address.is_unspecified)


class NetworkSeal:
    """``allowed``: names or addresses, ``*`` in them matches anything. ``told`` hears of each
    refusal: host, port (0: a name was asked for), the frame that wanted it."""

    def __init__(self, allowed: Sequence[str], told: Told) -> None:
        self._allowed = tuple(one.lower() for one in allowed)
        self._told = told
        self._known: set[str] = set()  # addresses of allowed names
        self._replaced: list[tuple[Any, str, Any]] = []

    def close(self, socket: ModuleType) -> None:
        """Closes the module ``socket``."""
        for name in ("connect", "connect_ex", "sendto"):
            self._replace(socket.socket, name, self._guarded)
        self._replace(socket, "getaddrinfo", self._resolving)
        for name in ("gethostbyname", "gethostbyname_ex"):
            self._replace(socket, name, self._asking)
        self._own = socket.gethostname().lower()

    def open(self) -> None:
        for owner, name, original in reversed(self._replaced):
            setattr(owner, name, original)
        self._replaced.clear()

    def _replace(self, owner: Any, name: str, how: Callable[[Any], Any]) -> None:
        original = getattr(owner, name)
        self._replaced.append((owner, name, original))
        setattr(owner, name, how(original))

    def _guarded(self, original: Any) -> Any:
        def guarded(sock: Any, *args: Any) -> Any:
            address = args[-1] if args else None
            if isinstance(address, tuple) and len(address) >= 2 and isinstance(address[0], str):
                self._demand(address[0], address[1], sys._getframe(1))
            return original(sock, *args)

        return guarded

    def _resolving(self, original: Any) -> Any:
        def getaddrinfo(host: Any, *args: Any, **named: Any) -> Any:
            name = host.decode("idna") if isinstance(host, bytes) else host
            if isinstance(name, str):
                self._demand(name, 0, sys._getframe(1))
            found = original(host, *args, **named)
            if isinstance(name, str) and self._is_allowed(name):
                self._known.update(str(one[4][0]) for one in found)
            return found

        return getaddrinfo

    def _asking(self, original: Any) -> Any:
        def gethostbyname(name: Any) -> Any:
            if isinstance(name, str):
                self._demand(name, 0, sys._getframe(1))
            return original(name)

        return gethostbyname

    def _is_allowed(self, host: str) -> bool:
        return any(fnmatch.fnmatchcase(host.lower(), one) for one in self._allowed)

    def _demand(self, host: str, port: Any, frame: FrameType) -> None:
        if is_local(host) or host in self._known or self._is_allowed(host):
            return
        if not port and (_is_address(host) or host.lower() == self._own):
            return  # an address needs no asking, and this machine may know its own name
        self._told(host, port if isinstance(port, int) else 0, frame)
        where = f"{host}:{port}" if port else host
        raise ConnectionSealed(
            errno.EACCES,
            f"the seal lets no connection to {where} through: name it in smoke.allow_hosts, "
            "or replace it in the test",
        )


def _is_address(host: str) -> bool:
    return packed(host.partition("%")[0]) is not None
