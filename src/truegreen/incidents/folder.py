"""Where a service keeps its reviews: reads them from the folder, or from a revision of git, and
writes them so that a kill leaves the old file or the new one.

Nothing is judged here.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from truegreen.config import Config
from truegreen.errors import UsageError
from truegreen.incidents.document import Document
from truegreen.incidents.document.read import read_review


@dataclass(frozen=True, slots=True)
class Review:
    """A review and where it stands. ``path`` is relative to the service's root, with ``/``."""

    path: str
    document: Document

    @property
    def id(self) -> str:
        return Path(self.path).stem


def reviews_folder(config: Config) -> Path:
    return config.root / config.incidents.path


def review_files(config: Config) -> tuple[Path, ...]:
    """The reviews in the folder, by name. What is no ``.md`` file, and README.md, is none."""
    folder = reviews_folder(config)
    if not folder.is_dir():
        return ()
    return tuple(
        path
        for path in sorted(folder.glob("*.md"))
        if path.is_file() and path.name.lower() != "readme.md"
    )


def read_reviews(config: Config) -> tuple[Review, ...]:
    """All reviews of the service, as they lie in the working folder. ConfigError for the first
    that cannot be read."""
    return tuple(review_at(config, path) for path in review_files(config))


def review_at(config: Config, path: Path) -> Review:
    return Review(relative(config, path), read_review(path))


def relative(config: Config, path: Path) -> str:
    try:
        return path.resolve().relative_to(config.root.resolve()).as_posix()
    except ValueError:
        return str(path)


def find_review(config: Config, name: str) -> Review:
    """The review with the id ``name``, or the one whose id begins so. UsageError otherwise."""
    files = {path.stem: path for path in review_files(config)}
    if name not in files:
        near = [stem for stem in files if stem.startswith(name)]
        if len(near) != 1:
            told = "begins the ids of several reviews" if near else "is no review"
            hint = ", ".join(sorted(near or files)) or f"there are none in {config.incidents.path}"
            raise UsageError(f"{name!r} {told}", hint=hint)
        name = near[0]
    return review_at(config, files[name])


def write_text(path: Path, text: str) -> None:
    """Replaces the file ``path`` in one step. UsageError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def inside(config: Config, base: Path, name: str) -> Path | None:
    """The path ``name`` below ``base``; None when it leads out of the service's root."""
    path = (base / name).resolve()
    return path if path.is_relative_to(config.root.resolve()) else None
