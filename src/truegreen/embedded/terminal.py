"""One command on a terminal of its own, as `heroku run` has it; else as process.py starts them.

Knows nothing of dynos or HTTP. Linux: the first terminal that a session's leader opens becomes its
controlling one (tty_ioctl(4)), so no code of ours runs between fork and exec.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import struct
import termios
from collections.abc import Callable

from truegreen.embedded.process import Child, OutputReader, ProcessSpec

_OPEN_TERMINAL = 'exec 0<>"$0" 1>&0 2>&0; exec /bin/sh -c "$1"'
_MOST_UNREAD = 1024 * 1024  # bytes of input that the command has not read


class Terminal:
    """A started command and the keyboard side of its terminal."""

    def __init__(self, child: Child, keyboard: asyncio.WriteTransport, held: int) -> None:
        self.child = child
        self._keyboard = keyboard
        self._held = held

    def type(self, data: bytes) -> None:
        """Hands ``data`` to the command; what it does not read is dropped after 1 MiB."""
        if self._keyboard.get_write_buffer_size() < _MOST_UNREAD:
            self._keyboard.write(data)

    async def end(self, grace: float) -> bool:
        """Ends the whole group and closes the terminal; returns whether SIGKILL was needed."""
        os.close(self._held)  # so that the reader comes to the end of the output
        try:
            return await self.child.end(grace)
        finally:
            self._keyboard.abort()


async def start_on_terminal(
    spec: ProcessSpec, on_output: Callable[[bytes], None], *, lines: int, columns: int, echo: bool
) -> Terminal:
    """Starts ``spec`` on a new terminal of that size. Without ``echo`` it gives back output as it
    was written, and not what is typed. Raises OSError when it cannot be started."""
    loop = asyncio.get_running_loop()
    ours, theirs = os.openpty()
    keyboard_end = os.dup(ours)
    opened: list[asyncio.BaseTransport] = []
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if not echo:
            flags = termios.tcgetattr(theirs)
            flags[1] &= ~termios.OPOST
            flags[3] &= ~termios.ECHO
            termios.tcsetattr(theirs, termios.TCSANOW, flags)
        reader = OutputReader(on_output)
        output, _ = await loop.connect_read_pipe(lambda: reader, os.fdopen(ours, "rb", buffering=0))
        opened.append(output)
        keyboard, _ = await loop.connect_write_pipe(
            asyncio.BaseProtocol, os.fdopen(keyboard_end, "wb", buffering=0)
        )
        opened.append(keyboard)
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", _OPEN_TERMINAL, os.ttyname(theirs), spec.command,
            cwd=spec.cwd, env=dict(spec.env), start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except BaseException:
        for transport in opened:
            transport.close()
        for number in (theirs, *(() if opened else (ours, keyboard_end))):
            _close(number)
        raise
    return Terminal(Child(process, output, reader), keyboard, theirs)


def _close(number: int) -> None:
    try:
        os.close(number)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
