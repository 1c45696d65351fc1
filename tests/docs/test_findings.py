"""Every finding that the diagnosis can make is explained in docs/checks.md, and no other is."""

from __future__ import annotations

import re
from pathlib import Path

from truegreen.model import diagnosis
from truegreen.model.diagnosis.signatures import SIGNATURES

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def test_the_page_names_each_finding() -> None:
    folder = Path(diagnosis.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    made = set(re.findall(r"Finding\(\s*\"([a-z-]+)\"", source))
    made |= {signature.name for signature in SIGNATURES} | {"edge-challenge", "edge-login"}
    assert len(made) > 25
    text = PAGE.read_text(encoding="utf-8").partition("## Findings")[2].partition("## After")[0]
    told = {
        name
        for row in text.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", row.split("|")[1])
    }
    assert told == made
