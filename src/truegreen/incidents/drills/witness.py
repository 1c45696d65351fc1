"""Looks at the platform from aside, and notes when a fault became true there.

It uses its own client, and knows nothing of who detects what: a detection gap is measured against
it, not against what the detector says of itself. It looks ten times a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from truegreen.errors import TrueGreenError
from truegreen.heroku import HerokuClient

_PAUSE = 0.1  # seconds between two looks
_LAST_LOOKS = 2.0  # seconds in which it goes on looking after the question was answered


class Witness:
    """Use it as a context around what is to be witnessed. ``since``: made (a release after
    ``version`` is there), ended (its command has ended), crash (a dyno has crashed); with anything
    else it does not look by itself, and `note` says when."""

    def __init__(
        self, open_client: Callable[[], HerokuClient], app: str, since: str, version: int
    ) -> None:
        self._open = open_client
        self._app = app
        self._since = since
        self._version = version
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._looks = since in ("made", "ended", "crash")
        self.at: float | None = None  # time.monotonic() at which it was true first

    def __enter__(self) -> Witness:
        if self._looks:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._looks:
            self._thread.join(5.0)

    def note(self) -> None:
        """It is true now; kept the first time."""
        if self.at is None:
            self.at = time.monotonic()

    def wait(self) -> None:
        """Gives it the time of a few more looks, when it has not seen anything yet."""
        until = time.monotonic() + _LAST_LOOKS
        while self._looks and self.at is None and time.monotonic() < until:
            time.sleep(_PAUSE)

    def _run(self) -> None:
        with self._open() as client:
            while not self._stop.is_set() and self.at is None:
                try:
                    seen = self._seen(client)
                except TrueGreenError:  # a platform that does not answer has shown nothing
                    seen = False
                if seen:
                    self.note()
                self._stop.wait(_PAUSE)

    def _seen(self, client: HerokuClient) -> bool:
        if self._since == "crash":
            return any(dyno.state == "crashed" for dyno in client.dynos(self._app))
        later = [one for one in client.releases(self._app, 10) if one.version > self._version]
        if self._since == "made":
            return bool(later)
        return any(one.status != "pending" for one in later)
