"""What can be read of a review's prose: sections by any usual heading, the timeline, and, where
there is no front matter, the header and the follow-ups. What cannot be read is listed with its
line. Pure; nothing is guessed: a value is read, or it is not.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from truegreen.incidents.document import times
from truegreen.incidents.document.body import Section, Table, outside_code, sections, tables
from truegreen.incidents.document.fields import Note
from truegreen.incidents.document.read import Document
from truegreen.incidents.document.values import SEVERITIES, STATUSES, Action, Incident

# How reviews call their sections. Longest match first; words are compared without case.
HEADINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "summary": ("summary", "executive summary", "overview", "tl;dr", "tldr", "abstract"),
        "impact": ("impact", "blast radius", "customer impact", "user impact", "who was affected"),
        "timeline": ("timeline", "chronology", "what happened", "sequence of events", "events"),
        "trigger": ("trigger", "triggers"),
        "causes": (
            "contributing factors", "root causes", "root cause", "causes", "cause", "why",
            "why it happened", "root cause candidates", "root cause analysis", "five whys",
        ),
        "detection": ("detection", "how it was found", "how we found out", "discovery"),
        "resolution": (
            "resolution", "recovery", "mitigation", "fix", "how it was fixed", "response",
            "resolution and recovery",
        ),
        "well": ("what went well", "went well", "what worked"),
        "badly": (
            "what went badly", "what went wrong", "what didn't go well", "what did not go well",
            "what went poorly", "didn't go well", "what could have gone better", "went badly",
        ),
        "lucky": ("where we got lucky", "what was luck", "luck", "lucky", "got lucky"),
        "surprised": ("what surprised us", "surprises", "surprised us", "surprise"),
        "lessons": ("lessons", "lessons learned", "lessons learnt", "learnings", "takeaways"),
        "actions": (
            "action items", "actions", "follow-ups", "follow ups", "followups", "next steps",
            "corrective actions", "remediation", "todo", "remediation items", "follow-up",
        ),
        "related": ("related incidents", "earlier incidents", "related"),
        "questions": ("open questions", "what is not known", "unknowns", "questions"),
        "evidence": ("evidence", "appendix: the evidence", "appendix", "supporting information"),
    }
)  # fmt: skip
_BY_WORDS = {words: key for key, all_words in HEADINGS.items() for words in all_words}
_HEADER = {
    "id": "id", "incident": "id", "incident id": "id",
    "date": "date", "day": "date", "severity": "severity", "sev": "severity",
    "priority": "severity", "status": "status", "state": "status", "author": "author",
    "authors": "author", "written by": "author", "duration": "duration", "app": "app",
    "service": "app", "application": "app", "release": "release", "version": "release",
    "commit": "commit", "ci run": "ci_run", "run": "ci_run",
}  # fmt: skip
_ACTION_HEADS = {
    "action": "title", "action item": "title", "what": "title", "item": "title", "task": "title",
    "todo": "title", "owner": "owner", "who": "owner", "assignee": "owner", "due": "due",
    "due date": "due", "deadline": "due", "by": "due", "when": "due", "issue": "issue",
    "ticket": "issue", "bug": "issue", "kind": "kind", "type": "kind", "status": "status",
}  # fmt: skip
_TIME = re.compile(
    r"\A[~≈]?(?P<at>(?:\d{4}-\d{2}-\d{2}[T ])?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
    r"(?:\s*(?:-|–|—|to|\.\.)\s*\d{1,2}:\d{2}(?::\d{2})?\s*(?:Z|UTC|GMT)?)?"
    r"(?:\s*±\s*(?P<margin>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min|m))?(?P<rest>.*)\Z",
    re.DOTALL,
)
_PAIR = re.compile(r"\s*(?:[-*+]\s+)?[*_]{0,2}([A-Za-z ]{2,20})[*_]{0,2}\s*:\s*[*_]{0,2}\s*(.+)")
_MARGINS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A line of the timeline. ``margin``: by how many seconds the observer's clock may be off."""

    at: datetime
    text: str
    line: int
    margin: float = 0.0
    utc: bool = True


@dataclass(frozen=True, slots=True)
class Prose:
    """What was read. ``incident`` is the front matter's, filled up from the header where there is
    no front matter. ``sections`` by the keys of HEADINGS."""

    incident: Incident
    sections: Mapping[str, Section]
    timeline: tuple[TimelineEntry, ...]
    unread: tuple[Note, ...]

    def text_of(self, key: str) -> str:
        found = self.sections.get(key)
        return found.text if found else ""


def read_prose(document: Document) -> Prose:
    """Everything that can be read of ``document``."""
    unread: list[Note] = []
    found = _sections(document, unread)
    incident = document.incident
    if not document.has_front:
        incident = _header(document, found, unread)
        incident = dataclasses.replace(incident, actions=_actions(found.get("actions"), unread))
    timeline = _timeline(found.get("timeline"), incident.date, unread)
    return Prose(incident, MappingProxyType(found), timeline, tuple(unread))


def heading_key(title: str) -> str | None:
    """Which section a heading opens; None for one that we do not know."""
    words = re.sub(r"\A\W*(?:\d+(?:\.\d+)*[.):]?\s+)?\W*", "", title.lower()).replace("’", "'")
    words = re.sub(r"\s*[(\[].*?[)\]]\s*", " ", words).strip(" :.!?—–-*_")
    return _BY_WORDS.get(" ".join(words.split()))


def _sections(document: Document, unread: list[Note]) -> dict[str, Section]:
    cut = document.sections
    if len({heading_key(one.title) for one in cut} - {None}) < 3:
        deeper = sections(document.body, document.body_line, deepest=4)
        known = [one.level for one in deeper if heading_key(one.title)]
        if known:
            cut = sections(document.body, document.body_line, deepest=max(known))
    found: dict[str, Section] = {}
    for one in cut:
        if not one.title:
            continue
        key = heading_key(one.title)
        if key is None and one.level > 1:
            unread.append(Note(one.line, f"the heading {one.title!r} is none that we know"))
        elif key in found:
            unread.append(
                Note(one.line, f"a second section {key} (the first is in line {found[key].line})")
            )
        elif key is not None:
            found[key] = one
    return found


def _header(document: Document, found: Mapping[str, Section], unread: list[Note]) -> Incident:
    first = min((one.line for one in found.values()), default=10**9)
    told: dict[str, object] = {}
    for line, key, value in _pairs(document):
        attr = _HEADER.get(key)
        if attr is None or line >= first:
            continue
        read = _header_value(attr, value)
        if read is None:
            unread.append(Note(line, f"{key}: {value!r} cannot be read"))
        elif attr in told and told[attr] != read:
            unread.append(Note(line, f"{key}: {value!r} conflicts with what stands above it"))
        else:
            told.setdefault(attr, read)
    titles = [one.title for one in document.sections if one.level == 1 and one.title]
    if titles:
        told["title"] = titles[0]
        if "date" not in told:
            day = re.search(r"\d{4}-\d{2}-\d{2}", titles[0])
            if day and times.read_day(day[0]):
                told["date"] = times.read_day(day[0])
    return Incident(**told)  # type: ignore[arg-type]


def _pairs(document: Document) -> Iterator[tuple[int, str, str]]:
    """``Key: value`` lines, and rows of two cells, with the line of each."""
    for table in tables(document.body, document.body_line):
        for line, cells in [(table.line, table.heads), *((r.line, r.cells) for r in table.rows)]:
            if len(cells) == 2 and cells[0]:
                yield line, cells[0].strip("*_: ").lower(), cells[1].strip("*_` ")
    for line, bare, prose in outside_code(document.body, document.body_line):
        pair = re.match(
            r"\s*(?:[-*+]\s+)?[*_]{0,2}([A-Za-z ]{2,20})[*_]{0,2}\s*:\s*[*_]{0,2}\s*(.+)", bare
        )
        if prose and pair and "|" not in bare:
            yield line, pair[1].strip().lower(), pair[2].strip("*_` ")


def _header_value(attr: str, value: str) -> object:
    if attr == "date":
        return times.read_day(re.split(r"[,;(]| \d{1,2}:", value)[0]) or times.read_day(value)
    if attr == "severity":
        level = re.fullmatch(r"(?:sev|p|s|severity)?[-_ ]?([0-4])\b.*", value.lower())
        wanted = f"SEV-{max(int(level[1]), 1)}" if level else ""
        return wanted if wanted in SEVERITIES else None
    if attr == "status":
        word = re.match(r"[a-z]+", value.lower())
        usual = {"done": "closed", "complete": "closed", "fixed": "resolved", "mitigated": "open"}
        status = usual.get(word[0], word[0]) if word else ""
        return status if status in STATUSES else None
    if attr == "duration":
        return times.read_duration(re.split(r"[,;(]", value)[0])
    return value


def _timeline(
    section: Section | None, day: date | None, unread: list[Note]
) -> tuple[TimelineEntry, ...]:
    if section is None:
        return ()
    found: list[TimelineEntry] = []
    for line, text in _timed_lines(section):
        entry = _entry(line, text, day, found[-1] if found else None)
        if isinstance(entry, str):
            unread.append(Note(line, f"timeline: {entry}"))
        else:
            found.append(entry)
    return tuple(found)


def _timed_lines(section: Section) -> Iterator[tuple[int, str]]:
    """Each row, list item or line that means to begin with a time."""
    listed = list(tables(section.raw, section.line))
    for table in listed:
        if table.rows and re.search(r"time|when|utc|at\b", table.heads[0].lower()):
            for row in table.rows:
                yield row.line, " ".join((row.cells[0], " · ".join(row.cells[1:])))
    if listed:
        return
    for line, bare, prose in outside_code(section.raw, section.line):
        item = re.match(r"\s*(?:[-*+]|\d+[.)])?\s*([\[*_`~≈(]{0,3}\d.*)", bare)
        if prose and item and re.search(r"\d{1,2}[:.h]\d{2}", item[1][:30]):
            yield line, item[1]


def _entry(
    line: int, text: str, day: date | None, before: TimelineEntry | None
) -> TimelineEntry | str:
    plain = re.sub(r"[*_`\[\]()]", "", text[:60]) + text[60:]
    match = _TIME.match(plain.strip())
    if not match:
        return f"no time can be read in {text[:40]!r}"
    rest = match["rest"].strip(" ·|:–—-\t")
    if re.match(r"(?i)(am|pm|a\.m|p\.m)\b", rest) or re.match(r"[A-Z]{3,4}\b(?<!UTC)", rest[:5]):
        return f"{text[:25]!r} is not in UTC"
    zone = match["zone"] or ""
    margin = float(match["margin"] or 0) * _MARGINS.get(match["unit"] or "s", 1.0)
    utc = not zone or zone.upper() in ("Z", "UTC", "GMT", "+00:00", "+0000")
    stamp = match["at"].replace(" ", "T")
    at: datetime | None
    if "T" in stamp:
        at = times.read_moment(stamp + ("Z" if utc else zone))
    else:
        at = times.read_clock(stamp, before.at.date() if before else day)
        if at and not utc:
            at = times.read_moment(at.replace(tzinfo=None).isoformat() + zone)
        if at and before and before.at - at > timedelta(hours=12):
            at += timedelta(days=1)  # past midnight
    if at is None:
        why = "the day is not known" if day is None and "T" not in stamp else "no such time"
        return f"{match['at']!r}: {why}"
    return TimelineEntry(at, rest, line, margin, utc)


def _actions(section: Section | None, unread: list[Note]) -> tuple[Action, ...]:
    if section is None:
        return ()
    found: list[Action] = []
    for table in tables(section.raw, section.line):
        found += _rows(table, unread)
    if not found:
        for line, bare, prose in outside_code(section.raw, section.line):
            item = re.match(r"\s*(?:[-*+]|\d+[.)])\s+(?:\[([ xX])\]\s*)?(.+)", bare)
            if prose and item:
                owner = re.search(r"(?:@|owner:\s*)([\w-]+)", item[2], re.IGNORECASE)
                due = re.search(r"\d{4}-\d{2}-\d{2}", item[2])
                found.append(
                    Action(
                        f"line-{line}",
                        item[2].strip(),
                        owner[1] if owner else "",
                        times.read_day(due[0]) if due else None,
                        status="closed" if (item[1] or "").lower() == "x" else "open",
                    )
                )
    if not found and section.text:
        unread.append(Note(section.line, "no follow-up can be read: neither a table nor a list"))
    return tuple(found)


def _rows(table: Table, unread: list[Note]) -> Iterator[Action]:
    heads = [_ACTION_HEADS.get(head.strip("*_ ").lower(), "") for head in table.heads]
    if "title" not in heads:
        unread.append(Note(table.line, f"a table without a column for the action: {table.heads}"))
        return
    for row in table.rows:
        told = {head: cell for head, cell in zip(heads, row.cells, strict=False) if head and cell}
        if "title" not in told:
            continue
        due = times.read_day(told["due"]) if "due" in told else None
        if "due" in told and due is None:
            unread.append(Note(row.line, f"due: {told['due']!r} cannot be read"))
        kind = told.get("kind", "").lower()
        yield Action(
            f"line-{row.line}",
            told["title"],
            told.get("owner", ""),
            due,
            kind=kind if kind in ("prevent", "detect", "mitigate") else "",
            issue=told.get("issue", ""),
            status="closed" if told.get("status", "").lower() in ("done", "closed") else "open",
        )
