"""Sockets that listen, and connected ones as transports that are ready at once.

asyncio's own transports take two turns of the loop to begin, and a memory map for each read: a
third of what the router spends on a request. As much of asyncio.Transport as `wire` asks for, with
asyncio's meaning and its limits; nothing here knows what the bytes are.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM
from typing import Any

_READ = 96 * 1024  # bytes; from 128 KiB on, glibc maps memory for each read (M_MMAP_THRESHOLD)
_ACCEPTED = 64  # connections in one turn
_NO_ROOM = 1.0  # seconds until connections are taken again when there is no descriptor left
_HIGH, _LOW = 64 * 1024, 16 * 1024  # bytes unsent: when the protocol is paused, and goes on


class Readers:
    """Sockets that are waited for in one place of the event loop's: to begin with another one costs
    a tenth of what the loop's own `add_reader` does. To be made in a running loop; Linux."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._poll = select.epoll()
        self._called: dict[int, Callable[[], None]] = {}
        self._loop.add_reader(self._poll.fileno(), self._ready)

    def add_reader(self, number: int, called: Callable[[], None]) -> None:
        """``called`` whenever file descriptor ``number``, which is new here, has something."""
        self._called[number] = called
        self._poll.register(number, select.EPOLLIN)

    def remove_reader(self, number: int) -> None:
        if self._called.pop(number, None):
            self._poll.unregister(number)

    def _ready(self) -> None:
        for number, _ in self._poll.poll(0, 64):
            if called := self._called.get(number):
                called()

    def close(self) -> None:
        self._loop.remove_reader(self._poll.fileno())
        self._poll.close()
        self._called.clear()


class Listener:
    """``accepted`` gets each connection to ``host:port``, not blocking. To be made in a running
    loop; raises OSError when the port is taken."""

    def __init__(
        self, host: str, port: int, readers: Readers, accepted: Callable[[socket.socket], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._readers = readers
        self._accepted = accepted
        self._sock = socket.create_server((host, port), backlog=512)
        self._sock.setblocking(False)
        self._pause: asyncio.TimerHandle | None = None
        self.port: int = self._sock.getsockname()[1]
        self._listen()

    def _listen(self) -> None:
        self._pause = None
        self._readers.add_reader(self._sock.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED):
            try:
                sock, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (EMFILE, ENFILE, ENOBUFS, ENOMEM):
                    raise
                self._readers.remove_reader(self._sock.fileno())
                self._pause = self._loop.call_later(_NO_ROOM, self._listen)
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._accepted(sock)

    def close(self) -> None:
        if self._pause:
            self._pause.cancel()
        self._readers.remove_reader(self._sock.fileno())
        self._sock.close()


class SocketTransport(asyncio.Transport):
    """``sock``: connected and not blocking; it is the transport's from now on. To be made in a
    running event loop; ``protocol`` keeps its side open when the peer has ended the other one.
    ``readers``: who waits for it, instead of the loop itself."""

    def __init__(
        self, sock: socket.socket, protocol: asyncio.Protocol, readers: Readers | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._readers = readers or self._loop
        self._sock = sock
        self._number = sock.fileno()  # which the loop is asked by: a socket's repr is dear
        self._protocol = protocol
        self._unsent = bytearray()
        self._paused = False  # the protocol was told to write no more
        self._reading = False
        self._ended = False  # the peer will send no more
        self._closing = False
        self._lost = False
        self._eof = False  # we will send no more
        protocol.connection_made(self)
        self.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``socket``, ``sockname`` and ``peername``; the names while it is connected."""
        if name == "socket":
            return self._sock
        if name == "sockname":
            return self._sock.getsockname()
        return self._sock.getpeername() if name == "peername" else default

    # reading

    def resume_reading(self) -> None:
        if not (self._reading or self._ended or self._closing):
            self._reading = True
            self._readers.add_reader(self._number, self._readable)

    def pause_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._readers.remove_reader(self._number)

    def _readable(self) -> None:
        try:
            data = self._sock.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        if data:
            self._protocol.data_received(data)
        else:
            self._ended = True
            self.pause_reading()
            self._protocol.eof_received()

    # writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._eof:
            raise RuntimeError("cannot write after write_eof()")
        if self._closing:
            return
        if self._unsent:
            self._unsent += data
        elif (sent := self._send(data)) < len(data):
            self._unsent += memoryview(data)[sent:]
            self._loop.add_writer(self._number, self._writable)
        if len(self._unsent) > _HIGH and not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def _send(self, data: bytes | bytearray | memoryview) -> int:
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._end(error)
            return len(data)  # nobody will have it

    def _writable(self) -> None:
        sent = self._send(self._unsent)
        if self._lost:
            return
        del self._unsent[:sent]
        if self._paused and len(self._unsent) <= _LOW:
            self._paused = False
            self._protocol.resume_writing()
        if not self._unsent:
            self._loop.remove_writer(self._number)
            if self._closing:
                self._end(None)
            elif self._eof:
                self._sock.shutdown(socket.SHUT_WR)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not (self._eof or self._closing):
            self._eof = True
            if not self._unsent:
                self._sock.shutdown(socket.SHUT_WR)

    # ending

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """After what was written has gone out."""
        if not self._closing:
            self._closing = True
            self.pause_reading()
            if not self._unsent:
                self._end(None)

    def abort(self) -> None:
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        self._closing = True
        if self._lost:
            return
        self._lost = True
        self.pause_reading()
        if self._unsent:
            self._loop.remove_writer(self._number)
            self._unsent.clear()
        self._loop.call_soon(self._gone, error)

    def _gone(self, error: Exception | None) -> None:
        self._sock.close()
        self._protocol.connection_lost(error)
