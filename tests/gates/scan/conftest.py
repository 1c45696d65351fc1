"""One rule set and both engines for the whole room: compiling them is the dear part."""

from __future__ import annotations

import pytest

from truegreen.gates.scan.engines import make_engine
from truegreen.gates.scan.rules import RuleSet, load_rules
from truegreen.gates.scan.scanner import Scanner


@pytest.fixture(scope="session")
def rules() -> RuleSet:
    return load_rules(ip="all")


@pytest.fixture(scope="session")
def fast(rules: RuleSet) -> Scanner:
    return Scanner(rules, make_engine(rules, "fast"))


@pytest.fixture(scope="session")
def pure(rules: RuleSet) -> Scanner:
    return Scanner(rules, make_engine(rules, "pure"))
