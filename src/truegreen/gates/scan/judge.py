"""What a hit counts for: its fingerprint, the allow list, the globs of what is left out. Pure.

A fingerprint is HMAC-SHA256 over kind and value, keyed with the service's name, so that an
allowance survives moved lines, squashed commits and renamed files, and one project's fingerprints
say nothing in another. The key is not a secret: who can guess the value (an SSN has 10^9) can
confirm the guess. A fingerprint is as confidential as the repository, and no more than that.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import date

from truegreen.config import ScanAllow
from truegreen.gates.result import Finding
from truegreen.gates.scan.text import Hit

_FINGERPRINT_HEX = 24  # 96 bits: no two values of one project meet by chance


def fingerprint(hit: Hit, key: str) -> str:
    """``hit``'s fingerprint under ``key`` (the service's name), as the allow list writes it."""
    message = f"{hit.kind}\0{hit.value.reveal()}".encode("utf-8", errors="surrogatepass")
    digest = hmac.new(b"truegreen-scan/1 " + key.encode(), message, hashlib.sha256)
    return digest.hexdigest()[:_FINGERPRINT_HEX]


def weigh(
    hits: Iterable[Hit], allow: Sequence[ScanAllow], *, key: str, today: date
) -> tuple[Finding, ...]:
    """A finding for each hit. One that is allowed does not block; an allowance holds through its
    day ``expires``, and an expired one blocks and says so. Allowances that matched nothing are
    listed."""
    by_print = {item.fingerprint.lower(): item for item in allow}
    used: set[str] = set()
    findings = []
    for hit in hits:
        mark = fingerprint(hit, key)
        allowance = by_print.get(mark)
        used.add(mark)
        findings.append(_finding(hit, mark, allowance, today))
    for mark, item in by_print.items():
        if mark not in used:
            findings.append(
                Finding(
                    "allowance-unused",
                    "scan.allow",
                    f"matches nothing any more ({item.reason}; {item.owner}): remove it",
                    mark,
                    blocks=False,
                )
            )
    return tuple(findings)


def _finding(hit: Hit, mark: str, allowance: ScanAllow | None, today: date) -> Finding:
    where = f"{hit.path}:{hit.line}:{hit.column}"
    if allowance is None:
        return Finding(hit.kind, where, hit.masked, mark)
    if today <= allowance.expires:
        until = f"allowed until {allowance.expires} by {allowance.owner}: {allowance.reason}"
        return Finding(hit.kind, where, f"{hit.masked} ({until})", mark, blocks=False)
    since = f"its allowance by {allowance.owner} expired on {allowance.expires}"
    return Finding(hit.kind, where, f"{hit.masked} ({since})", mark)


def excluder(globs: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern that matches the whole of each path that one of ``globs`` names; None without any.

    ``*`` and ``?`` stay within one folder, ``**`` crosses folders; a glob that names a folder
    takes all that is in it. Paths are relative to the service's root, with ``/``.
    """
    parts = [_translate(glob) for glob in globs if glob.strip("/")]
    return re.compile("|".join(parts), re.DOTALL) if parts else None


def _translate(glob: str) -> str:
    tokens = re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", re.sub(r"^(\./)+", "", glob).strip("/"))
    meaning = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    body = "".join(meaning.get(token, re.escape(token)) for token in tokens)
    return rf"(?:{body}(?:/.*)?\Z)"
