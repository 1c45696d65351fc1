"""One scan of one source, from the configuration to the weighed findings. Reads; decides nothing
about gates, prints nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from truegreen.config import Config
from truegreen.errors import ConfigError
from truegreen.gates.head_tree import HeadTree, git
from truegreen.gates.scan import suppressions as suppressing
from truegreen.gates.scan.cache import NAME, Cache
from truegreen.gates.scan.found import Scanned
from truegreen.gates.scan.judge import EXCLUDED, UNREAD, Weighed, excluder, unused, weigh
from truegreen.gates.scan.rules import RuleSet, load_rules
from truegreen.gates.scan.sources.repository import (
    Blob,
    changed_blobs,
    history_blobs,
    items,
    tree_blobs,
)
from truegreen.gates.scan.suppressions import Suppressions
from truegreen.secret import Secret

_REMEMBER = 5000  # results written at once: a killed scan of a history keeps the rest


@dataclass(frozen=True, slots=True)
class Survey:
    """What a scan of ``source`` came to. ``texts`` were looked through, of which ``remembered``
    blobs came out of the cache. ``file`` holds the suppressions and ``key`` makes fingerprints."""

    source: str
    findings: tuple[Weighed, ...]
    texts: int
    remembered: int
    file: Path
    key: Secret
    partial: bool = False  # a diff: that there is nothing to scan is an answer

    @property
    def blocking(self) -> tuple[Weighed, ...]:
        """Hits that nobody suppressed."""
        return tuple(one for one in self.findings if one.blocks and one.is_hit)

    @property
    def unread(self) -> tuple[Weighed, ...]:
        """What should have been scanned and could not be."""
        return tuple(one for one in self.findings if one.kind == UNREAD)


class Surveyor:
    """Scans for one service on one day. ``engine``: auto, fast or pure; ``jobs``: threads, None
    for one a core; ``cached``: whether blobs are remembered in ``.truegreen``; ``new_file``: where
    there are no suppressions yet, make up a key for a file that is about to be written.

    Raises ConfigError for suppressions, rules or a policy that do not parse.
    """

    def __init__(
        self,
        config: Config,
        today: date,
        *,
        engine: str = "auto",
        jobs: int | None = None,
        cached: bool = True,
        new_file: bool = False,
    ) -> None:
        self._config = config
        self._today = today
        self._engine = engine
        self._jobs = jobs
        self._rules = _rules(config)
        self.file = config.root / config.scan.suppressions
        self._suppressions = suppressing.load(self.file)
        if self._suppressions is None and new_file:
            self._suppressions = Suppressions(str(self.file), suppressing.new_key(), {})
        # Without a file there is nothing to match, and no fingerprint leaves this machine
        known = self._suppressions
        self.key = known.key if known else Secret("")
        self._mark = suppressing.Marker(self.key)
        folder = config.root / ".truegreen"
        digest = f"{self._rules.digest}-{self._mark.digest}"
        self._cache = Cache(folder / NAME if cached else None, digest)
        self._excluded = excluder(config.scan.exclude)

    def tree(self, commit: str = "HEAD") -> Survey:
        """The service's folder at ``commit``. Raises UsageError where git has no such tree."""
        tree = HeadTree.of(self._config.root, commit)
        blobs = tree_blobs(tree.entries(sizes=False))
        survey = self._survey(tree.source, tree.root, blobs)
        if self._suppressions is None:
            return survey
        marks = [one.fingerprint for one in survey.findings]
        left = tuple(unused(self._suppressions, marks))
        return replace(survey, findings=survey.findings + left)

    def changes(self, base: str, commit: str = "HEAD") -> Survey:
        """What ``commit`` has and the commit ``base`` had not: a value that stood in a file that
        changed or went is not new, wherever it is now."""
        tree = HeadTree.of(self._config.root, commit)
        blobs, before = changed_blobs(tree, base)
        old = [Blob("", oid) for oid in dict.fromkeys(before)]
        results, _ = self._scan(tree.root, old)
        known = frozenset(
            seen.fingerprint for scanned in results.values() for seen in scanned.sightings
        )
        source = f"{tree.source} since {base[:12]}"
        return replace(self._survey(source, tree.root, blobs, known=known), partial=True)

    def history(self) -> Survey:
        """Every blob of the repository that is reachable from a reference, each once. A value is
        told once a path, where it stands in the newest version that git lists. A shallow clone's
        is unreadable from where it was cut."""
        root = self._config.root
        prefix = git(root, "rev-parse", "--show-prefix").decode(errors="replace").strip()
        top = Path(git(root, "rev-parse", "--show-toplevel").decode(errors="replace").strip())
        blobs = history_blobs(root)
        survey = self._survey(f"the history of {top.name}", root, blobs, prefix=prefix, once=True)
        if git(root, "rev-parse", "--is-shallow-repository").strip() != b"true":
            return survey
        cut = Weighed(UNREAD, ".", "a shallow clone: the history before it is not here")
        return replace(survey, findings=(*survey.findings, cut))

    def files(self, path: Path) -> Survey:
        """A file, a folder or an archive outside of git."""
        from truegreen.gates.scan.engines import make_engine
        from truegreen.gates.scan.parallel import scan_items
        from truegreen.gates.scan.sources.files import file_items

        engine = make_engine(self._rules, self._engine)
        found: list[Weighed] = []
        texts = 0
        wanted = (item for item in file_items(path) if not self._left_out(item.path, found))
        for item, scanned in scan_items(wanted, self._rules, engine, self._mark, self._jobs):
            texts += scanned.texts
            found.extend(weigh(item.path, scanned, self._suppressions, self._today))
        return self._done(str(path), found, texts, 0)

    def _survey(
        self,
        source: str,
        root: Path,
        blobs: Sequence[Blob],
        *,
        known: frozenset[str] = frozenset(),
        prefix: str = "",
        once: bool = False,
    ) -> Survey:
        found: list[Weighed] = []
        wanted = [blob for blob in blobs if not self._left_out(blob.path, found, prefix)]
        results, remembered = self._scan(root, wanted)
        told: set[tuple[str, ...]] = set()
        texts = 0
        for blob in wanted:
            scanned = results[blob.oid]
            texts += scanned.texts
            if known:
                new = tuple(one for one in scanned.sightings if one.fingerprint not in known)
                scanned = replace(scanned, sightings=new)
            elif once and (scanned.sightings or scanned.gaps):
                scanned = _untold(blob.path, scanned, told)
            found.extend(weigh(blob.path, scanned, self._suppressions, self._today))
        return self._done(source, found, texts, remembered)

    def _scan(self, root: Path, blobs: Sequence[Blob]) -> tuple[Mapping[str, Scanned], int]:
        """What each object came to, and how many of them the cache knew."""
        results = self._cache.get(list({blob.oid for blob in blobs}))
        remembered = len(results)
        missing = list({blob.oid: blob for blob in blobs if blob.oid not in results}.values())
        if not missing:
            return results, remembered
        from truegreen.gates.scan.engines import make_engine
        from truegreen.gates.scan.parallel import scan_items

        engine = make_engine(self._rules, self._engine)
        fresh: dict[str, Scanned] = {}
        scanning = scan_items(items(root, missing), self._rules, engine, self._mark, self._jobs)
        for item, scanned in scanning:
            results[item.key] = scanned
            if not any(gap.unread for gap in scanned.gaps):  # it may be there the next time
                fresh[item.key] = scanned
            if len(fresh) >= _REMEMBER:
                self._cache.put(fresh)
                fresh.clear()
        self._cache.put(fresh)
        return results, remembered

    def _left_out(self, path: str, found: list[Weighed], prefix: str = "") -> bool:
        if self._excluded is None or not self._excluded.match(path.removeprefix(prefix)):
            return False
        found.append(Weighed(EXCLUDED, path, "by scan.exclude", blocks=False))
        return True

    def _done(self, source: str, found: list[Weighed], texts: int, remembered: int) -> Survey:
        return Survey(source, tuple(found), texts, remembered, self.file, self.key)


def _untold(path: str, scanned: Scanned, told: set[tuple[str, ...]]) -> Scanned:
    """``scanned`` without what is in ``told``, which gets what is new."""
    sightings, gaps = [], []
    for seen in scanned.sightings:
        mark = (path, seen.part, seen.kind, seen.fingerprint)
        if mark not in told:
            told.add(mark)
            sightings.append(seen)
    for gap in scanned.gaps:
        if (path, gap.part, gap.why) not in told:
            told.add((path, gap.part, gap.why))
            gaps.append(gap)
    return replace(scanned, sightings=tuple(sightings), gaps=tuple(gaps))


def _rules(config: Config) -> RuleSet:
    scan = config.scan
    rules = load_rules(ip=scan.ip, off=scan.off, files=[config.root / name for name in scan.rules])
    if scan.off:
        kinds = known_kinds(rules)
        for kind in scan.off:
            if kind not in kinds:
                near = difflib.get_close_matches(kind, kinds, n=1, cutoff=0.5)
                fix = f"did you mean {near[0]}?" if near else "docs/scan.md lists the kinds"
                file = str(config.file or config.root)
                raise ConfigError(file, "scan.off", f"{kind!r} is not known", fix=fix)
    return rules


def known_kinds(rules: RuleSet) -> tuple[str, ...]:
    """Every kind of finding that ``rules`` can come to."""
    from truegreen.gates.scan.kinds.national import IDS

    shaped = ("email", "phone", "card", "iban", "ssn", "ip", "birth-date", "url-password")
    national = (one.kind for one in IDS)
    return (*shaped, *national, *(rule.kind for rule in rules.anchored))
