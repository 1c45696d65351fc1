"""Which database: a file under ``.truegreen/``, or the Postgres of ``TRUEGREEN_DATABASE_URL``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from truegreen.errors import UsageError
from truegreen.secret import Secret, variable

DATABASE_URL = "TRUEGREEN_DATABASE_URL"
FOLDER = ".truegreen"
_SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class Location:
    """The state of one service. ``url`` is None for SQLite; a password may stand in it."""

    folder: Path
    url: Secret | None = None

    @property
    def shared(self) -> bool:
        """Other machines see it too."""
        return self.url is not None

    def file(self, name: str) -> Path:
        """The SQLite file called ``name`` (``ledger``, ``lease``, ``engine``)."""
        return self.folder / f"{name}.sqlite3"

    def make_folder(self) -> None:
        """Makes the folder, and has git leave it alone: its records are of this machine."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="ascii")

    def __str__(self) -> str:
        if self.url is None:
            return str(self.folder)
        parts = urlsplit(self.url.reveal())
        return f"{parts.hostname or 'localhost'}{parts.path}"


def locate(root: Path, environ: Mapping[str, str] | None = None) -> Location:
    """The state of the service in ``root``.

    Raises UsageError for a ``TRUEGREEN_DATABASE_URL`` that is no ``postgresql://`` URL; the value
    is not shown, since a password may stand in it.
    """
    value = (variable(DATABASE_URL) if environ is None else environ.get(DATABASE_URL, "")).strip()
    folder = root / FOLDER
    if not value:
        return Location(folder)
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        scheme = ""
    if scheme not in _SCHEMES:
        raise UsageError(
            f"{DATABASE_URL} is not a postgresql:// URL",
            hint="postgresql://user:password@host/database, or unset it for SQLite",
        )
    return Location(folder, Secret(value))
