"""An app's custom domains, and whether it is in maintenance: what the router asks beside dynos.

Rows only; the router's pages are router.py's, HTTP is `api/domains.py`'s and `api/apps.py`'s.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from truegreen.embedded.records import App, new_id, now
from truegreen.embedded.store import Store

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOSTNAME = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})+")
OWN_SUFFIX = ".localhost"


class DomainTaken(Exception):
    """An app has this domain already."""


@dataclass(frozen=True)
class Domain:
    id: str
    app_id: str
    hostname: str
    created_at: str


class Domains:
    """Of all apps. What the router asks for every request is kept until something changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read_at = -1
        self._apps: dict[str, str] = {}
        self._maintained: frozenset[str] = frozenset()

    def _refresh(self) -> None:
        if self._read_at != self._store.changes:
            self._read_at = self._store.changes
            self._apps = {
                row["hostname"]: row["name"]
                for row in self._store.query(
                    "SELECT hostname, name FROM domains JOIN apps ON apps.id = domains.app_id"
                )
            }
            self._maintained = frozenset(
                row["name"]
                for row in self._store.query(
                    "SELECT name FROM maintenance JOIN apps ON apps.id = maintenance.app_id"
                )
            )

    def of_app(self, app_id: str) -> list[Domain]:
        sql = "SELECT id, app_id, hostname, created_at FROM domains WHERE app_id = ? ORDER BY rowid"
        return [Domain(**dict(row)) for row in self._store.query(sql, app_id)]

    def app_of(self, hostname: str) -> str | None:
        """The name of the app with that domain, exactly or by the ``*`` of its first label."""
        self._refresh()
        found = self._apps.get(hostname)
        return found or self._apps.get("*." + hostname.partition(".")[2])

    def add(self, app: App, hostname: str) -> Domain:
        """Raises DomainTaken. ``hostname`` matches `HOSTNAME`."""
        domain = Domain(new_id(), app.id, hostname, now())
        try:
            self._store.change(
                "INSERT INTO domains (id, app_id, hostname, created_at) VALUES (?, ?, ?, ?)",
                domain.id, app.id, hostname, domain.created_at,
            )  # fmt: skip
        except sqlite3.IntegrityError:
            raise DomainTaken(hostname) from None
        return domain

    def remove(self, domain: Domain) -> None:
        self._store.change("DELETE FROM domains WHERE id = ?", domain.id)

    # maintenance

    def maintenance(self, app_name: str) -> bool:
        self._refresh()
        return app_name in self._maintained

    def set_maintenance(self, app: App, on: bool) -> None:
        if on:
            self._store.change("INSERT OR IGNORE INTO maintenance (app_id) VALUES (?)", app.id)
        else:
            self._store.change("DELETE FROM maintenance WHERE app_id = ?", app.id)
