"""docs/scan.md: its files are read, its tables are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from truegreen.config import load_config
from truegreen.gates.scan import containers, scanner
from truegreen.gates.scan.kinds.national import IDS
from truegreen.gates.scan.rulefile import expand, read_built_in
from truegreen.gates.scan.rules import load_rules
from truegreen.gates.scan.suppressions import load
from truegreen.gates.scan.survey import known_kinds

BLOCK = re.compile(r"^```toml\n# file: (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(request: pytest.FixtureRequest) -> str:
    return (request.config.rootpath / "docs" / "scan.md").read_text(encoding="utf-8")


def test_the_files_on_the_page_are_read(page: str, tmp_path: Path) -> None:
    for name, text in BLOCK.findall(page):
        (tmp_path / name).write_text(text, encoding="utf-8")
    config = load_config(tmp_path)
    rules = load_rules(files=[tmp_path / name for name in config.scan.rules])
    assert rules.anchored[-1].kind == "acme-token"
    assert rules.anchored[-1].match(expand("acme_{alnum:32}").encode(), 0)
    suppressions = load(tmp_path / config.scan.suppressions)
    assert suppressions is not None
    assert len(suppressions.entries) == 1


def test_every_kind_is_in_the_table(page: str) -> None:
    vendors = {rule.id for rule in read_built_in()}
    told = set(re.findall(r"^\| `([a-z-]+)(?:…)?` \|", page, re.MULTILINE))
    kinds = {kind for kind in known_kinds(load_rules()) if kind not in vendors}
    assert {kind for kind in kinds if not kind.startswith("national-id-")} <= told
    countries = sorted(one.country for one in IDS)
    assert " ".join(countries) in page
    assert f"ids of {len(countries)} countries" in page


def test_the_numbers_on_the_page_are_the_codes(page: str) -> None:
    rules = read_built_in()
    vendors = len({rule.vendor for rule in rules})
    assert f"{len(rules)} rules for keys of {vendors} vendors" in page
    assert f"{containers.UNPACKED >> 20} MiB unpacked, {containers.MEMBERS:,} members" in page
    assert f"more than {scanner.MOST:,} findings" in page
