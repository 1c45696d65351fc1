"""The embedded platform's state in SQLite: survives a restart, and a kill at any point.

Rows in, frozen records out; every public method is one transaction. No decisions live here: what
a status means, and what happens next, is `releases`' and `builds`' business. One process opens it
(`server` holds the folder's lock), from one thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from truegreen.embedded import records, rows
from truegreen.embedded.migrations import migrate
from truegreen.embedded.records import (
    Addon,
    App,
    Build,
    BuildStatus,
    FormationEntry,
    Release,
    ReleaseStatus,
    ReleaseSummary,
    Slug,
)


class NameTaken(Exception):
    """An app of this name exists."""


class Store:
    """``path``: the database file, made when it is not there. Raises UsageError for one that a
    newer TrueGreen has written."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self.changes = 0
        """Goes up with every transaction: what was read at another number may be old."""
        self._names: tuple[int, frozenset[str]] = (-1, frozenset())
        self._slug_ids: tuple[int, frozenset[str]] = (-1, frozenset())
        self.watchers: list[Callable[[str, str, str], None]] = []
        """Called with entity, action and id after a release or build was made or has ended, or a
        process type was scaled (then the id is ``APP:TYPE``)."""
        self._db.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        migrate(self._db, path)
        path.chmod(0o600)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        self.changes += 1
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk rolls back by itself
                self._db.execute("ROLLBACK")
            raise

    def _tell(self, entity: str, action: str, key: str) -> None:
        for watcher in self.watchers:
            watcher(entity, action, key)

    def query(self, sql: str, *args: Any) -> list[sqlite3.Row]:
        """For the parts that have tables of their own: access, domains, webhooks."""
        return self._db.execute(sql, args).fetchall()

    def change(self, sql: str, *args: Any) -> int:
        """One statement, one transaction; the number of rows it changed."""
        with self._transaction() as db:
            return db.execute(sql, args).rowcount

    def _one(self, sql: str, *args: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(sql, args).fetchone()
        return row

    def _update(self, table: str, key: str, **values: Any) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._transaction() as db:
            db.execute(
                f"UPDATE {table} SET {columns}, updated_at = ? WHERE id = ?",  # noqa: S608
                (*values.values(), records.now(), key),
            )

    # settings

    def setting(self, name: str) -> str | None:
        row = self._one("SELECT value FROM settings WHERE name = ?", name)
        return None if row is None else str(row["value"])

    def settings(self, prefix: str = "") -> dict[str, str]:
        rows = self._db.execute("SELECT name, value FROM settings").fetchall()
        return {r["name"]: r["value"] for r in rows if r["name"].startswith(prefix)}

    def save_settings(self, values: Mapping[str, str]) -> None:
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value=excluded.value",
                list(values.items()),
            )

    # apps

    def add_app(self, name: str) -> App:
        """Raises NameTaken."""
        at = records.now()
        app = App(records.new_id(), name, {}, None, True, at, at)
        try:
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO apps VALUES (?, ?, '{}', NULL, 1, ?, ?)", (app.id, name, at, at)
                )
        except sqlite3.IntegrityError:
            raise NameTaken(name) from None
        return app

    def app(self, id_or_name: str) -> App | None:
        row = self._one("SELECT * FROM apps WHERE id = ?1 OR name = ?1", id_or_name)
        return None if row is None else rows.app(row)

    def app_names(self) -> frozenset[str]:
        """Of every app. Cheap enough to be asked for every request."""
        if self._names[0] != self.changes:
            rows = self._db.execute("SELECT name FROM apps")
            self._names = (self.changes, frozenset(str(row["name"]) for row in rows))
        return self._names[1]

    def apps(self) -> list[App]:
        return [rows.app(row) for row in self._db.execute("SELECT * FROM apps ORDER BY name")]

    def rename_app(self, app_id: str, name: str) -> None:
        """Raises NameTaken."""
        try:
            self._update("apps", app_id, name=name)
        except sqlite3.IntegrityError:
            raise NameTaken(name) from None

    def delete_app(self, app_id: str) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM apps WHERE id = ?", (app_id,))

    def set_config(self, app_id: str, config: Mapping[str, str]) -> None:
        self._update("apps", app_id, config=json.dumps(dict(config)))

    def replace_value(self, app_id: str, name: str, value: str) -> None:
        """Puts ``value`` in the place of what add-on variable ``name`` held, in the app's config
        vars and in the snapshots of its releases; no release is made of it."""
        path = f'$."{name}"'
        with self._transaction() as db:
            for table, key in (("apps", "id"), ("releases", "app_id")):
                db.execute(
                    f"UPDATE {table} SET config = json_replace(config, ?, ?) "  # noqa: S608
                    f"WHERE {key} = ?",
                    (path, value, app_id),
                )

    def set_dyno_metadata(self, app_id: str, enabled: bool) -> None:
        self._update("apps", app_id, dyno_metadata=int(enabled))

    def preboot(self, app_id: str) -> bool:
        return self.setting(f"preboot:{app_id}") == "1"

    def set_preboot(self, app_id: str, enabled: bool) -> None:
        self.save_settings({f"preboot:{app_id}": str(int(enabled))})

    def set_current(self, app_id: str, release_id: str) -> None:
        self._update("apps", app_id, current_release_id=release_id)

    # slugs

    def add_slug(self, slug: Slug, build_id: str = "") -> None:
        """``build_id``: the build that made it, and is pending still."""
        with self._transaction() as db:
            db.execute("UPDATE builds SET slug_id = ? WHERE id = ?", (slug.id, build_id))
            db.execute(
                'INSERT INTO slugs (id, app_id, "commit", process_types, venv, size, checksum, '
                "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (slug.id, slug.app_id, slug.commit, json.dumps(dict(slug.process_types)),
                 slug.venv, slug.size, slug.checksum, slug.created_at),
            )  # fmt: skip

    def slug(self, slug_id: str) -> Slug | None:
        row = self._one("SELECT * FROM slugs WHERE id = ?", slug_id)
        if row is None:
            return None
        return rows.slug(row)

    def has_slug(self, slug_id: str | None) -> bool:
        """Are the slug's files still kept?"""
        if self._slug_ids[0] != self.changes:
            self._slug_ids = (self.changes, frozenset(self.slug_ids()))
        return slug_id in self._slug_ids[1]

    def slugs(self) -> list[Slug]:
        """Of all apps, oldest first."""
        return [rows.slug(row) for row in self._db.execute("SELECT * FROM slugs ORDER BY rowid")]

    def mark_pruned(self, slug_ids: Sequence[str]) -> None:
        with self._transaction() as db:
            db.executemany("UPDATE slugs SET pruned = 1 WHERE id = ?", [(i,) for i in slug_ids])

    def slug_ids(self) -> set[str]:
        return {row["id"] for row in self._db.execute("SELECT id FROM slugs WHERE NOT pruned")}

    # builds

    def add_build(self, app_id: str, source_version: str | None, stream: str) -> Build:
        at = records.now()
        build = Build(
            records.new_id(), app_id, BuildStatus.PENDING, source_version, stream, None, None, "",
            at, at,
        )  # fmt: skip
        with self._transaction() as db:
            db.execute(
                "INSERT INTO builds VALUES (?, ?, 'pending', ?, ?, NULL, NULL, '', ?, ?)",
                (build.id, app_id, source_version, stream, at, at),
            )
        self._tell("build", "create", build.id)
        return build

    def build(self, build_id: str) -> Build | None:
        row = self._one("SELECT * FROM builds WHERE id = ?", build_id)
        return None if row is None else rows.build(row)

    def builds(self, app_id: str) -> list[Build]:
        """Oldest first."""
        sql = "SELECT * FROM builds WHERE app_id = ? ORDER BY rowid"
        return [rows.build(row) for row in self._db.execute(sql, (app_id,))]

    def pending_builds(self) -> list[Build]:
        return [
            rows.build(r) for r in self._db.execute("SELECT * FROM builds WHERE status='pending'")
        ]

    def end_build(
        self, build_id: str, status: BuildStatus, *, slug_id: str | None = None,
        release_id: str | None = None, reason: str = "",
    ) -> None:  # fmt: skip
        self._update(
            "builds", build_id, status=str(status), slug_id=slug_id, release_id=release_id,
            reason=reason,
        )  # fmt: skip
        self._tell("build", "update", build_id)

    # releases

    def add_release(
        self, app_id: str, *, description: str, slug_id: str | None, config: Mapping[str, str],
        run_command: bool, stream: str | None, set_config: bool = False,
    ) -> Release:  # fmt: skip
        """A new pending release with the app's next version; with ``set_config`` its config vars
        are the app's from now on, in one."""
        at, key = records.now(), records.new_id()
        with self._transaction() as db:
            if set_config:
                db.execute(
                    "UPDATE apps SET config = ?, updated_at = ? WHERE id = ?",
                    (json.dumps(dict(config)), at, app_id),
                )
            version = db.execute(
                "SELECT coalesce(max(version), 0) + 1 FROM releases WHERE app_id = ?", (app_id,)
            ).fetchone()[0]
            db.execute(
                "INSERT INTO releases VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?)",
                (key, app_id, version, description, slug_id, json.dumps(dict(config)),
                 int(run_command), stream, at, at),
            )  # fmt: skip
        release = self.release(key)
        assert release is not None
        self._tell("release", "create", key)
        return release

    def release(self, release_id: str) -> Release | None:
        row = self._one("SELECT * FROM releases WHERE id = ?", release_id)
        return None if row is None else rows.release(row)

    def release_with_slug(self, slug_id: str) -> Release | None:
        """The first one that was made of the slug."""
        sql = "SELECT * FROM releases WHERE slug_id = ? ORDER BY version LIMIT 1"
        row = self._one(sql, slug_id)
        return None if row is None else rows.release(row)

    def release_of(self, app_id: str, id_or_version: str) -> Release | None:
        """By id, or by version with or without its ``v``."""
        number = id_or_version.removeprefix("v")
        row = self._one(
            "SELECT * FROM releases WHERE app_id = ? AND (id = ? OR version = ?)",
            app_id,
            id_or_version,
            int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1,
        )
        return None if row is None else rows.release(row)

    def releases(self, app_id: str) -> list[Release]:
        """Oldest first."""
        sql = "SELECT * FROM releases WHERE app_id = ? ORDER BY version"
        return [rows.release(row) for row in self._db.execute(sql, (app_id,))]

    def release_keys(self, app_id: str, field: Literal["id", "version"]) -> list[Any]:
        """That field of every release of the app, and no more: a list is cut by it."""
        sql = f"SELECT {field} FROM releases WHERE app_id = ?"  # noqa: S608
        return [key for (key,) in self._db.execute(sql, (app_id,))]

    def summaries(
        self, app_id: str, field: Literal["id", "version"], keys: Sequence[Any]
    ) -> list[ReleaseSummary]:
        """Of the releases with those keys, in the order of ``keys``."""
        sql = (
            f"SELECT {', '.join(ReleaseSummary._fields)} FROM releases WHERE app_id = ? "  # noqa: S608
            f"AND {field} IN (SELECT value FROM json_each(?))"
        )
        asked = self._db.execute(sql, (app_id, json.dumps(keys)))
        place = ReleaseSummary._fields.index(field)
        found = {row[place]: ReleaseSummary._make(row) for row in asked}
        return [found[key] for key in keys if key in found]

    def newest_release(self, app_id: str, *, with_slug: bool = False) -> Release | None:
        """The release with the highest version; ``with_slug``: of those that have code."""
        row = self._one(
            "SELECT * FROM releases WHERE app_id = ? AND (slug_id IS NOT NULL OR NOT ?) "
            "ORDER BY version DESC LIMIT 1",
            app_id,
            with_slug,
        )
        return None if row is None else rows.release(row)

    def pending_releases(self) -> list[Release]:
        sql = "SELECT * FROM releases WHERE status = 'pending' ORDER BY version"
        return [rows.release(row) for row in self._db.execute(sql)]

    def move_release(
        self, release_id: str, slug_id: str | None, *, run_command: bool, stream: str | None
    ) -> None:
        self._update(
            "releases", release_id, slug_id=slug_id, run_command=int(run_command), stream=stream
        )

    def end_release(
        self, release: Release, status: ReleaseStatus, *, current: bool,
        description: str | None = None,
    ) -> None:  # fmt: skip
        """Sets the status and, with ``current``, makes it the app's current release, in one."""
        at = records.now()
        with self._transaction() as db:
            db.execute(
                "UPDATE releases SET status = ?, description = ?, updated_at = ? WHERE id = ?",
                (str(status), description or release.description, at, release.id),
            )
            if current:
                db.execute(
                    "UPDATE apps SET current_release_id = ?, updated_at = ? WHERE id = ?",
                    (release.id, at, release.app_id),
                )
        self._tell("release", "update", release.id)

    # formation

    def formation(self, app_id: str) -> dict[str, FormationEntry]:
        sql = "SELECT * FROM formation WHERE app_id = ? ORDER BY type"
        rows = self._db.execute(sql, (app_id,))
        return {row["type"]: FormationEntry(**dict(row)) for row in rows}

    def set_formation(self, entries: list[FormationEntry]) -> None:
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO formation VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET quantity = excluded.quantity, size = excluded.size",
                [(e.app_id, e.type, e.quantity, e.size) for e in entries],
            )
        for entry in entries:
            self._tell("formation", "update", f"{entry.app_id}:{entry.type}")

    # add-ons

    def add_addon(self, addon: Addon) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO addons VALUES (?, ?, ?, ?, ?, ?, ?)", tuple(vars(addon).values())
            )

    def addons(self, app_id: str | None = None) -> list[Addon]:
        rows = self._db.execute("SELECT * FROM addons ORDER BY rowid").fetchall()
        return [Addon(**dict(row)) for row in rows if app_id in (None, row["app_id"])]

    def delete_addon(self, addon_id: str) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM addons WHERE id = ?", (addon_id,))
