"""Reads a wave out of git: local, and without guessing. What the clone cannot say is said."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

from truegreen.config import Config
from truegreen.errors import UsageError
from truegreen.gates.head_tree import git, run_git
from truegreen.gates.serving import Serving
from truegreen.gates.wave.requests import co_authors, each_once, one_line, pull_requests
from truegreen.gates.wave.wave import Commit, FlagChange, PullRequest, Wave, unknown
from truegreen.model import short

MOST = 5000  # commits that are read
_DIFF = 16 * 1024 * 1024  # bytes of a diff that is searched for flags
_PLAIN = ("-U0", "--no-color", "--no-ext-diff", "--no-textconv")
_FORMAT = "--format=%H%n%P%n%aN%n%cI%n%B"


def read_wave(config: Config, serving: Serving, commit: str = "HEAD") -> Wave:
    """The wave from what serves to ``commit`` (HEAD, or any name that git knows).

    Never raises for what the clone lacks: an unknown baseline, a shallow history, no git at all
    make the wave ``unknown``, with the reason.
    """
    try:
        head = git(config.root, "rev-parse", "--verify", f"{commit}^{{commit}}").decode().strip()
    except UsageError as error:
        return unknown(serving.commit, commit, error.message)
    if not serving.known:
        return unknown(None, head, f"what serves is not known: {serving.why}")
    if serving.commit is None:
        return Wave(None, head, "first", serving.why)
    try:
        return _between(config, serving.commit, head)
    except UsageError as error:
        return unknown(serving.commit, head, error.message)


def _between(config: Config, named: str, head: str) -> Wave:
    root = config.root
    is_id = re.fullmatch(r"[0-9a-f]{7,64}", named)  # no name of a branch, and no option
    done = run_git(root, "rev-parse", "--verify", "--quiet", f"{named}^{{commit}}")
    if not is_id or done.returncode:
        return unknown(
            named,
            head,
            f"this clone does not have {short(named)}, which serves: git fetch"
            + (" --unshallow" if _is_shallow(root) else " --all"),
        )
    base = done.stdout.decode().strip()
    if base == head:
        return Wave(base, head, "same")
    ours, our_bodies = _log(root, f"{base}..{head}")
    theirs, _ = _log(root, f"{head}..{base}")
    if len(ours) > MOST or len(theirs) > MOST:
        return unknown(base, head, f"more than {MOST} commits lie between them")
    cut = _cut_off(root)
    if cut and not cut.isdisjoint(one.id for one in (*ours, *theirs)):
        why = "the clone is shallow, and the history between them is cut off: git fetch --unshallow"
        return unknown(base, head, why)
    relation = {(True, False): "ahead", (False, True): "behind"}.get(
        (bool(ours), bool(theirs)), "diverged"
    )
    found: list[PullRequest] = []
    for one, body in zip(ours, our_bodies, strict=True):
        found += pull_requests(one, body)
    changed = _changed(root, base, head)
    return Wave(
        base,
        head,
        relation,
        commits=ours,
        prs=each_once(found),
        taken_back=theirs,
        migrations=_migrations(config, head, changed),
        flags=_flags(config, base, head),
        files=len(changed),
    )


def _log(root: Path, span: str) -> tuple[tuple[Commit, ...], list[str]]:
    commits: list[Commit] = []
    bodies: list[str] = []
    told = git(root, "log", "-z", f"--max-count={MOST + 1}", "--no-show-signature", _FORMAT, span)
    for record in told.decode("utf-8", "replace").split("\0"):
        if not record.strip():
            continue
        commit_id, parents, author, at, message = record.lstrip("\n").split("\n", 4)
        subject, _, body = message.partition("\n")
        commits.append(
            Commit(
                id=commit_id,
                subject=one_line(subject),
                authors=tuple(dict.fromkeys((one_line(author), *co_authors(body)))),
                at=at,
                merge=len(parents.split()) > 1,
            )
        )
        bodies.append(body)
    return tuple(commits), bodies


def _is_shallow(root: Path) -> bool:
    return git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"


def _cut_off(root: Path) -> frozenset[str]:
    """The commits whose parents a shallow clone does not have."""
    if not _is_shallow(root):
        return frozenset()
    file = Path(git(root, "rev-parse", "--git-path", "shallow").decode().strip("\n"))
    return frozenset((root / file).read_text(encoding="ascii").split())


def _changed(root: Path, base: str, head: str) -> tuple[tuple[str, str], ...]:
    """(status, path) of what differs in the service's folder; a rename is one to the new path."""
    told = git(root, "diff", "--name-status", "-z", "--relative", base, head, "--", ".")
    words = iter(told.decode("utf-8", "backslashreplace").split("\0"))
    found: list[tuple[str, str]] = []
    for status in words:
        if status:
            path = next(words, "")
            if status[0] in "RC":
                path = next(words, path)
            found.append((status[0], one_line(path)))
    return tuple(found)


def _migrations(config: Config, head: str, changed: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The revision files among what differs, by where the candidate's Alembic keeps them."""
    if config.release.migrate == "none":
        return ()
    text = _show(config.root, head, config.release.alembic_ini)
    ini = configparser.ConfigParser(interpolation=None)
    try:
        ini.read_string(text or "")
        location = ini.get("alembic", "script_location", fallback="migrations")
    except configparser.Error:
        location = "migrations"
    folder = location.replace("%(here)s/", "").strip().strip("/").removeprefix("./")
    prefix = f"{folder}/versions/"
    return tuple(path for _, path in changed if path.startswith(prefix) and path.endswith(".py"))


def _flags(config: Config, base: str, head: str) -> tuple[FlagChange, ...]:
    before, after = _declared(config, base), _declared(config, head)
    changes = {
        name: "added" if name not in before else "removed" if name not in after else "changed"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }
    names = before.keys() | after.keys()
    if names:
        word = re.compile(rb"\b(" + b"|".join(re.escape(n.encode()) for n in names) + rb")\b")
        for name in sorted(_mentioned(config.root, base, head, word)):
            changes.setdefault(name, "mentioned")
    return tuple(FlagChange(name, what) for name, what in changes.items())


def _declared(config: Config, commit: str) -> dict[str, Any]:
    """The flags that the configuration of ``commit`` declares, as they are written there."""
    file = config.file.name if config.file is not None else "truegreen.toml"
    text = _show(config.root, commit, file)
    try:
        data: Any = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError:
        return {}
    if file == "pyproject.toml":
        data = data.get("tool", {}).get("truegreen", {})
    flags = data.get("flags", {})
    return {name: one for name, one in flags.items() if isinstance(one, dict)}


def _mentioned(root: Path, base: str, head: str, word: re.Pattern[bytes]) -> set[str]:
    diff = git(root, "diff", *_PLAIN, "--relative", base, head, "--", ".")
    lines = (line for line in diff[:_DIFF].split(b"\n") if line[:1] in (b"+", b"-"))
    named = (line for line in lines if not line.startswith((b"+++", b"---")))
    return {match.decode() for line in named for match in word.findall(line)}


def _show(root: Path, commit: str, path: str) -> str | None:
    done = run_git(root, "show", f"{commit}:./{path}")
    return None if done.returncode else done.stdout.decode("utf-8", "replace")
