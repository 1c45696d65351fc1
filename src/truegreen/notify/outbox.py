"""Messages that are not delivered yet: a file each, in ``.truegreen/notify/``.

A message is written here before it is sent and goes when it was taken, so a kill loses none. A
place is kept by its name in the configuration; no address and no key stands in a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truegreen.outputs.formats import replace_file
from truegreen.state import Location

_NAME = re.compile(r"[0-9a-f]{32}\.(?:webhook|apprise-\d{1,3})\.json\Z")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one place: ``webhook`` or ``apprise-N``. ``why``: what became of it."""

    place: str
    message: Mapping[str, Any]
    why: str = ""

    @property
    def name(self) -> str:
        return f"{self.message['id']}.{self.place}.json"

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.message["id"],
            "place": self.place,
            "at": self.message["at"],
            "app": self.message["app"],
            "verdict": self.message["verdict"],
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Outbox:
    """The letters of one service."""

    folder: Path

    @classmethod
    def of(cls, where: Location) -> Outbox:
        return cls(where.folder / "notify")

    def keep(self, letter: Letter) -> None:
        """Writes a letter, or what became of it. OSError and UsageError when that cannot be."""
        if not self.folder.is_dir():
            Location(self.folder.parent).make_folder()
            self.folder.mkdir(exist_ok=True)
        content = {"place": letter.place, "message": dict(letter.message), "why": letter.why}
        replace_file(self.folder / letter.name, json.dumps(content, ensure_ascii=True) + "\n")

    def drop(self, letter: Letter) -> None:
        (self.folder / letter.name).unlink(missing_ok=True)

    def letters(self) -> Iterator[Letter]:
        """Oldest first. A file that is none of ours, or broken, is left alone and left out."""
        found = []
        for path in self.folder.glob("*.json") if self.folder.is_dir() else ():
            letter = _read(path) if _NAME.match(path.name) else None
            if letter is not None and letter.name == path.name:
                found.append(letter)
        return iter(sorted(found, key=lambda one: (str(one.message["at"]), one.name)))


def _read(path: Path) -> Letter | None:
    try:
        if path.is_symlink() or path.stat().st_size > 1024 * 1024:
            return None
        data = json.loads(path.read_bytes())
        letter = Letter(data["place"], data["message"], data["why"])
        letter.as_json()
        return letter
    except (OSError, ValueError, TypeError, KeyError):
        return None
