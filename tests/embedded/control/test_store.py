from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from truegreen.embedded.migrations import STEPS
from truegreen.embedded.records import BuildStatus, FormationEntry, Release, ReleaseStatus
from truegreen.embedded.store import NameTaken, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite3")
    yield store
    store.close()


def release(store: Store, app_id: str, **config: str) -> Release:
    return store.add_release(
        app_id, description="d", slug_id=None, config=config, run_command=False, stream=None
    )


def test_what_was_stored_is_there_for_the_next_process(tmp_path: Path, store: Store) -> None:
    app = store.add_app("demo")
    store.set_config(app.id, {"A": "ä\n'\""})
    build = store.add_build(app.id, "c0ffee", "stream")
    store.set_formation([FormationEntry(app.id, "web", 2, "Basic")])
    made = release(store, app.id, A="1")
    store.end_release(made, ReleaseStatus.SUCCEEDED, current=True)
    again = Store(tmp_path / "state.sqlite3")
    try:
        found = again.app("demo")
        assert found == store.app(app.id)
        assert found is not None
        assert (found.config, found.current_release_id) == ({"A": "ä\n'\""}, made.id)
        assert again.pending_builds() == [build]
        assert again.formation(app.id)["web"].quantity == 2
        assert again.pending_releases() == []
    finally:
        again.close()


def test_a_name_is_given_once(store: Store) -> None:
    store.add_app("demo")
    with pytest.raises(NameTaken):
        store.add_app("demo")


def test_versions_count_an_app_and_are_found_in_each_form(store: Store) -> None:
    left, right = store.add_app("left"), store.add_app("right")
    made = [release(store, left.id) for _ in range(3)]
    assert [r.version for r in made] == [1, 2, 3]
    assert release(store, right.id).version == 1
    for form in ("2", "v2", made[1].id):
        assert store.release_of(left.id, form) == made[1]
    for form in ("9", "v", "", "-1", "²", "9" * 400):
        assert store.release_of(left.id, form) is None
    assert store.release_of(right.id, made[1].id) is None


def test_a_new_address_of_a_database_is_put_everywhere_it_stood_and_nowhere_else(
    store: Store,
) -> None:
    demo, other = store.add_app("demo"), store.add_app("other")
    for app in (demo, other):
        store.set_config(app.id, {"DATABASE_URL": "old", "A": "old"})
    before, after = release(store, demo.id, A="old"), release(store, demo.id, DATABASE_URL="old")
    store.replace_value(demo.id, "DATABASE_URL", "new")
    found = [store.app("demo"), store.app("other")]
    assert [app and app.config["DATABASE_URL"] for app in found] == ["new", "old"]
    assert [app and app.config["A"] for app in found] == ["old", "old"]
    configs = [r.config for r in store.releases(demo.id)]
    assert configs == [before.config, {**after.config, "DATABASE_URL": "new"}]


def test_a_deleted_app_takes_everything_with_it(store: Store) -> None:
    app = store.add_app("demo")
    build = store.add_build(app.id, None, "s")
    store.end_build(build.id, BuildStatus.FAILED, reason="x")
    made = release(store, app.id)
    store.set_formation([FormationEntry(app.id, "web", 1, "Basic")])
    store.delete_app(app.id)
    assert (store.build(build.id), store.release(made.id), store.formation(app.id)) == (
        None, None, {},
    )  # fmt: skip


def test_a_half_done_change_is_undone(store: Store) -> None:
    app = store.add_app("demo")
    entries = [FormationEntry(app.id, "web", 1, "Basic"), FormationEntry("none", "web", 1, "B")]
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.set_formation(entries)
    assert store.formation(app.id) == {}


@pytest.mark.parametrize("version", range(1, len(STEPS)))
def test_a_folder_of_an_earlier_version_is_brought_up_with_all_that_is_in_it(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "state.sqlite3"
    old = sqlite3.connect(path)
    for step in STEPS[:version]:
        old.executescript(step)
    old.execute(f"PRAGMA user_version = {version}")
    old.execute("INSERT INTO apps VALUES ('a', 'demo', '{}', NULL, 1, 'then', 'then')")
    old.execute(
        "INSERT INTO slugs (id, app_id, process_types, venv, size, checksum, created_at) "
        "VALUES ('s', 'a', '{}', 'v', 1, '', 'then')"
    )
    old.commit()
    old.close()
    for _ in range(2):  # and again: nothing is done twice
        store = Store(path)
        assert [app.name for app in store.apps()] == ["demo"]
        assert store.slug_ids() == {"s"}
        assert store.query("SELECT hostname FROM domains") == []
        assert store.query("PRAGMA user_version")[0][0] == len(STEPS)
        assert store.query("PRAGMA journal_mode")[0][0] == "wal"
        store.close()
