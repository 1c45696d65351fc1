"""The facts about one commit's revisions: from the cache, or from a child over its tree.

Writes the tree out only where somebody has to run in it, and starts a Postgres only where something
is pending.
"""

from __future__ import annotations

import configparser
import posixpath
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from truegreen.config import Config
from truegreen.gates.head_tree import Entry, HeadTree
from truegreen.gates.migrations.blobs import contents
from truegreen.gates.migrations.cache import AnswerCache, digest_of
from truegreen.gates.migrations.facts import Facts, facts_of
from truegreen.gates.migrations.inquiry import ask, child_environment
from truegreen.gates.migrations.merge import Merged, merge, prefix_of, tree_at
from truegreen.gates.result import Finding
from truegreen.release.migrate.revision_files import declared
from truegreen.secret import resolve


class GraphProblem(Exception):
    """The revisions cannot be asked. ``kind``: fail | unknown; ``file`` is the one to look into."""

    def __init__(
        self,
        text: str,
        file: str,
        kind: str,
        clears: str = "",
        findings: tuple[Finding, ...] = (),
    ) -> None:
        super().__init__(f"{file}: {text}" if file else text)
        self.text, self.file, self.kind = text, file, kind
        self.clears, self.findings = clears, findings


class Inquirer:
    """Asks about ``tree`` of the service ``config``. Leaves nothing behind but the cache."""

    def __init__(self, config: Config, tree: HeadTree, environ: Mapping[str, str]) -> None:
        self._config = config
        self._tree = tree
        self._environ = child_environment(config, environ)
        self._cache = AnswerCache(config.root)
        self._ini = posixpath.normpath(config.release.alembic_ini)
        self._entries = tree.entries()
        self._scripts = self._script_folder()
        self._folders: list[tempfile.TemporaryDirectory[str]] = []

    def __enter__(self) -> Inquirer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for folder in self._folders:
            folder.cleanup()

    def merged(self) -> Merged:
        """The commit merged with the target branch."""
        return merge(self._config.root, self._tree.commit, self._config.migrations.branch)

    def concerns(self, path: str) -> bool:
        """Whether a path, from the repository's top, is about the revisions."""
        prefix = prefix_of(self._config.root)
        inside = path.removeprefix(f"{prefix}/") if prefix else path
        return inside == self._ini or inside.startswith(f"{self._scripts}/")

    def heads_of(self, merged: Merged) -> Sequence[tuple[str, str]] | None:
        """The heads of a merge result; None where its revisions are the commit's own."""
        prefix = prefix_of(self._config.root)
        service = tree_at(self._config.root, merged.tree, prefix)
        paths = [self._ini, *([self._scripts] if self._scripts else [""])]
        root = self._config.root
        if not service or all(
            tree_at(root, service, path) == tree_at(root, self._tree.tree, path) for path in paths
        ):
            return None
        tree = HeadTree(root, self._tree.commit, service)
        with Inquirer(self._config, tree, self._environ) as other:
            return other.facts(None).heads

    def facts(self, base: tuple[str, ...] | None) -> Facts:
        """What there is to know; with a ``base``, about what is pending from there too. Raises
        GraphProblem, UsageError."""
        if not any(one.path == self._ini for one in self._entries):
            raise GraphProblem(f"there is no {self._ini}", "", "fail")
        postgres = self._config.migrations.database == "postgresql" and base is not None
        question: dict[str, Any] = {
            "ini": self._ini,
            "base": None if base is None else sorted(base),
            "sql": postgres,
            "trace": postgres,
        }
        pins = sorted(self._config.smoke.env.items())
        material = {**question, "pins": pins, "server": self._config.migrations.postgres}
        digest = digest_of(self._tree, self._entries, self._scripts, self._ini, material)
        told = self._cache.get(digest)
        if told is not None:
            try:
                return facts_of(told)
            except (KeyError, TypeError, ValueError):
                pass  # of another format, or damaged: asked anew
        told = self._ask(question)
        if "problem" in told:
            raise GraphProblem(str(told["problem"]), str(told["file"]), str(told["kind"]))
        facts = facts_of(told)
        if facts.trace is None or not facts.trace.error:
            self._cache.put(digest, told)
        return facts

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        folder: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory(
            prefix="truegreen-migrations-", ignore_cleanup_errors=True
        )
        self._folders.append(folder)
        root = Path(folder.name).resolve() / "tree"
        self._tree.export(root)
        if not question["trace"] or not self._may_be_pending(root, set(question["base"])):
            return ask(root, question, self._environ)
        with self._server() as database:
            return ask(root, question, self._environ, database=database)

    def _may_be_pending(self, root: Path, base: set[str]) -> bool:
        """Read from the files, so that no server is started where nothing can be pending."""
        revisions = declared(root / self._scripts, root)
        downs = {down for one in revisions for down in one.down}
        return {one.revision for one in revisions if one.revision not in downs} != base

    @contextmanager
    def _server(self) -> Iterator[Callable[[], str]]:
        from truegreen.gates.migrations.server import EmbeddedServer, GivenServer

        reference = self._config.migrations.postgres
        if reference:
            with GivenServer(resolve(reference, what="migrations.postgres")) as given:
                yield given.database
            return
        with EmbeddedServer() as server:
            yield server.database

    def _script_folder(self) -> str:
        """The revisions' folder in the tree; "" where the ini does not say it plainly."""
        entry = next((one for one in self._entries if one.path == self._ini), None)
        if entry is None:
            return ""
        text = contents(self._tree.root, [entry.oid])[0] or b""
        return script_folder(text.decode("utf-8", errors="replace"), self._ini, self._entries)


def script_folder(text: str, ini: str, entries: Sequence[Entry]) -> str:
    """``script_location`` of an ini's text, as a path in the tree; "" where it is none. Pure."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
        location = parser.get("alembic", "script_location")
    except configparser.Error:
        return ""
    here = posixpath.dirname(ini)
    path = location.strip().replace("%(here)s", here or ".")
    path = posixpath.normpath(path)
    known = any(one.path.startswith(f"{path}/") for one in entries)
    return path if known else ""
