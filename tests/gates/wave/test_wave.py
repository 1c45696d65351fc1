"""The wave out of real repositories: what goes out, who made it, and what a clone cannot say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from truegreen.config import load_config
from truegreen.gates.serving import Serving
from truegreen.gates.wave import Wave, read_wave

CONFIG = (
    "[service]\nname = 'shop'\n[release]\nmigrate = 'alembic'\n[flags.FLAG_OLD]\ndefault = false\n"
)
INI = "[alembic]\nscript_location = %(here)s/db\n"


def git(root: Path, *arguments: str, author: str = "Ann") -> str:
    identity = {
        "GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.com",
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
    }  # fmt: skip
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=root, env={**os.environ, **identity}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


class Shop:
    """A service in a repository of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        git(root, "init", "--quiet", "--initial-branch=main")
        self.first = self.commit("first", {"truegreen.toml": CONFIG, "alembic.ini": INI})

    def commit(self, message: str, files: dict[str, str] | None = None, author: str = "Ann") -> str:
        for name, text in (files or {}).items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", message, author=author)
        return git(self.root, "rev-parse", "HEAD")

    def wave(self, base: str | None, commit: str = "HEAD") -> Wave:
        return read_wave(load_config(self.root), Serving(base, 7, True), commit)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


def test_commits_requests_authors_migrations_and_flags_are_in_it(shop: Shop) -> None:
    shop.commit("Add a cart (#12)\n\nCo-authored-by: Bob <b@example.com>", {"cart.py": "x = 1\n"})
    changed = CONFIG.replace("false", "true") + "[flags.FLAG_NEW]\ndefault = false\n"
    head = shop.commit(
        "Flags and a column",
        {"db/versions/2_column.py": "revision = '2'\n", "truegreen.toml": changed},
        author="Eve",
    )
    wave = shop.wave(shop.first)
    assert (wave.relation, wave.base, wave.head, wave.known) == ("ahead", shop.first, head, True)
    assert [one.subject for one in wave.commits] == ["Flags and a column", "Add a cart (#12)"]
    assert [(one.number, one.title) for one in wave.prs] == [(12, "Add a cart")]
    assert wave.authors == ("Ann", "Bob", "Eve")
    assert wave.migrations == ("db/versions/2_column.py",)
    assert {one.name: one.what for one in wave.flags} == {
        "FLAG_NEW": "added",
        "FLAG_OLD": "changed",
    }
    assert wave.files == 3
    assert "example.com" not in str(wave.as_json())


def test_a_flag_that_is_used_somewhere_else_is_mentioned(shop: Shop) -> None:
    shop.commit("use it", {"a.py": "if FLAG_OLD: pass\nFLAG_OLDER = 1\n"})
    assert [(one.name, one.what) for one in shop.wave(shop.first).flags] == [
        ("FLAG_OLD", "mentioned")
    ]


def test_a_merge_brings_its_request_and_the_commits_of_its_branch(shop: Shop) -> None:
    git(shop.root, "switch", "--quiet", "--create", "topic")
    shop.commit("one", {"one.py": ""})
    git(shop.root, "switch", "--quiet", "main")
    message = "Merge pull request #31 from ann/topic\n\nAdd the first thing"
    git(shop.root, "merge", "--quiet", "--no-ff", "--message", message, "topic")
    wave = shop.wave(shop.first)
    assert [(one.number, one.title) for one in wave.prs] == [(31, "Add the first thing")]
    assert [one.merge for one in wave.commits] == [True, False]


def test_nothing_that_serves_and_the_same_again_are_said_as_such(shop: Shop) -> None:
    assert shop.wave(None).relation == "first"
    assert shop.wave(shop.first).relation == "same"


def test_an_older_candidate_and_another_branch_take_back_what_serves(shop: Shop) -> None:
    second = shop.commit("second")
    older = shop.wave(second, shop.first)
    assert (older.relation, [one.subject for one in older.taken_back]) == ("behind", ["second"])
    git(shop.root, "switch", "--quiet", "--create", "other", shop.first)
    shop.commit("another")
    other = shop.wave(second)
    assert other.relation == "diverged"
    assert [one.subject for one in other.commits] == ["another"]
    assert [one.subject for one in other.taken_back] == ["second"]


@pytest.mark.parametrize("named", ["f" * 40, "main", "--all", "HEAD~1", "", "deadbeef"])
def test_a_baseline_that_this_clone_does_not_have_is_said(shop: Shop, named: str) -> None:
    shop.commit("second")
    wave = shop.wave(named)
    assert wave.relation == "unknown"
    assert "this clone does not have" in wave.why
    assert wave.why.endswith("git fetch --all")


def test_a_platform_that_could_not_be_asked_leaves_the_wave_unknown(shop: Shop) -> None:
    wave = read_wave(load_config(shop.root), Serving(None, None, False, "no answer"))
    assert (wave.known, wave.why) == (False, "what serves is not known: no answer")


def test_outside_a_repository_the_wave_is_unknown(tmp_path: Path) -> None:
    wave = read_wave(load_config(tmp_path), Serving("a" * 40, 1, True))
    assert not wave.known


@pytest.fixture
def shallow(shop: Shop, tmp_path: Path) -> Callable[[int], Path]:
    def clone(depth: int) -> Path:
        target = tmp_path / f"depth-{depth}"
        url = shop.root.as_uri()
        git(tmp_path, "clone", "--quiet", f"--depth={depth}", url, str(target))
        return target

    return clone


def test_a_shallow_clone_without_the_baseline_is_said_and_not_guessed(
    shop: Shop, shallow: Callable[[int], Path]
) -> None:
    for number in range(4):
        shop.commit(f"commit {number}")
    wave = read_wave(load_config(shallow(2)), Serving(shop.first, 1, True))
    assert not wave.known
    assert wave.why.endswith("git fetch --unshallow")


def test_a_shallow_clone_that_holds_the_stretch_is_enough(
    shop: Shop, shallow: Callable[[int], Path]
) -> None:
    for number in range(4):
        base = shop.commit(f"commit {number}")
    shop.commit("the last")
    wave = read_wave(load_config(shallow(3)), Serving(base, 1, True))
    assert (wave.relation, len(wave.commits)) == ("ahead", 1)


def test_a_shallow_clone_that_cuts_the_stretch_off_is_said(
    shop: Shop, shallow: Callable[[int], Path]
) -> None:
    """The baseline is there, as the tip of another branch, and the way to it is not."""
    git(shop.root, "switch", "--quiet", "--create", "served")
    served = shop.commit("served")
    git(shop.root, "switch", "--quiet", "main")
    for number in range(4):
        shop.commit(f"commit {number}")
    clone = shallow(1)
    git(clone, "fetch", "--quiet", "--depth=1", "origin", "served")
    wave = read_wave(load_config(clone), Serving(served, 1, True))
    assert not wave.known
    assert "cut off" in wave.why


def test_only_the_services_folder_counts_for_files(shop: Shop) -> None:
    folder = shop.root / "services" / "web"
    base = shop.commit("web", {"services/web/truegreen.toml": CONFIG.replace("shop", "web")})
    shop.commit("both", {"services/web/a.py": "", "other/b.py": ""})
    wave = read_wave(load_config(folder), Serving(base, 1, True))
    assert (wave.files, len(wave.commits)) == (1, 1)


def test_what_a_terminal_would_obey_does_not_reach_it(shop: Shop) -> None:
    shop.commit("red \x1b[31m text\x07", author="E\x1bve")
    told = str(shop.wave(shop.first).as_json())
    assert "\\x1b" not in told
    assert "\x1b" not in told
