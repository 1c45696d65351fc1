"""Rules about the Procfile: what the release command hides, and what its smoke suite inherits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.doctor.finding import Finding
from truegreen.doctor.tree import Tree
from truegreen.model.shell import swallowed_part

# https://devcenter.heroku.com/articles/procfile#procfile-format
_ENTRY = re.compile(r"^(?P<type>[A-Za-z0-9_-]+):\s*(?P<command>.+?)\s*$")
_PYTEST = re.compile(r"\b(?:pytest|py\.test|manage\.py\s+test|unittest)\b")
_SEALED = re.compile(r"-p[ =]truegreen\b|\btruegreen\s+(?:release|smoke)\b")


def entries(tree: Tree) -> Iterator[tuple[str, int, str, str]]:
    """(path, line, process type, command) of every Procfile."""
    for path in tree.named("Procfile"):
        for number, line in enumerate((tree.text_of(path) or "").splitlines(), 1):
            match = _ENTRY.match(line)
            if match:
                yield path, number, match["type"], match["command"]


def swallowed(tree: Tree) -> Iterator[Finding]:
    """A release command whose exit code is not that of the step that fails."""
    for path, line, kind, command in entries(tree):
        part = swallowed_part(command) if kind == "release" else ""
        if part:
            told = f"{part!r} hides the exit code of what stands before it: a failed step releases"
            yield Finding("exit-code-swallowed", "error", path, line, told)


def inherits(tree: Tree) -> Iterator[Finding]:
    """A test suite in the release command that runs with production's config vars."""
    for path, line, kind, command in entries(tree):
        if kind == "release" and _PYTEST.search(command) and not _SEALED.search(command):
            told = "runs tests on the dyno with production's config vars: they mean what those say"
            yield Finding("smoke-inherits", "error", path, line, told)


def no_release(tree: Tree) -> Iterator[Finding]:
    """Migrations, and no release command to run them."""
    procfiles = list(tree.named("Procfile"))
    if not procfiles or not list(tree.named("alembic.ini")):
        return
    if not any(kind == "release" for _, _, kind, _ in entries(tree)):
        told = "there are Alembic migrations, and no release command runs them"
        yield Finding("no-release-command", "note", procfiles[0], 1, told)
