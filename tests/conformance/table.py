"""The table of commands in docs/embedded-platform.md: read, compared, and written anew from a run.

The verdicts are the run's; the remarks in the last column are people's, and are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ROW = re.compile(r"^\| `heroku ([^`]+)` \| (works|differs|refused) \| ?(.*?) ?\|\n", re.MULTILINE)


def verdicts(text: str) -> dict[str, str]:
    """Command to verdict, as the page has it."""
    return {command: verdict for command, verdict, _ in _ROW.findall(text)}


def rewritten(text: str, ran: Mapping[str, str]) -> str:
    """``text`` with the rows of what ran: known ones in their order, new ones after them (what is
    refused last), and none of what did not run."""
    remarks = {command: remark for command, _, remark in _ROW.findall(text)}
    known = list(remarks)
    order = sorted(ran, key=lambda c: (ran[c] == "refused", known.index(c) if c in known else 999))
    rows = "".join(f"| `heroku {c}` | {ran[c]} | {remarks.get(c, '')} |\n" for c in order)
    first = _ROW.search(text)
    assert first, "the page has no table"
    return text[: first.start()] + rows + _ROW.sub("", text[first.start() :])
