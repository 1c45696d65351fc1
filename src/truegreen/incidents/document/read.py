"""A review's text as a ``Document``, and back. Reading loses nothing; writing changes only what
was changed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from truegreen.errors import ConfigError
from truegreen.incidents.document.body import Section, sections
from truegreen.incidents.document.fields import INCIDENT, Note, Reading, read_record, show_record
from truegreen.incidents.document.splice import respeak
from truegreen.incidents.document.tree import Plain, lines, read_tree
from truegreen.incidents.document.values import Incident

LARGEST = 5_000_000  # bytes of a review
_FRONT = re.compile(r"\ufeff?---[ \t]*(?:\r\n|\n)")
_CLOSE = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r\n|\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Source:
    """The text that a document was read from, cut in three: opening line, YAML, closing line."""

    opening: str
    front: str
    closing: str
    incident: Incident


@dataclass(frozen=True, slots=True)
class Document:
    """A review. ``body`` is everything below the front matter, as it is.

    ``has_front``: there is front matter; without it, ``incident`` is empty (see ``prose``).
    ``notes``: what was read with a reservation. ``body_line``: the line that ``body`` begins at.
    """

    incident: Incident
    body: str
    has_front: bool = True
    notes: tuple[Note, ...] = field(default=(), compare=False)
    body_line: int = field(default=1, compare=False)
    _source: _Source | None = field(default=None, compare=False, repr=False)

    @property
    def sections(self) -> tuple[Section, ...]:
        return sections(self.body, self.body_line)

    def replace(self, **changes: object) -> Document:
        """The same document with these values of its front matter changed."""
        incident = dataclasses.replace(self.incident, **changes)  # type: ignore[arg-type]
        return dataclasses.replace(self, incident=incident)

    def line_of(self, *path: str | int) -> int:
        """The line of a key of the front matter; 1 where there is none."""
        if self._source is None:
            return 1
        first = self._source.opening.count("\n") + 1
        node = read_tree(self._source.front, file="", first_line=first)
        for step in path:
            try:
                node = node[step]
            except (KeyError, IndexError, AssertionError):
                break
        return node.line


def parse(text: str, *, file: str = "review") -> Document:
    """The document that ``text`` is. ``file`` names it in errors.

    Raises ConfigError for front matter that is not closed, is no YAML, contradicts itself, or holds
    a value that cannot be read; each with its line.
    """
    opening = _FRONT.match(text)
    if opening is None:
        return Document(Incident(), text, has_front=False)
    closing = _CLOSE.search(text, opening.end())
    if closing is None:
        raise ConfigError(f"{file}:1", "front matter", "is not closed", fix="end it with ---")
    front = text[opening.end() : closing.start()]
    reading = Reading(file)
    tree = read_tree(front, file=file, first_line=2)
    incident: Incident = read_record(Incident, INCIDENT, reading, tree, "")
    rest = text[closing.end() :]
    if re.match(r"---[ \t]*\r?\n", rest) and re.search(r"^id:", rest, re.MULTILINE):
        raise ConfigError(
            f"{file}:1", "front matter", "is there twice, and the two may conflict",
            fix="keep one of them",
        )  # fmt: skip
    source = _Source(opening[0], front, closing[0], incident)
    line = 1 + len(re.findall(r"\r\n|\n", text[: closing.end()]))
    return Document(incident, rest, True, tuple(reading.notes), line, source)


def write(document: Document) -> str:
    """The text of ``document``: the one that it was read from, where nothing was changed.

    Raises TrueGreenError when a change cannot be written into the front matter that is there.
    """
    source = document._source
    if source is None:
        if not document.has_front:
            return document.body
        told = show_record(INCIDENT, document.incident, None, None)
        return (
            "---\n"
            + "".join(f"{line}\n" for line in lines(told, 0) if told)
            + "---\n"
            + (document.body)
        )
    if document.incident == source.incident:
        return source.opening + source.front + source.closing + document.body
    windows = "\r\n" in source.front
    front = source.front.replace("\r\n", "\n") if windows else source.front
    there = cast("Mapping[str, Plain]", read_tree(front, file="").plain)
    told = show_record(INCIDENT, document.incident, source.incident, there)
    after = respeak(front, cast("Mapping[str, Plain]", told))
    after = after.replace("\n", "\r\n") if windows else after
    return source.opening + after + source.closing + document.body


def read_review(path: Path) -> Document:
    """The review in the file ``path``. ConfigError when it is no text, too large, or contradicts
    itself; its front matter's id must be the file's name."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise ConfigError(str(path), "", f"is larger than {LARGEST} bytes", fix="cite logs instead")
    return decode(data, str(path), path.stem)


def decode(data: bytes, file: str, stem: str) -> Document:
    """As ``read_review``, of bytes that were read elsewhere (from git)."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{file}:{line}", "", "is not UTF-8 text", fix="save it as UTF-8"
        ) from error
    document = parse(text, file=file)
    if document.incident.id and document.incident.id != stem:
        raise ConfigError(
            f"{file}:{document.line_of('id')}",
            "id",
            f"{document.incident.id!r} conflicts with the file's name {stem!r}",
            fix="the file is called ID.md",
        )
    return document
