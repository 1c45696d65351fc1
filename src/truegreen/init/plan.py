"""What would be written into a repository, as values: pure, a function of what is there.

A file with other content than ours is never replaced. Of a Procfile, which is everybody's, the
release command is edited, and nothing else.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from truegreen.init import procfile
from truegreen.init.configuration import configuration
from truegreen.init.facts import Facts
from truegreen.init.workflow import deploy_workflow, workflow_name

CONFIG = "truegreen.toml"
# None: there is no such file; bytes: its content; a text: why it cannot be looked at or written.
Existing = Mapping[str, bytes | str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is made (``old`` None) or edited. ``path`` is relative to the repository."""

    path: str
    old: bytes | None
    new: bytes

    @property
    def diff(self) -> str:
        """The unified diff, as git shows it."""
        before = (self.old or b"").decode("utf-8", "replace").splitlines(keepends=True)
        after = self.new.decode("utf-8").splitlines(keepends=True)
        source = "/dev/null" if self.old is None else f"a/{self.path}"
        lines = difflib.unified_diff(before, after, source, f"b/{self.path}")
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )


@dataclass(frozen=True, slots=True)
class Left:
    """A file that is there and stays as it is: why, and what to add to it by hand ("" for
    nothing)."""

    path: str
    why: str
    add: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """``changes`` in the order in which they are written: the Procfile, which alone changes what
    the next release does, is the last. ``notes``: what only a person can do."""

    changes: tuple[Change, ...]
    left: tuple[Left, ...]
    notes: tuple[str, ...]

    @property
    def diff(self) -> str:
        return "".join(change.diff for change in self.changes)


def contents(facts: Facts, requirement: str) -> dict[str, str]:
    """What the files that are ours alone would say, by their path in the repository."""
    readme = (files("truegreen.init") / "templates" / "incidents.md").read_text("utf-8")
    return {
        placed(facts, "docs/incidents/README.md"): readme,
        placed(facts, CONFIG): configuration(facts),
        f".github/workflows/{workflow_name(facts)}.yml": deploy_workflow(facts, requirement),
    }


def targets(facts: Facts) -> tuple[str, ...]:
    """The paths that a plan needs to know the content of."""
    names = ("docs/incidents/README.md", CONFIG, "pyproject.toml", "Procfile")
    own = tuple(placed(facts, name) for name in names)
    return (*own, f".github/workflows/{workflow_name(facts)}.yml")


def placed(facts: Facts, name: str) -> str:
    return f"{facts.prefix}/{name}" if facts.prefix else name


def plan(facts: Facts, existing: Existing, requirement: str) -> Plan:
    """The changes. ``existing``: the content of every path of ``targets``."""
    changes: list[Change] = []
    left: list[Left] = []
    for path, text in contents(facts, requirement).items():
        there = existing[path]
        elsewhere = _elsewhere(facts, existing) if path == placed(facts, CONFIG) else ""
        if elsewhere and there is None:
            left.append(Left(elsewhere, "has [tool.truegreen]: the configuration stands there"))
        elif there is None:
            changes.append(Change(path, None, text.encode()))
        elif isinstance(there, str):
            left.append(Left(path, there, "see truegreen init --show " + path))
        elif there != text.encode():
            left.append(Left(path, "is there with other content", _missing(path, there, text)))
    _procfile(facts, existing[placed(facts, "Procfile")], changes, left)
    return Plan(tuple(changes), tuple(left), tuple(_notes(facts)))


def _procfile(
    facts: Facts, there: bytes | str | None, changes: list[Change], left: list[Left]
) -> None:
    path = placed(facts, "Procfile")
    line = f"release: {procfile.release_command(facts)}"
    if isinstance(there, str):
        left.append(Left(path, there, line))
        return
    try:
        text = None if there is None else there.decode("utf-8")
    except UnicodeDecodeError:
        left.append(Left(path, "is not UTF-8 text", line))
        return
    edited = procfile.edited(text, facts)
    if edited.text is None:
        left.append(Left(path, edited.told, line))
    elif edited.text != text:
        changes.append(Change(path, there, edited.text.encode()))


def _elsewhere(facts: Facts, existing: Existing) -> str:
    path = placed(facts, "pyproject.toml")
    there = existing[path]
    if isinstance(there, bytes) and "truegreen" in _toml(there).get("tool", {}):
        return path
    return ""


def _missing(path: str, there: bytes, ours: str) -> str:
    """What of ours is not in a file that is there: for TOML its keys, else where to look."""
    if path.endswith(".toml"):
        found, wanted = _toml(there), tomllib.loads(ours)
        absent = [
            f"[{table}] {key}"
            for table, keys in wanted.items()
            if isinstance(keys, dict)
            for key in keys
            if key not in found.get(table, {})
        ]
        return "it does not say: " + ", ".join(absent) if absent else ""
    return f"compare it with: truegreen init --show {path}" if path.endswith(".yml") else ""


def _toml(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except ValueError:
        return {}


def _notes(facts: Facts) -> Iterator[str]:
    wanted = ["truegreen", *(("pytest",) if facts.smoke else ())]
    missing = [name for name in wanted if name not in facts.named]
    if missing:
        where = facts.requirements or "requirements.txt"
        yield f"add to {where}, for the release command on the dyno: {', '.join(missing)}"
    if facts.application is None:
        yield "no Flask, Django or FastAPI application was found: the Procfile needs its web line"
    if not facts.apps:
        yield "no git remote leads to Heroku: put the app's name into [env.production]"
    if not facts.health:
        yield "no health endpoint was found, so nobody says which commit serves: " + _health(facts)
    if not facts.smoke:
        where = f".github/workflows/{workflow_name(facts)}.yml"
        yield "there is no smoke suite, so the workflow has no smoke gate: once tests/smoke is"
        yield f"  there, delete {where} and run truegreen init again"
    yield "the secret HEROKU_API_KEY belongs into each of the repository's GitHub environments"
    yield "the app has to say its commit: heroku labs:enable runtime-dyno-metadata --app APP"


def _health(facts: Facts) -> str:
    made = f'Health("{facts.name}", os.environ)'
    framework = facts.application.framework if facts.application else ""
    if framework == "flask":
        return f"truegreen.health.flask.init_app(app, {made})"
    if framework == "fastapi":
        return f"app.add_middleware(truegreen.health.asgi.HealthEndpoint, health={made})"
    return f"application = truegreen.health.wsgi.HealthEndpoint(application, {made})"
