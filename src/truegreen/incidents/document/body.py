"""The Markdown below the front matter: sections, regions that we own, footnotes, tables. Pure.

A *region* is what we write and may write again: it stands between two comments, the first of which
holds the digest of what we wrote. One that a person has changed since is theirs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*\Z")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*\Z")
_BEGIN = re.compile(r"<!-- truegreen:([a-z-]+) sha256:([0-9a-f]{16}) -->\Z")
_END = "<!-- /truegreen:{} -->"
_FOOTNOTE = re.compile(r"\[\^([A-Za-z0-9_.-]+)\]")
_DEFINITION = re.compile(r" {0,3}\[\^([A-Za-z0-9_.-]+)\]:[ \t]*(.*)\Z")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text below it, deeper headings included, exactly as written.

    ``title`` is the heading's text ("" for what stands before the first); ``line`` counts from 1
    within the whole file; ``raw`` is all of it, heading and line ends included.
    """

    title: str
    level: int
    line: int
    raw: str
    heading_lines: int = 1

    @property
    def text(self) -> str:
        """What stands below the heading, stripped."""
        return "".join(self.raw.splitlines(keepends=True)[self.heading_lines :]).strip()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its line, and its cells, unescaped and stripped."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    line: int


def outside_code(text: str, first_line: int = 1) -> Iterator[tuple[int, str, bool]]:
    """Each line with its number, its text without line end, and whether it is no code."""
    fence = ""
    for number, line in enumerate(split_lines(text), first_line):
        bare = line.rstrip("\r\n")
        found = _FENCE.match(bare)
        if fence:
            yield number, bare, False
            if found and found[1].startswith(fence) and not bare.strip().strip(fence[0]):
                fence = ""
        elif found:
            fence = found[1]
            yield number, bare, False
        else:
            yield number, bare, True


def split_lines(text: str) -> list[str]:
    """Lines with their ends; only CR and LF end one (form feeds and U+2028 are text)."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)


def sections(text: str, first_line: int = 1, deepest: int = 2) -> tuple[Section, ...]:
    """``text`` cut at its headings up to level ``deepest``; joined, their ``raw`` is ``text``."""
    raw = split_lines(text)
    heads: list[tuple[int, str, int, int]] = []  # index of the line, title, level, its lines
    listed = list(outside_code(text, 0))
    for index, bare, prose in listed:
        if not prose:
            continue
        found = _ATX.match(bare)
        if found and len(found[1]) <= deepest:
            heads.append((index, found[2] or "", len(found[1]), 1))
        under = _SETEXT.match(bare)
        if under and index > 0 and listed[index - 1][2]:
            above = listed[index - 1][1].strip()
            starts = index < 2 or not listed[index - 2][1].strip()
            if above and starts and not re.match(r"[#|>*+-]|<!--", above):
                heads.append((index - 1, above, 1 if under[1][0] == "=" else 2, 2))
    begins = [0, *(index for index, *_ in heads)]
    ends = [*begins[1:], len(raw)]
    told = [("", 0, 0), *((title, level, count) for _, title, level, count in heads)]
    cut = [
        Section(_unmarked(title), level, first_line + begin, "".join(raw[begin:end]), count)
        for (title, level, count), begin, end in zip(told, begins, ends, strict=True)
    ]
    return tuple(one for one in cut if one.raw or one.title)


def _unmarked(title: str) -> str:
    return re.sub(r"[*_`]{1,3}(\S(?:.*?\S)?)[*_`]{1,3}", r"\1", title).strip()


def tables(text: str, first_line: int = 1) -> Iterator[Table]:
    """The pipe tables in ``text``."""
    listed = [
        (number, bare if prose else "") for number, bare, prose in outside_code(text, first_line)
    ]
    index = 0
    while index + 1 < len(listed):
        number, bare = listed[index]
        under = listed[index + 1][1]
        if "|" in bare and re.fullmatch(r"\s*\|?(\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*", under):
            rows: list[Row] = []
            index += 2
            while index < len(listed) and "|" in listed[index][1]:
                rows.append(Row(listed[index][0], cells(listed[index][1])))
                index += 1
            yield Table(cells(bare), tuple(rows), number)
        else:
            index += 1


def cells(line: str) -> tuple[str, ...]:
    """The cells of a table's row."""
    inner = re.sub(r"\A\s*\||(?<!\\)\|\s*\Z", "", line)
    return tuple(cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner))


@dataclass(frozen=True, slots=True)
class Footnote:
    """The definition of a footnote."""

    name: str
    text: str
    line: int


def footnotes(text: str, first_line: int = 1) -> dict[str, Footnote]:
    """The footnotes that ``text`` defines; the first of a name counts."""
    found: dict[str, Footnote] = {}
    for number, bare, prose in outside_code(text, first_line):
        match = _DEFINITION.match(bare) if prose else None
        if match:
            found.setdefault(match[1], Footnote(match[1], match[2], number))
    return found


def cited(text: str) -> tuple[str, ...]:
    """The names of the footnotes that ``text`` refers to, in order, definitions left out."""
    names: dict[str, None] = {}
    for _, bare, prose in outside_code(text):
        if prose:
            definition = _DEFINITION.match(bare)
            names.update(dict.fromkeys(_FOOTNOTE.findall(definition[2] if definition else bare)))
    return tuple(names)


@dataclass(frozen=True, slots=True)
class Region:
    """What we wrote between two comments; ``start`` to ``end`` covers the comments too.

    ``ours``: it is still what we wrote.
    """

    name: str
    text: str
    start: int
    end: int
    line: int
    ours: bool


def regions(text: str, first_line: int = 1) -> dict[str, Region]:
    """The regions in ``text`` by name. One without its end comment is left out: a person's now."""
    found: dict[str, Region] = {}
    offset = 0
    opened: tuple[str, str, int, int, int] | None = None
    for number, line in enumerate(split_lines(text), first_line):
        bare = line.rstrip("\r\n")
        begin = _BEGIN.match(bare)
        if begin:
            opened = (begin[1], begin[2], offset, offset + len(line), number)
        elif opened and bare == _END.format(opened[0]):
            name, digest, start, inner, at = opened
            body = text[inner:offset]
            end = offset + len(line)
            found.setdefault(name, Region(name, body, start, end, at, mark(body) == digest))
            opened = None
        offset += len(line)
    return found


def region(name: str, lines: Sequence[str]) -> list[str]:
    """The lines of a region that holds ``lines``."""
    body = "".join(f"{line}\n" for line in lines)
    return [f"<!-- truegreen:{name} sha256:{mark(body)} -->", *lines, _END.format(name)]


def mark(text: str) -> str:
    """The digest in a region's first comment; line ends do not matter to it."""
    same = text.replace("\r\n", "\n")
    return hashlib.sha256(same.encode(errors="surrogatepass")).hexdigest()[:16]


def replace_regions(text: str, fresh: dict[str, Sequence[str]]) -> tuple[str, tuple[str, ...]]:
    """``text`` with each region of ``fresh`` written anew, where it still is ours; and the names
    of those that a person has changed or removed, which stay as they are."""
    there = regions(text)
    kept = tuple(name for name in fresh if name not in there or not there[name].ours)
    for one in sorted(there.values(), key=lambda each: each.start, reverse=True):
        if one.ours and one.name in fresh:
            ending = "\r\n" if "\r\n" in text[one.start : one.end] else "\n"
            written = "".join(f"{line}{ending}" for line in region(one.name, fresh[one.name]))
            if text[one.start : one.end] != written and one.text.replace("\r\n", "\n") != "".join(
                f"{line}\n" for line in fresh[one.name]
            ):
                text = text[: one.start] + written + text[one.end :]
    return text, kept
