"""The scan gate itself: reads the tree at HEAD from git, and answers. Nothing is skipped silently:
what was excluded, is binary, too large or not text of this repository is listed as such.

Not looked at: names of files, the history before HEAD, what is inside archives and images.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from truegreen.config import Config
from truegreen.gates.head_tree import Entry, HeadTree
from truegreen.gates.result import Finding, GateResult
from truegreen.gates.scan.judge import excluder, weigh
from truegreen.gates.scan.text import Hit, scan_text
from truegreen.model import Status

NAME = "scan"
LARGEST = 8 * 1024 * 1024  # bytes
_LFS = b"version https://git-lfs.github.com/spec/"
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


def scan_head(config: Config, now: datetime, *, commit: str = "HEAD") -> GateResult:
    """Scans the service's folder at ``commit``. ``now`` (with a zone) dates the allow list.

    fail: something was found that nobody allowed. unknown: nothing was found, and a file could not
    be read or no file was scanned at all. Raises UsageError where git has no such tree.
    """
    tree = HeadTree.of(config.root, commit)
    wanted, left_out = _choose(tree.entries(), config.scan.exclude)
    hits: list[Hit] = []
    unread: list[Finding] = []
    scanned = 0
    for entry, data in zip(wanted, tree.blobs(entry.oid for entry in wanted), strict=True):
        text = None if data is None else decode(data)
        if data is None:
            unread.append(Finding("unreadable", entry.path, f"git does not have {entry.oid[:12]}"))
        elif text is None:
            left_out.append(_not_scanned(entry, _why_not(data)))
        else:
            scanned += 1
            hits.extend(scan_text(text, entry.path))
    weighed = weigh(hits, config.scan.allow, key=config.name, today=now.date())
    findings = (*weighed, *unread, *left_out)
    status, reason, clears = _answer(weighed, unread, scanned)
    told = [reason, *_counts(findings)]
    return GateResult(NAME, status, "; ".join(told), now, clears, findings, tree.source)


def decode(data: bytes) -> str | None:
    """``data`` as text; None when it is binary (holds a NUL) or only points to Git LFS."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data or data.startswith(_LFS):
        return None
    return data.decode("utf-8", errors="replace")


def _why_not(data: bytes) -> str:
    return "its content is in Git LFS" if data.startswith(_LFS) else "binary"


def _choose(entries: Sequence[Entry], exclude: Sequence[str]) -> tuple[list[Entry], list[Finding]]:
    excluded = excluder(exclude)
    wanted: list[Entry] = []
    left_out: list[Finding] = []
    for entry in entries:
        if excluded is not None and excluded.match(entry.path):
            left_out.append(Finding("excluded", entry.path, "by scan.exclude", blocks=False))
        elif entry.kind != "blob":
            left_out.append(_not_scanned(entry, "a submodule"))
        elif entry.size is not None and entry.size > LARGEST:
            left_out.append(_not_scanned(entry, f"{entry.size} bytes, over {LARGEST}"))
        else:
            wanted.append(entry)
    return wanted, left_out


def _not_scanned(entry: Entry, why: str) -> Finding:
    return Finding("not-scanned", entry.path, why, blocks=False)


def _answer(
    weighed: Sequence[Finding], unread: Sequence[Finding], scanned: int
) -> tuple[Status, str, str]:
    blocking = [finding for finding in weighed if finding.blocks]
    if blocking:
        kinds = ", ".join(sorted({finding.kind for finding in blocking}))
        return (
            Status.FAIL,
            f"{len(blocking)} found ({kinds}) in {scanned} files",
            "remove each (a secret that was committed must be revoked too), or list its "
            "fingerprint under scan.allow with reason, owner and expires",
        )
    if unread:
        return (
            Status.UNKNOWN,
            f"{len(unread)} files could not be read, so nobody knows what they hold",
            "fetch the missing objects: git fetch --refetch, or a full clone",
        )
    if not scanned:
        return (
            Status.UNKNOWN,
            "no file was scanned",
            "commit files, or exclude less in scan.exclude",
        )
    return Status.PASS, f"nothing found in {scanned} files", ""


def _counts(findings: Sequence[Finding]) -> list[str]:
    allowed = sum(
        1 for f in findings if not f.blocks and f.fingerprint and f.kind != "allowance-unused"
    )
    counts = (
        ("allowed", allowed),
        ("excluded", sum(1 for f in findings if f.kind == "excluded")),
        ("not scanned", sum(1 for f in findings if f.kind == "not-scanned")),
    )
    return [f"{count} {what}" for what, count in counts if count]
