"""``git push`` to the platform, by git itself: what it prints, exits with and leaves behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.platform


class Checkout:
    """A repository of a developer, with the app's git_url (and the token in it) as its remote."""

    def __init__(self, folder: Path, client: Any, app: str) -> None:
        self.folder = folder
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **{f"GIT_{who}_NAME": "dev" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "dev@localhost" for who in ("AUTHOR", "COMMITTER")},
        }
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        url = client.get(f"/apps/{app}")["git_url"]
        token = client.info.token().reveal()
        self.git("remote", "add", "heroku", url.replace("http://", f"http://any:{token}@"))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    def git(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | bytes], *options: str) -> str:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (self.folder / name).write_bytes(data)
        self.git("add", ".")
        self.git("commit", "-q", "-m", "change", *options)
        return self.git("rev-parse", "HEAD")

    def push(self, *arguments: str) -> tuple[int, str]:
        done = self.run("push", "heroku", *(arguments or ("main",)))
        return done.returncode, done.stderr


@pytest.fixture
def checkout(shared: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Checkout:
    name = f"git-{abs(hash(request.node.name)) % 10**8}"
    shared.post("/apps", {"name": name})
    made = Checkout(tmp_path / name, shared, name)
    made.commit(shared.APP)
    return made


def app_of(checkout: Checkout) -> str:
    return checkout.folder.name


def releases(shared: Any, checkout: Checkout) -> list[Any]:
    found: list[Any] = shared.get(f"/apps/{app_of(checkout)}/releases")
    return found


def test_a_push_builds_and_releases_the_commit_and_the_next_is_up_to_date(
    shared: Any, checkout: Checkout
) -> None:
    commit = checkout.git("rev-parse", "HEAD")
    code, said = checkout.push()
    assert code == 0, said
    for line in ("remote: -----> Building", "remote: -----> Launching...",
                 "remote: Verifying deploy... done: v2"):  # fmt: skip
        assert line in said
    [build] = shared.get(f"/apps/{app_of(checkout)}/builds")
    assert build["source_blob"]["version"] == commit
    release = releases(shared, checkout)[-1]
    assert (release["version"], release["current"]) == (2, True)
    shared.up(app_of(checkout), 2)
    assert commit in shared.ask(shared.info.router, app_of(checkout))
    assert checkout.push()[1].splitlines()[-1] == "Everything up-to-date"
    assert len(releases(shared, checkout)) == 2


def test_a_failed_build_refuses_the_push_and_nothing_of_it_stays(
    shared: Any, checkout: Checkout
) -> None:
    checkout.commit({"requirements.txt": "no such @@ thing\n"})
    code, said = checkout.push()
    assert code == 1
    assert "remote:  !     Push rejected: the build failed." in said
    assert "[remote rejected] main -> main (pre-receive hook declined)" in said
    assert len(releases(shared, checkout)) == 1
    assert checkout.git("ls-remote", "heroku") == ""


def test_a_failed_release_command_is_accepted_with_exit_0_as_on_heroku(
    shared: Any, checkout: Checkout
) -> None:
    procfile = shared.APP["Procfile"] + "release: echo it goes wrong; exit 13\n"
    commit = checkout.commit({"Procfile": procfile})
    code, said = checkout.push()
    assert code == 0
    assert "remote: it goes wrong" in said
    assert "Release command failed: v2 is not deployed" in said
    assert releases(shared, checkout)[-1]["status"] == "failed"
    assert checkout.git("ls-remote", "heroku", "main").split()[0] == commit
    assert checkout.push()[1].splitlines()[-1] == "Everything up-to-date"


def test_what_the_build_says_arrives_while_it_runs(shared: Any, checkout: Checkout) -> None:
    gate = checkout.folder.parent / "gate"
    wait = f"release: echo begun; while [ ! -e {gate} ]; do sleep 0.05; done; echo ended\n"
    checkout.commit({"Procfile": shared.APP["Procfile"] + wait})
    push = subprocess.Popen(
        ["git", "push", "heroku", "main"], cwd=checkout.folder, env=checkout.env,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert push.stderr is not None
    early = []
    for line in push.stderr:
        early.append(line)
        if "begun" in line:
            break
    assert push.poll() is None
    gate.touch()
    rest = push.stderr.read()
    push.stderr.close()
    assert push.wait(60) == 0
    assert "ended" not in "".join(early)
    assert "remote: ended" in rest


def test_a_forced_push_goes_and_an_unforced_one_that_loses_commits_does_not(
    shared: Any, checkout: Checkout
) -> None:
    assert checkout.push()[0] == 0
    checkout.commit({"new": "1"}, "--amend")
    code, said = checkout.push()
    assert (code, "[rejected]" in said) == (1, True)
    assert len(releases(shared, checkout)) == 2
    assert checkout.push("--force", "main")[0] == 0
    assert releases(shared, checkout)[-1]["version"] == 3


def test_a_large_push_arrives_whole(shared: Any, checkout: Checkout) -> None:
    large = random.Random(1).randbytes(24_000_000)
    checkout.commit({"large.bin": large})
    code, said = checkout.push()
    assert code == 0, said
    slug = shared.get(f"/apps/{app_of(checkout)}/builds")[-1]["slug"]["id"]
    assert (shared.info.data / "slugs" / slug / "app" / "large.bin").read_bytes() == large


def test_of_two_pushes_at_once_one_is_built_and_the_other_told_to_fetch(
    shared: Any, checkout: Checkout, tmp_path: Path
) -> None:
    other = Checkout(tmp_path / "other", shared, app_of(checkout))
    other.commit({**shared.APP, "other": "1"})
    slow = shared.APP["Procfile"] + "release: sleep 1\n"
    for who in (checkout, other):
        who.commit({"Procfile": slow})
    results: list[tuple[int, str]] = []
    threads = [
        threading.Thread(target=lambda who=who: results.append(who.push()))
        for who in (checkout, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(code for code, _ in results) == [0, 1], results
    [refused] = [said for code, said in results if code]
    assert "main has moved meanwhile" in refused or "[rejected]" in refused
    assert len(releases(shared, checkout)) == 2


def test_only_main_and_master_are_built_and_neither_can_be_deleted(
    shared: Any, checkout: Checkout
) -> None:
    code, said = checkout.push("main:topic")
    assert (code, "neither main nor master" in said) == (0, True)
    assert len(releases(shared, checkout)) == 1
    assert checkout.push("main:master")[0] == 0
    assert len(releases(shared, checkout)) == 2
    code, said = checkout.push("--delete", "master")
    assert (code, "cannot be deleted" in said) == (1, True)


def test_without_the_token_nothing_is_read_or_written(shared: Any, checkout: Checkout) -> None:
    url = shared.get(f"/apps/{app_of(checkout)}")["git_url"]
    for password in ("", "undefined", "wrong"):
        other = url.replace("http://", f"http://any:{password}@")
        for arguments in (("push", other, "main"), ("ls-remote", other)):
            assert checkout.run(*arguments).returncode == 128
    assert shared.http.post("/git-pushes/guessed?commit=abc").status_code == 404
    assert len(releases(shared, checkout)) == 1


def test_only_the_smart_protocol_is_spoken(shared: Any, checkout: Checkout) -> None:
    base = f"/{app_of(checkout)}.git"
    for rest in ("/HEAD", "/config", "/info/refs", "/objects/info/packs", "/../../token"):
        assert shared.http.get(base + rest).status_code == 404
    assert shared.http.post(f"{base}/config").status_code == 404
    assert shared.http.get("/nobody.git/info/refs?service=git-upload-pack").status_code == 404


def test_what_was_pushed_can_be_cloned(shared: Any, checkout: Checkout) -> None:
    checkout.push()
    url = checkout.git("remote", "get-url", "heroku")
    target = checkout.folder.parent / "clone"
    checkout.git("clone", "-q", url, str(target))
    assert (target / "Procfile").read_text() == shared.APP["Procfile"]


def test_a_push_that_is_broken_off_leaves_no_process_and_no_branch(
    shared: Any, checkout: Checkout
) -> None:
    checkout.commit({"Procfile": shared.APP["Procfile"] + "release: echo begun; sleep 5\n"})
    push = subprocess.Popen(
        ["git", "push", "heroku", "main"], cwd=checkout.folder, env=checkout.env,
        stderr=subprocess.PIPE, start_new_session=True, text=True,
    )  # fmt: skip
    assert push.stderr is not None
    assert any("begun" in line for line in push.stderr)
    os.killpg(push.pid, signal.SIGKILL)  # git and its HTTP helper
    push.wait()
    push.stderr.close()

    def left() -> list[str]:
        return [
            folder.name
            for folder in Path("/proc").iterdir()
            if folder.name.isdigit() and _works_in(folder, shared.info.data / "git")
        ]

    until = time.monotonic() + 30
    while left():
        assert time.monotonic() < until, left()
        time.sleep(0.1)
    assert checkout.git("ls-remote", "heroku") == ""


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


def test_a_deleted_app_takes_its_repository_with_it(shared: Any, checkout: Checkout) -> None:
    checkout.push("main:topic")
    app = shared.get(f"/apps/{app_of(checkout)}")
    repository = shared.info.data / "git" / f"{app['id']}.git"
    assert repository.is_dir()
    assert shared.http.delete(f"/apps/{app_of(checkout)}").status_code == 200
    assert not repository.exists()


def test_a_submodule_that_would_be_missing_refuses_the_push(checkout: Checkout) -> None:
    link = f"160000,{checkout.git('rev-parse', 'HEAD')},vendor/lib"
    checkout.git("update-index", "--add", "--cacheinfo", link)
    checkout.git("commit", "-q", "-m", "a submodule")
    code, said = checkout.push()
    assert code != 0
    assert "vendor/lib is a submodule" in said


def test_lfs_pointers_are_built_as_they_are_and_told_of(checkout: Checkout, shared: Any) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n"
    attributes = "*.big filter=lfs diff=lfs merge=lfs -text\n"
    checkout.commit({"data.big": pointer, ".gitattributes": attributes})
    code, said = checkout.push()
    assert code == 0
    assert "Git LFS arrive as their pointers" in said
    release = shared.get(f"/apps/{app_of(checkout)}/releases")[-1]
    slug = Path(shared.info.data) / "slugs" / release["slug"]["id"] / "app"
    assert (slug / "data.big").read_text() == pointer
