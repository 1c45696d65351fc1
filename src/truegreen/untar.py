"""Takes members out of a tarball that is not trusted, one by one, and never out of the folder.

Does by itself what tarfile's ``data`` filter does, because Python 3.11 before 3.11.4 (Debian 12
has 3.11.2) has no filters. Standard library only; what to do about a refusal is the caller's.
"""

from __future__ import annotations

import os.path
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

# Without a filter, 3.12 and 3.13 warn and 3.14 takes its own; what it checks is checked here.
_AS_IT_IS: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}


class UnsafeMember(Exception):
    """A member wants out of the folder, through a link, or is a device. The text says which."""


class Untar:
    """Extracts members of ``archive`` into ``target``, which must exist and be empty."""

    def __init__(self, archive: tarfile.TarFile, target: Path) -> None:
        self._archive = archive
        self._target = target
        self._links: set[PurePosixPath] = set()

    def extract(self, member: tarfile.TarInfo) -> None:
        """Writes one member: owner and times are ours, files are 0755 or 0644, folders 0755.

        Raises UnsafeMember before anything is written, OSError and tarfile.TarError as they come.
        """
        path = PurePosixPath(member.name)
        self._check(member, path)
        self._archive.extract(member, self._target, set_attrs=False, **_AS_IT_IS)
        if member.issym():
            self._links.add(path)
        elif member.isfile():
            mode = 0o755 if member.mode & 0o111 else 0o644
            (self._target / path).chmod(mode)
        elif member.isdir():
            (self._target / path).chmod(0o755)

    def _check(self, member: tarfile.TarInfo, path: PurePosixPath) -> None:
        name = member.name
        if path.is_absolute() or ".." in path.parts:
            raise UnsafeMember(f"it wants out of its folder: {name!r}")
        if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
            raise UnsafeMember(f"it holds a device or a pipe: {name!r}")
        if not self._links.isdisjoint([path, *path.parents]):
            raise UnsafeMember(f"it writes through a link: {name!r}")
        if member.issym() and _leaves(path.parent / member.linkname):
            raise UnsafeMember(f"it links out of its folder: {name!r}")
        linked = PurePosixPath(member.linkname)
        if member.islnk() and (_leaves(linked) or ".." in linked.parts):
            raise UnsafeMember(f"it links out of its folder: {name!r}")
        if member.islnk() and not self._links.isdisjoint([linked, *linked.parents]):
            raise UnsafeMember(f"it links through a link: {name!r}")


def _leaves(path: PurePosixPath) -> bool:
    plain = os.path.normpath(path)
    return path.is_absolute() or plain == ".." or plain.startswith("../")
