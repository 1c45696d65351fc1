"""Looks at the whole line once: the queue where there is one, and the leases. Changes nothing."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Any

from truegreen.ship.leases import SCHEMA, Claim, Leases
from truegreen.state import Location
from truegreen.workers.line import document, places
from truegreen.workers.queue import Queue


def look_at_line(location: Location, now: datetime, app: str | None = None) -> dict[str, Any]:
    """The document of ``releases --queue``; ``app``: only its part of it. Makes no file where
    nobody has shipped yet. Raises StateError when the database does not answer."""
    line = None
    if location.shared:
        with Queue.open(location) as queue:
            line = queue.line()
    held: tuple[Claim, ...] = ()
    tickets: tuple[Claim, ...] = ()
    if location.shared or location.file(SCHEMA.name).is_file():
        with closing(Leases.open(location)) as leases:
            held, tickets = leases.held(), leases.waiting()
    found = document(line, places(line, held, tickets), now)
    if app is not None:
        found["apps"] = [one for one in found["apps"] if one["app"] == app]
    return found
