"""Keeps the keys of an AccessVerifier fresh, in a thread of its own: never in a request's path."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from truegreen.errors import Unverified
from truegreen.guard.refresh import Fetch, fetch

if TYPE_CHECKING:
    from truegreen.guard.access import AccessVerifier


class KeyRefresher:
    """Reads the team's published keys every ``interval`` seconds, or when told to.

    ``fetch(url)`` gives the document's text. A read that fails leaves the keys as they are, is told
    to ``failed`` if given (what that raises is dropped), and is made again after ``retry`` seconds,
    whatever it failed of; when none succeeds for the verifier's ``max_age``, the verifier itself
    refuses everything. Under a server that forks, call ``start`` in each worker: threads do not
    survive a fork.
    """

    def __init__(
        self,
        verifier: AccessVerifier,
        *,
        interval: float = 3600.0,
        retry: float = 30.0,
        fetch: Fetch = fetch,
        failed: Callable[[Exception], object] | None = None,
    ) -> None:
        self._verifier = verifier
        self._interval = interval
        self._retry = retry
        self._fetch = fetch
        self._failed = failed
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def refresh(self) -> tuple[str, ...]:
        """Reads the keys now; gives their ids. Raises Unverified or GuardError; keys are kept."""
        text = self._fetch(self._verifier.certs_url)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unverified(f"{self._verifier.certs_url} gave no JSON") from error
        return self._verifier.replace_keys(document)

    def start(self) -> None:
        """Starts the thread, a daemon; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="truegreen-access", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        wait = 0.0
        while not self._stopped.wait(wait):
            try:
                self.refresh()
                wait = self._interval * random.uniform(0.9, 1.1)  # noqa: S311  # spreads workers
            except Exception as error:  # noqa: BLE001  # without this thread the keys grow too old
                wait = self._retry
                if self._failed is not None:
                    with suppress(Exception):
                        self._failed(error)
