"""Runs every rule over a tree, and leaves out what the repository says it knows about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truegreen.doctor.finding import Finding
from truegreen.doctor.rules import LOOKS, RULES
from truegreen.doctor.tree import Gap, Tree
from truegreen.errors import UsageError

# On the line itself or the one above: # truegreen: ignore[rule-name] why
_IGNORED = re.compile(r"#\s*truegreen:\s*ignore\[(?P<rule>[a-z-]+)\]\s*(?P<why>.*)$")
_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Examination:
    """``ignored`` are findings with the reason that their file gives. ``gaps`` were not looked
    into, so nothing is known of them."""

    root: Path
    files: int
    findings: tuple[Finding, ...]
    ignored: tuple[tuple[Finding, str], ...]
    gaps: tuple[Gap, ...]

    @property
    def exit_code(self) -> int:
        """1 for an error or a warning, else 3 when something could not be read, else 0."""
        if any(finding.level != "note" for finding in self.findings):
            return 1
        return 3 if self.gaps else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "findings": [
                {
                    **finding.as_json(),
                    "why": RULES[finding.rule].why,
                    "fix": RULES[finding.rule].fix,
                    "leads_to": RULES[finding.rule].incident,
                }
                for finding in self.findings
            ],
            "ignored": [{**finding.as_json(), "reason": why} for finding, why in self.ignored],
            "not_looked_into": [{"path": gap.path, "why": gap.why} for gap in self.gaps],
        }


def examine(root: Path) -> Examination:
    """What will go wrong in the repository at ``root``. Raises UsageError when it is no folder."""
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder", hint="name the repository's root")
    tree = Tree.of(root)
    found = [finding for look in LOOKS for finding in look(tree)]
    found.sort(key=lambda one: (_ORDER[one.level], one.path, one.line, one.rule))
    ignored = [(one, why) for one in found if (why := _reason(tree, one))]
    known = {id(one) for one, _ in ignored}
    return Examination(
        root,
        len(tree.paths),
        tuple(one for one in found if id(one) not in known),
        tuple(ignored),
        tuple(dict.fromkeys(tree.gaps)),
    )


def _reason(tree: Tree, finding: Finding) -> str:
    """Why the file says that this is known; an ignore without a reason ignores nothing."""
    lines = (tree.bytes_of(finding.path) or b"").decode("utf-8", "replace").splitlines()
    for number in (finding.line - 1, finding.line - 2):
        match = _IGNORED.search(lines[number]) if 0 <= number < len(lines) else None
        if match and match["rule"] == finding.rule and match["why"].strip():
            return match["why"].strip()
    return ""
