"""Follow-ups and proofs as a revision has them, and the history of one: read from git alone.

What a pull request says of its own proof is not asked: the trusted revision's word counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from truegreen.config import Config
from truegreen.errors import TrueGreenError, UsageError
from truegreen.incidents.actions.checkout import Repository, git
from truegreen.incidents.actions.proof import Followup, digest, files
from truegreen.incidents.document import Document
from truegreen.incidents.document.read import decode

MOST_COMMITS = 200  # of a review's history that are looked at


@dataclass(frozen=True, slots=True)
class Base:
    """The trusted revision: its name as it was asked for, its commit, and how it came to be."""

    name: str
    commit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A follow-up as one commit of the history has it. ``proof`` is the digest, "" without one;
    ``there``: the review had it at all."""

    commit: str
    there: bool
    closed: bool
    proof: str


def find_base(repository: Repository, config: Config, named: str | None) -> Base:
    """The trusted revision: ``named``, else the configured one, else HEAD, which is then said.

    UsageError when what was named is not there, or there is no commit at all.
    """
    name = named or config.incidents.base
    commit = repository.commit(name)
    if commit is not None:
        return Base(name, commit)
    if named is not None:
        raise UsageError(f"--base: there is no revision {named!r}", hint="fetch it first")
    commit = repository.commit("HEAD")
    if commit is None:
        raise UsageError(f"{repository.top} has no commit yet", hint="git add and git commit first")
    return Base("HEAD", commit, f"there is no {name} here, so HEAD is what is trusted")


def reviews_at(repository: Repository, config: Config, commit: str) -> dict[str, Document]:
    """The reviews of the service at ``commit``, by path below its root. ConfigError for one that
    cannot be read."""
    folder = repository.path(config.incidents.path)
    listed = git(repository.top, "ls-tree", "-z", "--name-only", commit, "--", f"{folder}/")
    found: dict[str, Document] = {}
    for name in sorted(filter(None, listed.split("\0"))):
        path = PurePosixPath(name)
        if path.suffix != ".md" or path.name.lower() == "readme.md":
            continue
        own = f"{config.incidents.path}/{path.name}"
        data = repository.blob(commit, own)
        if data is not None:
            found[own] = decode(data, f"{own} at {commit[:8]}", path.stem)
    return found


def followups(reviews: Mapping[str, Document]) -> dict[str, Followup]:
    """Every action of ``reviews``, by its full name."""
    found: dict[str, Followup] = {}
    for path, document in reviews.items():
        for action in document.incident.actions:
            one = Followup(
                PurePosixPath(path).stem,
                path,
                action,
                document.incident.commit,
                document.incident.state,
            )
            found[one.name] = one
    return found


def proof_digest(repository: Repository, one: Followup, commit: str) -> str:
    """The digest of its proof with its files as they are at ``commit``. UsageError when the proof
    is none; a file that is not there counts as such."""
    named = files(one.proof)
    contents = {name: repository.object_id(commit, name) or "not there" for name in named}
    return digest(one.proof, contents)


def history(repository: Repository, one: Followup, commit: str) -> tuple[Version, ...] | None:
    """The versions of ``one`` along the first parents of ``commit``, newest first, up to the one
    before it was closed last. None when the history is cut off before that."""
    path = repository.path(one.review)
    limit = f"--max-count={MOST_COMMITS}"
    told = git(repository.top, "log", "--first-parent", "--format=%H", limit, commit, "--", path)
    found: list[Version] = []
    for number in told.split():
        version = _version(repository, one, number)
        if found and not version.closed:
            break
        found.append(version)
        if not version.closed:
            return tuple(found)
    if not found:
        return ()
    parent = repository.commit(f"{found[-1].commit}^1")
    if parent is None:
        return None if repository.shallow else tuple(found)
    if len(told.split()) == MOST_COMMITS and found[-1].commit == told.split()[-1]:
        return None
    return (*found, _version(repository, one, parent))


def _version(repository: Repository, one: Followup, commit: str) -> Version:
    data = repository.blob(commit, one.review)
    try:
        document = decode(data, one.review, one.incident) if data is not None else None
        action = document.incident.action(one.action.id) if document else None
        if action is None:
            return Version(commit, there=False, closed=False, proof="")
        then = Followup(one.incident, one.review, action)
        told = proof_digest(repository, then, commit) if action.proof else ""
        return Version(commit, there=True, closed=action.status == "closed", proof=told)
    except TrueGreenError:  # an older state that cannot be read has no proof that counts
        return Version(commit, there=data is not None, closed=False, proof="")
