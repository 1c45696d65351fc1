"""Output streams of builds and releases: bytes as they come, through resets, until the end.

Facts: streams are ``text/plain`` (resume with Range) or ``text/event-stream`` (Last-Event-Id);
404 "Channel is not registered" before they start, and connection resets, are normal; lone NUL
bytes are heartbeats. No token goes to them. The end of a stream is not the verdict: ask for the
build's or the release's status. Nothing is kept in memory but the piece in hand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

from truegreen.errors import DeadlineExceeded, PlatformRefused, PlatformUnreachable
from truegreen.heroku.events import EventReader
from truegreen.heroku.fields import UnexpectedAnswer
from truegreen.heroku.retry import Deadline, backoff
from truegreen.heroku.transport import NEVER_REACHED
from truegreen.light_httpx import httpx

IDLE = 15.0  # seconds of silence after which a connection is made anew, and resumed
UNREACHABLE_AFTER = 15.0  # seconds
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-")


def follow(
    http: httpx.Client,
    url: str,
    *,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    random: Callable[[], float],
    finished: Callable[[], bool] = lambda: False,
    accept: str = "text/plain",
) -> Iterator[bytes]:
    """The bytes of the stream at ``url`` (checked already), each exactly once, as they come.

    Where a platform no longer has the bytes that come next, one line says how many are missing.
    ``deadline``: seconds; up to IDLE more pass when the stream falls silent just before it.
    ``finished`` is asked between attempts: when it says yes, no further attempt is made and the
    stream ends (for a caller that learns elsewhere that nothing more will come).
    Raises DeadlineExceeded, PlatformUnreachable (no connection, 5xx, or a stream that had begun
    and is gone, for UNREACHABLE_AFTER seconds), PlatformRefused (3xx, 4xx other than 404, 416
    and 429), UnexpectedAnswer (HTML, an event without end).
    """
    left = Deadline(deadline, clock)
    reader = _Reader(accept)
    failing_since: float | None = None
    attempt = 0
    while True:
        lost = False
        try:
            with http.stream(
                "GET",
                url,
                headers=reader.headers(),
                timeout=max(0.001, min(IDLE, left.remaining)),
                follow_redirects=False,
            ) as response:
                if response.status_code == 204:
                    return
                reason, lost = reader.begin(response)
                if not reason:
                    for piece in reader.read(response):
                        if piece:
                            attempt = 0
                            yield piece
                        if left.passed:
                            break
                    else:
                        return
                    reason = "it is still going on"
        except httpx.RequestError as error:
            reason = type(error).__name__
            lost = isinstance(error, NEVER_REACHED)
        if finished():
            return
        wait = backoff(attempt, random, base=0.1, longest=2.0)
        attempt += 1
        if wait >= left.remaining:
            raise DeadlineExceeded(
                f"the output stream had not ended after {deadline:g} s "
                f"({reader.received} bytes read; last: {reason})"
            )
        now = clock()
        failing_since = (failing_since if failing_since is not None else now) if lost else None
        if failing_since is not None and now - failing_since >= UNREACHABLE_AFTER:
            raise PlatformUnreachable(
                f"the output stream at {httpx.URL(url).host} is gone "
                f"({reader.received} bytes read; last: {reason})"
            )
        sleep(wait)


class _Reader:
    """Where we are in a stream, over all its connections."""

    def __init__(self, accept: str) -> None:
        self.received = 0  # bytes given out
        self._accept = accept
        self._offset = 0  # bytes of a plain stream that were read
        self._skip = 0  # bytes, or events, of this connection that were given out already
        self._missing = 0  # bytes between our offset and where this connection begins
        self._ranged = True
        self._events = False
        self._last_id = ""
        self._since_id = 0  # events without an id since the last one with

    def headers(self) -> dict[bytes, bytes]:
        # identity: offsets count what was sent, and a compressed stream comes late.
        found = {b"Accept": self._accept.encode(), b"Accept-Encoding": b"identity"}
        if self._last_id:
            found[b"Last-Event-Id"] = self._last_id.encode()
        elif self._offset and self._ranged:
            found[b"Range"] = b"bytes=%d-" % self._offset
        return found

    def begin(self, response: httpx.Response) -> tuple[str, bool]:
        """Why this answer has no body to read (empty: it has), and whether the stream seems lost.

        Raises PlatformRefused and UnexpectedAnswer for what no further attempt will mend.
        """
        status = response.status_code
        begun = self.received > 0
        if status == 404:
            return "404, not registered", begun
        if status == 416:
            # Nothing after our offset, now or ever: read it whole, skip what we have.
            self._ranged = False
            return "416", False
        if status == 429 or status >= 500:
            return str(status), True
        if status not in (200, 206):
            raise PlatformRefused(
                f"the output stream at {response.url.host} answered {status}", status=status
            )
        kind = response.headers.get("content-type", "").lower()
        if "html" in kind:
            raise UnexpectedAnswer("output stream", "", "is HTML, not output")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnexpectedAnswer("output stream", "", "is compressed although it may not be")
        self._events = kind.startswith("text/event-stream")
        if self._events:
            self._skip = self._since_id
            return "", False
        start = 0
        if status == 206:
            found = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
            if found is None:
                self._ranged = False
                return "206 without a Content-Range", False
            start = int(found[1])
        # A platform that keeps only so much of a long output begins later than it was asked to.
        self._missing = max(0, start - self._offset)
        self._skip = max(0, self._offset - start)
        return "", False

    def read(self, response: httpx.Response) -> Iterator[bytes]:
        """New bytes of this connection; empty ones for heartbeats and repetitions."""
        pieces = self._read_events(response) if self._events else self._read_plain(response)
        for piece in pieces:
            self.received += len(piece)
            yield piece

    def _read_plain(self, response: httpx.Response) -> Iterator[bytes]:
        if self._missing:
            yield b"\n[%d bytes of output are missing here]\n" % self._missing
            self._offset += self._missing
            self._missing = 0
        for piece in response.iter_bytes():
            if not piece.strip(b"\0"):
                yield b""
                continue
            known = min(self._skip, len(piece))
            self._skip -= known
            self._offset += len(piece) - known
            yield piece[known:]

    def _read_events(self, response: httpx.Response) -> Iterator[bytes]:
        reader = EventReader()
        for piece in response.iter_bytes():
            yield b""
            for event in reader.feed(piece):
                if event.id is None:
                    if self._skip:
                        self._skip -= 1
                        continue
                    self._since_id += 1
                elif _not_after(event.id, self._last_id):
                    continue
                else:
                    self._last_id, self._since_id, self._skip = event.id, 0, 0
                yield event.data


def _not_after(event_id: str, last: str) -> bool:
    """Whether an event was seen already, when both ids are numbers; otherwise only if equal."""
    if event_id == last:
        return True
    both = (event_id, last)
    return all(x.isascii() and x.isdigit() and len(x) < 20 for x in both) and (
        int(event_id) <= int(last)
    )
