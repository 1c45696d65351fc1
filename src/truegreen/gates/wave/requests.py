"""Pull requests and authors as commit messages name them. Pure.

The forms are those that the forges write by themselves: GitHub's and GitLab's merge and squash
commits, Bitbucket's and Azure's merges, bors' batches. A number that a person wrote into the middle
of a sentence is no pull request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from truegreen.gates.wave.wave import Commit, PullRequest

_SUBJECTS = (
    re.compile(r"Merge pull request #(?P<number>\d{1,9}) from \S+"),  # GitHub: title is the body's
    re.compile(r"Merged in \S+ \(pull request #(?P<number>\d{1,9})\)"),  # Bitbucket
    re.compile(r"Merged PR (?P<number>\d{1,9}): (?P<title>.+)"),  # Azure
    re.compile(r"(?P<title>.+) \([#!](?P<number>\d{1,9})\)"),  # squash: GitHub, GitLab
)
_BATCH = re.compile(r"Merge((?: #\d{1,9})+)")  # bors
_GITLAB = re.compile(r"See merge request (?:\S*)!(?P<number>\d{1,9})")
_WITH = re.compile(r"co-authored-by:\s*(?P<name>[^<\n]*?)\s*<[^>\n]*>\s*", re.IGNORECASE)
_LONGEST = 200  # characters of a subject or a title


def pull_requests(commit: Commit, body: str) -> Iterator[PullRequest]:
    """The pull requests that ``commit`` brings; ``body`` is its message after the subject."""
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    for form in _SUBJECTS:
        match = form.fullmatch(commit.subject)
        if match:
            title = match.groupdict().get("title") or (lines[0] if lines else commit.subject)
            yield PullRequest(int(match["number"]), one_line(title), commit.id)
            return
    batch = _BATCH.fullmatch(commit.subject)
    if batch:
        for number in batch[1].split():
            yield PullRequest(int(number.lstrip("#")), commit.subject, commit.id)
        return
    for line in lines:
        match = _GITLAB.fullmatch(line)
        if match:
            titles = [one for one in lines if not _GITLAB.fullmatch(one)]
            title = titles[0] if titles else commit.subject
            yield PullRequest(int(match["number"]), one_line(title), commit.id)
            return


def each_once(found: Iterable[PullRequest]) -> tuple[PullRequest, ...]:
    """Every number once, as the first that has it says."""
    by_number: dict[int, PullRequest] = {}
    for one in found:
        by_number.setdefault(one.number, one)
    return tuple(by_number.values())


def co_authors(body: str) -> tuple[str, ...]:
    """The names in Co-authored-by trailers, each once."""
    matches = (_WITH.fullmatch(line.strip()) for line in body.splitlines())
    names = (one_line(match["name"]) for match in matches if match and match["name"])
    return tuple(dict.fromkeys(names))


def one_line(text: str) -> str:
    """``text`` as it may be shown: printable, in one line, not endless."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
