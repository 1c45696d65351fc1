"""A full disk: told in words, nothing half done is called done, and it goes on when there is room.

The disk is made full by the limit on file sizes (RLIMIT_FSIZE) of the running platform, and by
SQLite's limit on pages: both fail where a full disk fails, and neither needs root.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from truegreen.embedded.disk import is_full, written
from truegreen.embedded.store import Store
from truegreen.embedded.streams import Streams

pytestmark = [pytest.mark.platform]
BIG = {"blob.bin": "x" * 3_000_000}


@contextmanager
def full(pid: int, size: int = 1) -> Iterator[None]:
    """No file of the process may grow beyond ``size`` bytes."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def test_what_cannot_be_stored_is_refused_in_words_and_what_runs_goes_on(platform: Any) -> None:
    platform.post("/apps", {"name": "full"})
    release = platform.deploy("full", platform.APP)
    platform.up("full", release["version"])
    blob = platform.post("/sources")["source_blob"]
    before = platform.get("/apps/full/releases")
    with full(platform.info.pid):
        for method, path, values in (
            ("PATCH", "/apps/full/config-vars", {"GREETING": "lost"}),
            ("POST", "/apps", {"name": "another"}),
            ("POST", "/apps/full/releases", {"release": release["id"]}),
            ("PATCH", "/apps/full/formation/web", {"quantity": 2}),
            ("POST", "/apps/full/builds", {"source_blob": {"url": blob["get_url"]}}),
        ):
            answer = platform.http.request(method, path, json=values)
            assert answer.status_code == 507, (path, answer.text)
            assert answer.json()["id"] == "insufficient_storage"
            assert "disk is full" in answer.json()["message"]
        assert platform.http.put(blob["put_url"], content=b"x" * 100_000).status_code == 507
        assert platform.get("/apps/full/releases") == before
        assert platform.get("/apps/full/config-vars") == {}
        for _ in range(20):  # also what only wants to write a line into the log
            assert "c0ffee" in platform.ask(platform.info.router, "full")
    platform.patch("/apps/full/config-vars", {"GREETING": "found"})
    newest = platform.get("/apps/full/releases")[-1]
    platform.up("full", newest["version"])
    assert "found" in platform.ask(platform.info.router, "full")
    database = sqlite3.connect(Path(platform.info.data) / "state.sqlite3")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_build_that_does_not_fit_fails_and_leaves_nothing(platform: Any) -> None:
    platform.post("/apps", {"name": "big"})
    with full(platform.info.pid, 2_000_000):
        build, output = platform.build("big", platform.tarball({**platform.APP, **BIG}))
        assert build["status"] == "failed"
        assert build["release"] is None
        assert "disk is full" in build["failure_reason"]
        assert "disk is full" in output
        assert list((Path(platform.info.data) / "slugs").iterdir()) == []
    assert platform.deploy("big", {**platform.APP, **BIG})["status"] == "succeeded"


def test_a_release_command_that_ends_on_a_full_disk_is_known_once_there_is_room(
    platform: Any,
) -> None:
    platform.post("/apps", {"name": "late"})
    files = {
        **platform.APP,
        "Procfile": "web: python app.py\nrelease: echo begun; while [ ! -e go ]; do sleep 0.05; "
        "done; echo done; exit $CODE\n",
    }
    platform.patch("/apps/late/config-vars", {"CODE": "3"})
    build, _ = platform.build("late", platform.tarball(files))
    path = f"/apps/late/releases/{build['release']['id']}"
    platform.eventually(lambda: "late" and _running(platform))
    with full(platform.info.pid):
        (Path(platform.info.data) / "slugs" / build["slug"]["id"] / "app" / "go").touch()
        platform.eventually(lambda: not _running(platform))
        assert platform.get(path)["status"] == "pending"
        assert platform.get(path)["current"] is False
    assert platform.settled("late", build["release"]["id"])["status"] == "failed"


def _running(platform: Any) -> bool:
    return any(dyno["type"] == "release" for dyno in platform.get("/apps/late/dynos"))


def test_the_store_survives_and_each_change_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite3")
    app = store.add_app("demo")
    pages = store.query("PRAGMA page_count")[0][0]
    store.query(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for _ in range(10_000):
            store.add_release(
                app.id, description="d", slug_id=None, config={"A": "x" * 9000},
                run_command=False, stream=None, set_config=True,
            )  # fmt: skip

    with pytest.raises(sqlite3.OperationalError, match="full") as caught:
        fill()
    assert is_full(caught.value)
    count = len(store.releases(app.id))
    store.query("PRAGMA max_page_count = 1000000")
    made = store.add_release(
        app.id, description="d", slug_id=None, config={}, run_command=False, stream=None
    )
    assert made.version == count + 1
    store.close()


def test_a_stream_loses_what_does_not_fit_and_says_how_much(tmp_path: Path) -> None:
    stream = Streams(tmp_path, 1 << 20).open("out")
    stream.write(b"first\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        stream.write(b"12345678\n")  # four of them fit
        stream.write(b"lost\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    stream.write(b"last\n")
    stream.end()
    text = stream.read(0)
    assert text.startswith(b"first\n1234\n[10 bytes could not be kept: the disk was full]\n")
    assert text.endswith(b"\nlast\n")
    assert stream.total == len(text)


def test_written_waits_for_room_and_raises_what_is_none_of_its_business() -> None:
    left = [OSError(errno.ENOSPC, "full"), OSError(errno.EFBIG, "large"), None]

    def write() -> None:
        if error := left.pop(0):
            raise error

    asyncio.run(written(write, pause=0))
    assert left == []
    left[:] = [OSError(errno.EACCES, "not ours")]
    with pytest.raises(PermissionError):
        asyncio.run(written(write, pause=0))
