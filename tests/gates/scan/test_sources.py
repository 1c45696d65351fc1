"""Where blobs come from: a tree, what changed, the whole history, files; and what goes wrong."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from truegreen.config import Scan, parse_config
from truegreen.errors import ConfigError, UsageError
from truegreen.gates.scan.cache import NAME
from truegreen.gates.scan.gate import decide
from truegreen.gates.scan.sources import Item
from truegreen.gates.scan.sources.files import file_items
from truegreen.gates.scan.survey import Survey, Surveyor
from truegreen.model import Status

Repository = Callable[[dict[str, str | bytes]], Path]
TODAY = date(2026, 6, 21)
MAIL, OTHER = "jo@" + "corp.de", "jane@" + "corp.de"


def surveyor(
    root: Path, *, engine: str = "auto", jobs: int | None = None, **scan: object
) -> Surveyor:
    base = parse_config({"service": {"name": "raptor"}}, file=None, root=root)
    config = base._replace(scan=Scan(**scan))  # type: ignore[arg-type]
    return Surveyor(config, TODAY, engine=engine, jobs=jobs)


def commit(root: Path, files: dict[str, str | None]) -> str:
    for name, content in files.items():
        if content is None:
            (root / name).unlink()
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "core.hooksPath=")
    subprocess.run(["git", "-C", str(root), "add", "-A"], check=True)
    subprocess.run(["git", "-C", str(root), *who, "commit", "-qm", "more"], check=True)
    head = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    return head.stdout.strip()


def where(survey: Survey) -> list[str]:
    return [one.where for one in survey.findings]


def test_a_diff_holds_what_is_new_and_not_what_was_there(repository: Repository) -> None:
    root = repository({"old.txt": MAIL, "a.txt": MAIL, "same.txt": OTHER})
    base = commit(root, {"z.txt": "x"})
    commit(root, {"a.txt": f"moved\n{MAIL}\n{OTHER}", "old.txt": None, "new/b.txt": MAIL})
    assert where(surveyor(root).changes(base)) == ["a.txt:3:1"]
    assert where(surveyor(root).changes("HEAD")) == []
    with pytest.raises(UsageError, match="no commit"):
        surveyor(root).changes("0" * 40)


def test_the_history_knows_what_the_tree_forgot(repository: Repository) -> None:
    root = repository({"a.txt": "x", "deep/old.txt": MAIL})
    commit(root, {"deep/old.txt": None, "b.txt": OTHER})
    commit(root, {"b.txt": "clean"})
    subprocess.run(["git", "-C", str(root), "branch", "side", "HEAD~1"], check=True)
    assert where(surveyor(root).tree()) == []
    assert sorted(where(surveyor(root).history())) == ["b.txt:1:1", "deep/old.txt:1:1"]
    kept = surveyor(root / "deep", exclude=("old.txt",)).history()
    assert [one.kind for one in kept.findings if one.path == "deep/old.txt"] == ["excluded"]


def test_a_value_that_stayed_through_many_versions_is_told_once(repository: Repository) -> None:
    root = repository({"a.txt": MAIL})
    for number in range(4):
        commit(root, {"a.txt": f"{number}\n" * (number + 1) + MAIL})
    survey = surveyor(root).history()
    assert where(survey) == ["a.txt:5:1"]  # in the newest version
    assert survey.texts == 5


def test_the_history_of_a_shallow_clone_is_never_clean(
    repository: Repository, tmp_path: Path
) -> None:
    root = repository({"a.txt": MAIL})
    commit(root, {"a.txt": "clean"})
    clone = ["git", "clone", "-q", "--depth", "1", f"file://{root}", str(tmp_path / "clone")]
    subprocess.run(clone, check=True)
    survey = surveyor(tmp_path / "clone").history()
    assert decide(survey)[0] is Status.UNKNOWN
    assert "shallow" in survey.unread[0].text


def test_one_blob_under_two_names_is_read_once_and_told_twice(repository: Repository) -> None:
    root = repository({"a.txt": MAIL, "b.txt": MAIL})
    survey = surveyor(root).tree()
    assert where(survey) == ["a.txt:1:1", "b.txt:1:1"]
    assert surveyor(root).tree().remembered == 1


def test_the_second_scan_remembers_and_says_the_same(repository: Repository) -> None:
    root = repository({"a.txt": MAIL, "b.bin": b"\0", "c.txt": "x"})
    first, second = surveyor(root).tree(), surveyor(root).tree()
    assert (first.remembered, second.remembered) == (0, 3)
    assert first.findings == second.findings
    assert MAIL.encode() not in (root / ".truegreen" / NAME).read_bytes()
    assert surveyor(root, ip="all").tree().remembered == 0  # another policy, other results


def test_threads_and_engines_change_nothing(repository: Repository) -> None:
    files: dict[str, str | bytes] = {f"f{n}.txt": f"line\n{MAIL} {n}\n" * 50 for n in range(60)}
    root = repository(files)
    found = []
    for engine, jobs in (("fast", 1), ("fast", 4), ("pure", None)):
        (root / ".truegreen" / NAME).unlink(missing_ok=True)
        found.append(surveyor(root, engine=engine, jobs=jobs).tree().findings)
    assert len(found[0]) == 60 * 50
    assert found[0] == found[1] == found[2]


def test_a_large_blob_is_streamed(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truegreen.gates.scan.parallel.SMALL", 1000)
    root = repository({"big.txt": "x y z\n" * 5000 + MAIL, "a.txt": OTHER})
    for jobs in (1, 3):
        (root / ".truegreen" / NAME).unlink(missing_ok=True)
        assert where(surveyor(root, jobs=jobs).tree()) == ["a.txt:1:1", "big.txt:5001:1"]


def test_a_submodule_is_listed(repository: Repository) -> None:
    root = repository({"a.txt": "x"})
    add = ["update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendored"]
    subprocess.run(["git", "-C", str(root), *add], check=True)
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "core.hooksPath=")
    subprocess.run(["git", "-C", str(root), *who, "commit", "-qm", "sub"], check=True)
    (listed,) = surveyor(root).tree().findings
    assert (listed.path, listed.text, listed.blocks) == ("vendored", "a submodule", False)


def test_a_slug_is_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "slug.zip", "w") as slug:
        slug.writestr("app/data.csv", f"mail\n{MAIL}\n")
    survey = surveyor(tmp_path).files(tmp_path / "slug.zip")
    assert where(survey) == [f"{tmp_path}/slug.zip!app/data.csv:2:1"]


def test_links_and_pipes_in_a_folder_are_listed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text(MAIL)
    folder = tmp_path / "folder"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "x").write_text(MAIL)
    (folder / "link").symlink_to(tmp_path / "outside.txt")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    survey = surveyor(tmp_path).files(folder)
    assert {one.path: one.text for one in survey.findings} == {
        "link": "a link, not followed",
        "loop": "a link, not followed",
        "pipe": "no plain file",
    }
    assert decide(survey)[0] is Status.UNKNOWN  # nothing was scanned


def test_a_file_that_vanishes_or_becomes_a_link_is_unread(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text("x")
    items: list[Item] = []
    for item in file_items(tmp_path):
        items.append(item)
    (tmp_path / "a.txt").unlink()
    (tmp_path / "b.txt").unlink()
    (tmp_path / "b.txt").symlink_to("c.txt")
    read = []
    for item in items:
        assert item.read is not None
        try:
            read.append(b"".join(item.read()))
        except OSError as error:
            read.append(error.strerror.encode())
    assert read == [b"No such file or directory", b"Too many levels of symbolic links", b"x"]


def test_a_file_that_may_not_be_read_keeps_the_gate_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.txt").write_text("x")
    opened = os.open

    def refusing(path: Path, *rest: int) -> int:
        if Path(path).name == "b.txt":
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest)

    monkeypatch.setattr("os.open", refusing)
    survey = surveyor(tmp_path).files(tmp_path)
    assert [(one.path, one.text) for one in survey.unread] == [("b.txt", "Permission denied")]
    assert decide(survey)[0] is Status.UNKNOWN


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        surveyor(tmp_path).files(tmp_path / "none")


def test_a_kind_that_is_off_is_not_reported(repository: Repository) -> None:
    root = repository({"a.txt": f"{MAIL} phone 0160 1234987"})
    assert [one.kind for one in surveyor(root, off=("email",)).tree().findings] == ["phone"]
    with pytest.raises(ConfigError, match="did you mean email") as caught:
        surveyor(root, off=("emial",))
    assert caught.value.key == "scan.off"
