"""The vendors' rule file: its examples hold, and a broken one says where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from truegreen.errors import ConfigError
from truegreen.gates.scan import rulefile
from truegreen.gates.scan.engines import make_engine
from truegreen.gates.scan.rulefile import VendorRule, expand, finds, parse, read_built_in
from truegreen.gates.scan.rules import load_rules
from truegreen.gates.scan.scanner import Scanner

RULES = read_built_in()
GOOD = """
[[rule]]
id = "own"
vendor = "Us"
anchors = ["own_"]
pattern = 'own_[a-z0-9]{20}'
positive = ["own_{low:20}"]
negative = ["own_{low:10}"]
"""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_examples_of_a_rule_hold(rule: VendorRule) -> None:
    re.compile(rule.anchored.pattern)
    assert rule.positive
    assert rule.negative
    assert [text for text in rule.positive if not finds(rule, text)] == []
    assert [text for text in rule.negative if finds(rule, text)] == []


def test_there_are_150_vendors() -> None:
    assert len({rule.vendor for rule in RULES}) >= 150


def test_the_scanner_finds_each_rules_first_example(fast: Scanner) -> None:
    missed = [
        rule.id for rule in RULES if not fast.matches(b"\n" + expand(rule.positive[0]).encode())
    ]
    assert missed == []


def test_no_key_stands_in_the_file(fast: Scanner) -> None:
    file = Path(rulefile.__file__).with_name("vendors.toml")
    assert fast.matches(file.read_bytes()) == []


def test_a_services_own_rules_are_found(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(GOOD)
    rules = load_rules(files=[file])
    assert rules.digest != load_rules().digest
    scanner = Scanner(rules, make_engine(rules))
    (match,) = scanner.matches(expand("x own_{low:20}").encode())
    assert match.kind == "own"
    assert match.masked == "own_…, 24 characters"


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        (("id =", "ident ="), "rule[0].ident", "did you mean id"),
        (('"own"', '"Own Rule"'), "rule[0].id", "not an id"),
        (('["own_"]', '["ow"]'), "rule[0].anchors", "three characters"),
        (('["own_"]', '"own_"'), "rule[0].anchors", "list of texts"),
        (("{20}'", "{20'"), "rule[0].positive", "finds nothing"),
        (("'own_[a-z", "'own_[a-"), "rule[0].pattern", "not a pattern"),
        (('positive = ["own_{low:20}"]', ""), "rule[0].positive", "missing"),
        (('["own_{low:10}"]', '["own_{low:20}"]'), "rule[0].negative", "finds something"),
        (('vendor = "Us"', "entropy = true"), "rule[0].entropy", "number"),
        (("pattern =", "patern ="), "rule[0].patern", "did you mean pattern"),
    ],
)
def test_a_broken_rule_names_file_line_and_key(
    tmp_path: Path, change: tuple[str, str], key: str, says: str
) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(GOOD.replace(*change))
    with pytest.raises(ConfigError, match=re.escape(says)) as caught:
        load_rules(files=[file])
    assert caught.value.file == f"{file}:2"
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[[rule]\n", "not valid TOML"),
        (b"", "holds no rules"),
        (b"rule = 3", "holds no rules"),
        (b"\xff\xfe", "not UTF-8"),
        (GOOD.encode() + b"other = 1\n[extra]\n", "holds no rules"),
        (GOOD.encode() * 2, "there twice"),
    ],
)
def test_a_file_that_is_none_is_one_error(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        load_rules(files=[file])


def test_a_file_that_is_not_there_names_the_key_that_wants_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"scan\.rules"):
        load_rules(files=[tmp_path / "none.toml"])


def test_an_example_is_drawn_the_same_each_time() -> None:
    assert expand("{hex:40}") == expand("{hex:40}")
    assert re.fullmatch(r"a[0-9a-f]{40}\{other:3\}", expand("a{hex:40}{other:3}"))
    assert parse(GOOD, "f")[0].vendor == "Us"
