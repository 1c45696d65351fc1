"""One-off dynos without a server: what runs, as whom, how it is listed, ended and logged."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.leftovers import Leftovers, group_alive
from truegreen.embedded.oneoff import MOST, NoSlug, OneOffs, TooMany, Wish
from truegreen.embedded.records import App, ReleaseStatus, Slug, now
from truegreen.embedded.rendezvous import Rendezvous
from truegreen.embedded.store import Store


class Stage:
    """One app, ``demo``, with code and a config var; ``log`` holds what was logged of its dynos."""

    def __init__(self, root: Path) -> None:
        data = DataFolder(root)
        data.create()
        self.log: list[str] = []
        self.store = Store(data.database)
        empty = self.store.add_app("demo")
        slug = Slug(
            "s", empty.id, "c0ffee", {"web": "x", "tell": "echo told $A"}, "v", 1, "", now()
        )
        data.slug_app(slug.id).mkdir(parents=True)
        self.store.add_slug(slug)
        release = self.store.add_release(
            empty.id, description="d", slug_id="s", config={"A": "from config"},
            run_command=False, stream=None,
        )  # fmt: skip
        self.store.end_release(release, ReleaseStatus.SUCCEEDED, current=True)
        self.records = data.processes
        self.oneoffs = OneOffs(
            self.store, data, Rendezvous(root, patience=30.0), Leftovers(data.processes),
            lambda app, dyno, line: self.log.append(f"{app} {dyno.partition('.')[0]}: {line}"),
            lambda app, dyno, line: self.log.append(f"{app} {dyno.partition('.')[0]}! {line}"),
            now, grace=1.0,
        )  # fmt: skip

    @property
    def app(self) -> App:
        app = self.store.app("demo")
        assert app is not None
        return app

    async def run(self, command: str, **env: str) -> None:
        """A detached dyno to its end."""
        await self.oneoffs.create(self.app, Wish(command, attach=False, env=env))
        await self.gone()

    async def gone(self) -> None:
        while self.oneoffs.of_app(self.app.id):
            await asyncio.sleep(0.01)


def written(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def play(root: Path, scene: Callable[[Stage], Awaitable[None]]) -> list[str]:
    async def run() -> list[str]:
        stage = Stage(root)
        try:
            async with asyncio.timeout(60):
                await scene(stage)
        finally:
            await stage.oneoffs.close()
            stage.store.close()
        return stage.log

    return asyncio.run(run())


def test_a_detached_one_runs_with_the_apps_config_and_tells_the_log_how_it_ended(
    tmp_path: Path,
) -> None:
    log = play(tmp_path, lambda stage: stage.run("echo $A; echo $B; exit 3", B="chosen"))
    assert [line for line in log if "!" not in line] == [
        "demo run: from config", "demo run: chosen",
    ]  # fmt: skip
    assert [line for line in log if "!" in line] == [
        "demo run! Starting process with command `echo $A; echo $B; exit 3`",
        "demo run! State changed from starting to up",
        "demo run! Process exited with status 3",
        "demo run! State changed from up to complete",
    ]


def test_the_name_of_a_process_type_is_its_command(tmp_path: Path) -> None:
    assert "demo run: told over" in play(tmp_path, lambda stage: stage.run("tell", A="over"))


def test_what_a_client_asks_for_cannot_change_who_the_dyno_is(tmp_path: Path) -> None:
    log = play(tmp_path, lambda stage: stage.run(
        "echo $DYNO $HEROKU_APP_NAME $HOME", DYNO="web.1", HEROKU_APP_NAME="other", HOME="/away"
    ))  # fmt: skip
    said = next(line for line in log if "!" not in line)
    assert said.startswith("demo run: run.")
    assert "other" not in said
    assert "/away" not in said


def test_an_app_without_code_has_none(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        with pytest.raises(NoSlug):
            await stage.oneoffs.create(stage.store.add_app("empty"), Wish("true", attach=False))

    assert play(tmp_path, scene) == []


def test_one_more_than_there_may_be_is_refused_and_each_has_a_name_of_its_own(
    tmp_path: Path,
) -> None:
    async def scene(stage: Stage) -> None:
        for _ in range(MOST):
            await stage.oneoffs.create(stage.app, Wish("sleep 600", attach=False))
        with pytest.raises(TooMany):
            await stage.oneoffs.create(stage.app, Wish("true", attach=False))
        assert len({dyno.name for dyno in stage.oneoffs.of_app(stage.app.id)}) == MOST
        assert await stage.oneoffs.stop(stage.app.id) == MOST
        assert stage.oneoffs.of_app(stage.app.id) == []

    play(tmp_path, scene)


def test_stopped_by_name_or_type_its_whole_group_ends_and_no_other_dyno(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    async def scene(stage: Stage) -> None:
        shell = await stage.oneoffs.create(
            stage.app, Wish(f"echo $$ >>{pids}; sleep 600 & sleep 600", attach=False)
        )
        other = await stage.oneoffs.create(stage.app, Wish("sleep 600", attach=False, type="job"))
        while stage.oneoffs.of_app(stage.app.id)[0].state != "up" or not written(pids):
            await asyncio.sleep(0.01)
        assert await stage.oneoffs.stop(stage.app.id, "run.0") == 0
        assert await stage.oneoffs.stop(stage.app.id, shell.name) == 1
        assert not group_alive(int(pids.read_text()))
        assert [dyno.id for dyno in stage.oneoffs.of_app(stage.app.id)] == [other.id]
        assert await stage.oneoffs.stop(stage.app.id, kind="job") == 1
        assert stage.records.read_text() == "[]"

    log = play(tmp_path / "data", scene)
    assert "demo run! Process stopped" in log


async def _attached(stage: Stage, command: str, typed: bytes = b"") -> bytes:
    """What a client reads that does as Heroku's CLI does."""
    dyno = await stage.oneoffs.create(stage.app, Wish(command, attach=True, echo=False))
    assert dyno.state == "starting"
    assert dyno.attach_url is not None
    url = urlsplit(dyno.attach_url)
    assert url.path[1:] not in repr(dyno)
    trusted = ssl.create_default_context(cafile=str(stage.oneoffs.rendezvous.certificate))
    reader, writer = await asyncio.open_connection(url.hostname, url.port, ssl=trusted)
    try:
        writer.write(url.path[1:].encode() + b"\r\n")
        assert await reader.readline() == b"rendezvous\r\n"
        writer.write(typed)
        return await reader.read()
    finally:
        writer.close()
        await stage.gone()


def test_an_attached_one_is_a_terminal_at_its_url(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        assert await _attached(stage, 'read x; echo "<$x>"; exit 4', b"hi\n") == b"<hi>\n"

    log = play(tmp_path, scene)
    assert "demo run! Process exited with status 4" in log
    assert not any("<hi>" in line for line in log)


def test_a_client_that_goes_away_ends_its_dyno(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        dyno = await stage.oneoffs.create(stage.app, Wish("sleep 600", attach=True))
        url = urlsplit(dyno.attach_url or "")
        trusted = ssl.create_default_context(cafile=str(stage.oneoffs.rendezvous.certificate))
        _, writer = await asyncio.open_connection(url.hostname, url.port, ssl=trusted)
        writer.write(url.path[1:].encode() + b"\r\n")
        while stage.oneoffs.of_app(stage.app.id)[0].state != "up":
            await asyncio.sleep(0.01)
        writer.close()
        await stage.gone()

    assert "demo run! Process stopped" in play(tmp_path, scene)
