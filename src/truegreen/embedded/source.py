"""A build's source: the uploaded tarball, taken apart with suspicion, and its Procfile.

Blocking file work (call it in a thread), no processes. What cannot be accepted raises BuildError
with a sentence for the build's output.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
import zlib
from pathlib import Path

from truegreen.embedded.disk import is_full
from truegreen.embedded.settings import Limits
from truegreen.untar import UnsafeMember, Untar


class BuildError(Exception):
    """The build fails; the text is a sentence (or several lines) for its output."""


def sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(tarball: Path, target: Path, limits: Limits) -> int:
    """Extracts ``tarball`` (plain, gzip, bzip2 or xz) into ``target``; returns the files' bytes.

    A single top folder, as GitHub's archives have, is peeled off. Raises BuildError for anything
    that is no tarball, is empty, is larger than ``limits`` say, or wants out of ``target``.
    """
    if tarball.stat().st_size == 0:
        raise BuildError("the source is empty: nothing was uploaded to its put_url")
    target.mkdir(parents=True)
    try:
        with tarfile.open(tarball, "r:*") as archive:
            size = _extract_all(archive, target, limits)
    except (tarfile.TarError, EOFError, zlib.error, OSError, UnicodeError) as error:
        if is_full(error):
            raise BuildError(f"the platform's disk is full: {error}") from error
        raise BuildError(f"the source is not a tarball that can be unpacked: {error}") from error
    entries = list(target.iterdir())
    if not entries:
        raise BuildError("the source is empty: its tarball holds no file")
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        _peel(target, entries[0])
    return size


def _extract_all(archive: tarfile.TarFile, target: Path, limits: Limits) -> int:
    untar = Untar(archive, target)
    size = 0
    for count, member in enumerate(archive, start=1):
        size += member.size if member.isfile() else 0
        if count > limits.source_files or size > limits.source_bytes:
            raise BuildError(
                f"the source is larger than {limits.source_bytes} bytes "
                f"or has more than {limits.source_files} entries"
            )
        try:
            untar.extract(member)
        except UnsafeMember as error:
            raise BuildError(f"the source is refused: {error}") from error
    return size


def _peel(target: Path, only: Path) -> None:
    aside = target.with_name(target.name + ".peel")
    only.rename(aside)
    target.rmdir()
    aside.rename(target)


_LINE = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(\S.*)")


def read_procfile(folder: Path) -> dict[str, str]:
    """Process types and their commands. Raises BuildError when there are none."""
    path = folder / "Procfile"
    if not path.is_file():
        raise BuildError(
            "no Procfile in the source's root: it says what runs, e.g. `web: gunicorn app:app`"
        )
    types: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise BuildError(f"Procfile:{number}: {text!r} is not `type: command`")
        types[match[1]] = match[2]
    if not types:
        raise BuildError(
            "the Procfile declares no process type: write e.g. `web: gunicorn app:app`"
        )
    return types


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
