"""The schema of the embedded platform's database, version by version (``PRAGMA user_version``).

Append a step, never change one: folders of earlier versions are out there.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from truegreen.errors import UsageError

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE apps (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, config TEXT NOT NULL,
        current_release_id TEXT, dyno_metadata INTEGER NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE slugs (
        id TEXT PRIMARY KEY, app_id TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
        "commit" TEXT, process_types TEXT NOT NULL, venv TEXT NOT NULL, size INTEGER NOT NULL,
        checksum TEXT NOT NULL, created_at TEXT NOT NULL);
    CREATE TABLE builds (
        id TEXT PRIMARY KEY, app_id TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
        status TEXT NOT NULL, source_version TEXT, stream TEXT NOT NULL, slug_id TEXT,
        release_id TEXT, reason TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE INDEX builds_app ON builds (app_id);
    CREATE TABLE releases (
        id TEXT PRIMARY KEY, app_id TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
        version INTEGER NOT NULL, status TEXT NOT NULL, description TEXT NOT NULL, slug_id TEXT,
        config TEXT NOT NULL, run_command INTEGER NOT NULL, stream TEXT,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (app_id, version));
    CREATE TABLE formation (
        app_id TEXT NOT NULL REFERENCES apps ON DELETE CASCADE, type TEXT NOT NULL,
        quantity INTEGER NOT NULL, size TEXT NOT NULL, PRIMARY KEY (app_id, type));
    CREATE TABLE addons (
        id TEXT PRIMARY KEY, app_id TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
        name TEXT NOT NULL UNIQUE, plan TEXT NOT NULL, database TEXT NOT NULL,
        config_var TEXT NOT NULL, created_at TEXT NOT NULL);
    """,
    """
    CREATE TABLE maintenance (app_id TEXT PRIMARY KEY REFERENCES apps ON DELETE CASCADE);
    CREATE TABLE domains (
        id TEXT PRIMARY KEY, app_id TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
        hostname TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL);
    CREATE TABLE tokens (
        digest TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, email TEXT NOT NULL,
        created_at TEXT NOT NULL);
    CREATE TABLE collaborators (
        id TEXT PRIMARY KEY, app_id TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
        email TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (app_id, email));
    CREATE TABLE webhooks (
        id TEXT PRIMARY KEY, app_id TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
        url TEXT NOT NULL, include TEXT NOT NULL, level TEXT NOT NULL, secret TEXT NOT NULL,
        "authorization" TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    """,
    "ALTER TABLE slugs ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0",
)


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Brings ``db`` to the newest version, one transaction a step.

    Raises UsageError when a newer TrueGreen has written the file at ``path``.
    """
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(STEPS):
        raise UsageError(
            f"{path}: has schema version {version}, this TrueGreen knows {len(STEPS)}",
            hint="use the newer TrueGreen, or another folder with --data",
        )
    for number, step in enumerate(STEPS[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE;{step};PRAGMA user_version = {number};COMMIT;")
