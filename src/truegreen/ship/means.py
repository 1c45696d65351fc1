"""What the pipeline reaches the world with: time and the network, given to it from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from truegreen.heroku.localhost import client as http_client
from truegreen.verify.probe import Get, Prober

if TYPE_CHECKING:
    import httpx

PROBE_TIMEOUT = 10.0  # seconds for one request to the app


class Means(NamedTuple):
    """``clock`` is monotonic, in seconds; ``now`` the wall's, aware. ``transport`` carries every
    request (to the API, to output streams, to the app); None: the network."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    transport: httpx.BaseTransport | None = None

    @contextmanager
    def probe(self) -> Iterator[Get]:
        """GET requests to the app, as the outside makes them."""
        with http_client(timeout=PROBE_TIMEOUT, transport=self.transport) as http:
            yield Prober(http).get


REAL = Means()
