"""Orders to enqueue, and what only time or a broken network could do to the tables."""

from __future__ import annotations

from typing import Any

import psycopg

from truegreen.state import Location
from truegreen.workers.order import Options, Order


def order(app: str = "shop", commit: str = "a" * 40, **other: Any) -> Order:
    values: dict[str, Any] = {
        "place": f"https://api.example.com/apps/{app}",
        "app": app,
        "environment": "production",
        "repository": "https://git.example.com/shop.git",
        "prefix": "",
        "commit": commit,
        "options": Options(),
        "asked_by": "ada@runner",
    }
    return Order(**(values | other))


def sql(location: Location, statement: str, *values: Any) -> list[Any]:
    """Past the queue: what only time or another process could do."""
    assert location.url is not None
    with psycopg.connect(
        location.url.reveal(), autocommit=True, options="-c search_path=truegreen"
    ) as db:
        cursor = db.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def cut_connections(location: Location) -> int:
    """Ends every other connection to the database, as a network that breaks would."""
    rows = sql(
        location,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    return len(rows)
