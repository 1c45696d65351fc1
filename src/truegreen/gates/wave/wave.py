"""A wave as frozen values. No reading, no parsing.

Authors are named, their addresses are not kept: the wave goes into the ledger and into outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. ``subject`` is in one printable line; ``authors`` holds who committed it with
    everyone whom a Co-authored-by names; ``at`` is ISO 8601."""

    id: str
    subject: str
    authors: tuple[str, ...]
    at: str
    merge: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "subject": self.subject,
            "authors": list(self.authors),
            "at": self.at,
            "merge": self.merge,
        }


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull or merge request by its number, and the commit that says so."""

    number: int
    title: str
    commit: str

    def as_json(self) -> dict[str, Any]:
        return {"number": self.number, "title": self.title, "commit": self.commit}


@dataclass(frozen=True, slots=True)
class FlagChange:
    """What happens to one flag. ``what``: added, removed or changed (its declaration), or
    mentioned (in a line that was added or removed)."""

    name: str
    what: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "what": self.what}


@dataclass(frozen=True, slots=True)
class Wave:
    """What lies between ``base``, which serves, and ``head``, which would be shipped.

    ``relation``: ``first`` (nothing serves), ``same``, ``ahead``, ``behind`` (the candidate is
    older), ``diverged``, or ``unknown``: then ``why`` says why, and nothing else here means
    anything. ``commits`` are newest first; ``taken_back`` are those that serve and that the
    candidate lacks. ``files`` counts what differs in the service's folder.
    """

    base: str | None
    head: str
    relation: str
    why: str = ""
    commits: tuple[Commit, ...] = ()
    prs: tuple[PullRequest, ...] = ()
    taken_back: tuple[Commit, ...] = ()
    migrations: tuple[str, ...] = ()
    flags: tuple[FlagChange, ...] = ()
    files: int = 0

    @property
    def known(self) -> bool:
        return self.relation != "unknown"

    @property
    def authors(self) -> tuple[str, ...]:
        """Everyone in it, in the order of the alphabet."""
        return tuple(sorted({name for commit in self.commits for name in commit.authors}))

    def as_json(self) -> dict[str, Any]:
        return {
            "base": self.base,
            "head": self.head,
            "relation": self.relation,
            "known": self.known,
            "why": self.why,
            "commits": [one.as_json() for one in self.commits],
            "prs": [one.as_json() for one in self.prs],
            "authors": list(self.authors),
            "taken_back": [one.as_json() for one in self.taken_back],
            "migrations": list(self.migrations),
            "flags": [one.as_json() for one in self.flags],
            "files": self.files,
        }


def unknown(base: str | None, head: str, why: str) -> Wave:
    """A wave that could not be made out."""
    return Wave(base, head, "unknown", why)
