"""A wheel of the TrueGreen that is running, for builds of services that depend on it.

TrueGreen from a checkout or from git is on no index, so a slug could not install it. This packs
the files that run here, as they are, into a wheel in a folder named after their digest: a changed
source gives another folder, also when the version has not changed. When TrueGreen came from an
index, there is nothing to do: the slug's build gets it from there.

PEP 427 says what a wheel is, PEP 610 how an installation says where it came from.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

_PACKED = ("METADATA", "entry_points.txt")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files give the same bytes


@dataclass(frozen=True)
class OwnWheel:
    """``path``: the wheel, alone in its folder; ``digest``: of what is in it."""

    path: Path
    digest: str
    version: str


def own_wheel(wheels: Path, *, package: Path | None = None) -> OwnWheel | None:
    """The wheel of this TrueGreen, made when it is not there yet; None when an index has it.

    ``wheels``: the folder for such wheels. ``package``: the source to pack (default: what is
    imported). Safe to call from two processes at once.
    """
    try:
        dist = distribution("truegreen")
    except PackageNotFoundError:
        return None
    if dist.read_text("direct_url.json") is None:
        return None
    files = _contents(dist, package or Path(__file__).parent.parent)
    digest = _digest(files)
    folder = wheels / digest[:32]
    path = folder / f"truegreen-{dist.version}-py3-none-any.whl"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f".{path.name}.{id(files):x}.tmp"
        _pack(fresh, files)
        fresh.replace(path)
    return OwnWheel(path, digest, dist.version)


def _contents(dist: Distribution, package: Path) -> dict[str, bytes]:
    files = {
        f"truegreen/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    info = f"truegreen-{dist.version}.dist-info"
    for name in _PACKED:
        text = dist.read_text(name)
        if text is not None:
            files[f"{info}/{name}"] = text.encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: truegreen\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(
        f"{name},sha256={_record_digest(data)},{len(data)}\n" for name, data in files.items()
    )
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return files


def _record_digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _digest(files: dict[str, bytes]) -> str:
    # RECORD names every file with its digest, so it stands for all of them
    return hashlib.sha256(next(reversed(files.values()))).hexdigest()


def _pack(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
