from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from truegreen.embedded.settings import Limits
from truegreen.embedded.source import BuildError, read_procfile, unpack


def archive(path: Path, *members: tuple[str, bytes | None, str, str]) -> Path:
    """Members: (name, content, type, link target)."""
    kinds = {
        "file": tarfile.REGTYPE,
        "dir": tarfile.DIRTYPE,
        "sym": tarfile.SYMTYPE,
        "hard": tarfile.LNKTYPE,
        "fifo": tarfile.FIFOTYPE,
        "dev": tarfile.CHRTYPE,
    }
    with tarfile.open(path, "w:gz") as out:
        for name, content, kind, link in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kinds[kind], link
            entry.size = len(content or b"")
            out.addfile(entry, io.BytesIO(content or b""))
    return path


FILE = ("Procfile", b"web: x\n", "file", "")


@pytest.mark.parametrize(
    "member",
    [
        ("../evil", b"x", "file", ""),
        ("/tmp/evil", b"x", "file", ""),
        ("a/../../evil", b"x", "file", ""),
        ("link", None, "sym", "/etc/passwd"),
        ("link", None, "sym", "../../outside"),
        ("link", None, "hard", "../outside"),
        ("link", None, "hard", "/etc/passwd"),
        ("pipe", None, "fifo", ""),
        ("device", None, "dev", ""),
    ],
)
def test_a_source_that_wants_out_is_refused(
    tmp_path: Path, member: tuple[str, bytes | None, str, str]
) -> None:
    (tmp_path / "outside").write_text("secret")
    with pytest.raises(BuildError):
        unpack(archive(tmp_path / "a.tgz", FILE, member), tmp_path / "in" / "app", Limits())
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "in" / "evil").exists()


def test_nothing_is_written_through_a_link_of_the_source_itself(tmp_path: Path) -> None:
    members = (("d", None, "dir", ""), ("link", None, "sym", "d"), ("link/x", b"x", "file", ""))
    with pytest.raises(BuildError, match="through a link"):
        unpack(archive(tmp_path / "a.tgz", *members), tmp_path / "app", Limits())


def test_a_link_inside_is_fine(tmp_path: Path) -> None:
    unpack(
        archive(tmp_path / "a.tgz", FILE, ("again", None, "sym", "Procfile")),
        tmp_path / "app",
        Limits(),
    )
    assert (tmp_path / "app" / "again").read_text() == "web: x\n"


@pytest.mark.parametrize("limits", [Limits(source_bytes=10), Limits(source_files=1)])
def test_a_source_larger_than_its_bounds_is_refused(tmp_path: Path, limits: Limits) -> None:
    tarball = archive(tmp_path / "a.tgz", FILE, ("big", b"0" * 11, "file", ""))
    with pytest.raises(BuildError, match="larger than"):
        unpack(tarball, tmp_path / "app", limits)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"not a tarball at all", "cannot be unpacked|not a tarball"),
        (b"\x1f\x8b\x08", "not a tarball"),
    ],
)
def test_what_is_no_tarball_is_said_to_be_none(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.tgz").write_bytes(content)
    with pytest.raises(BuildError, match=words):
        unpack(tmp_path / "a.tgz", tmp_path / "app", Limits())


def test_a_truncated_tarball_is_refused(tmp_path: Path) -> None:
    tarball = archive(tmp_path / "a.tgz", FILE, ("big", bytes(range(256)) * 400, "file", ""))
    tarball.write_bytes(tarball.read_bytes()[:-60])
    with pytest.raises(BuildError, match="not a tarball"):
        unpack(tarball, tmp_path / "app", Limits())


def test_a_tarball_without_files_is_empty(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="empty"):
        unpack(archive(tmp_path / "a.tgz"), tmp_path / "app", Limits())


def test_a_single_top_folder_is_peeled_off(tmp_path: Path) -> None:
    tarball = archive(tmp_path / "a.tgz", ("repo-1/Procfile", b"web: x", "file", ""))
    assert unpack(tarball, tmp_path / "app", Limits()) == 6
    assert read_procfile(tmp_path / "app") == {"web": "x"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no Procfile"),
        ("", "declares no process type"),
        ("# nothing\n\n", "declares no process type"),
        ("web: x\njust words\n", "Procfile:2"),
        ("web:\n", "Procfile:1"),
    ],
)
def test_a_procfile_that_says_nothing_is_an_error_with_a_sentence(
    tmp_path: Path, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / "Procfile").write_text(text)
    with pytest.raises(BuildError, match=words):
        read_procfile(tmp_path)


def test_a_procfile_gives_types_and_commands(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("release: a --b: c\r\n web : run $PORT # x\n")
    assert read_procfile(tmp_path) == {"release": "a --b: c", "web": "run $PORT # x"}
