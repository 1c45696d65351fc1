"""Nothing leaves the folder, on every Python 3.11, filters or not."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from truegreen.untar import UnsafeMember, Untar


def tarball(*members: tuple[str, bytes, str]) -> tarfile.TarFile:
    """Members as (name, type, link)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode = kind, link, 0o4777
            info.uid = info.gid = 12345
            info.size = 2 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"hi"))
    buffer.seek(0)
    return tarfile.open(fileobj=buffer)


def extract(target: Path, *members: tuple[str, bytes, str]) -> None:
    with tarball(*members) as archive:
        untar = Untar(archive, target)
        for member in archive:
            untar.extract(member)


REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    "members",
    [
        [("/etc/x", REG, "")],
        [("../x", REG, "")],
        [("a/../../x", REG, "")],
        [("a", SYM, "/etc")],
        [("a", SYM, "..")],
        [("a/b", SYM, "../../etc")],
        [("a", LNK, "../x")],
        [("a", LNK, "/etc/passwd")],
        [("a", SYM, "b"), ("a/x", REG, "")],
        [("b", DIR, ""), ("a", SYM, "b"), ("a", REG, "")],
        [("a", SYM, "b"), ("c", LNK, "a")],
        [("a", tarfile.CHRTYPE, "")],
        [("a", tarfile.FIFOTYPE, "")],
    ],
)
def test_a_member_that_could_leave_is_refused(
    tmp_path: Path, members: list[tuple[str, bytes, str]]
) -> None:
    target = tmp_path / "in" / "side"
    target.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UnsafeMember):
        extract(target, *members)
    outside = [path for path in sorted(tmp_path.rglob("*")) if target not in path.parents]
    assert outside == before


def test_what_stays_inside_is_written_with_our_owner_and_plain_modes(tmp_path: Path) -> None:
    extract(
        tmp_path,
        ("d", DIR, ""),
        ("d/run", REG, ""),
        ("d/link", SYM, "run"),
        ("up", SYM, "d/../d/run"),
        ("hard", LNK, "d/run"),
    )
    assert (tmp_path / "up").read_bytes() == (tmp_path / "d" / "link").read_bytes() == b"hi"
    assert (tmp_path / "hard").samefile(tmp_path / "d" / "run")
    assert (tmp_path / "d" / "run").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "d" / "run").stat().st_uid != 12345
