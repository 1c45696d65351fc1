"""Rules for vendors' keys, read from TOML. The built-in ones are in ``vendors.toml``, whose head
says how a rule is written; a service may bring files of its own in the same form.

Examples are written so that no key, not even a dead one, stands in the file: ``{hex:40}`` in an
example stands for 40 characters that ``expand`` draws.
"""

from __future__ import annotations

import difflib
import random
import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from truegreen.errors import ConfigError
from truegreen.gates.scan.kinds.keys import Anchored, vendor_judge

_KEYS = ("id", "vendor", "anchors", "pattern", "near", "value", "entropy", "shown", "loose",
         "positive", "negative")  # fmt: skip
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,48}\Z")
# "NAME_api_key = 'value'": what stands between the vendor's name and the value
_BETWEEN = r"[A-Za-z0-9_ .-]{0,32}[\"'\]]{0,2}[ \t]{0,4}(?::=|=>|=|:|,)[ \t]{0,4}[\"'`]?"
_AFTER = "(?![A-Za-z0-9_-])"

ALPHABETS: Mapping[str, str] = {
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "num": string.digits,
    "low": string.ascii_lowercase + string.digits,
    "up": string.ascii_uppercase + string.digits,
    "b32": string.ascii_uppercase + "234567",
    "alnum": string.ascii_letters + string.digits,
    "b64": string.ascii_letters + string.digits + "+/",
    "url": string.ascii_letters + string.digits + "_-",
    "abc": string.ascii_lowercase,
}


@dataclass(frozen=True, slots=True)
class VendorRule:
    """One rule as it is written. ``positive`` and ``negative`` are templates for ``expand``."""

    id: str
    vendor: str
    anchored: Anchored
    positive: tuple[str, ...]
    negative: tuple[str, ...]


def load(path: Path) -> tuple[Anchored, ...]:
    """The rules of a service's own file. Raises ConfigError with file, line and key."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "", "is not UTF-8 text") from error
    except OSError as error:
        fix = "scan.rules in the configuration names it"
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}", fix=fix) from error
    return tuple(rule.anchored for rule in parse(text, str(path)))


@cache
def built_in() -> tuple[Anchored, ...]:
    """The rules that come with the package, in the file's order."""
    return tuple(rule.anchored for rule in read_built_in())


def read_built_in() -> tuple[VendorRule, ...]:
    """The same with their examples, for whoever tests them."""
    file = resources.files("truegreen.gates.scan") / "vendors.toml"
    return parse(file.read_text(encoding="utf-8"), "vendors.toml", trusted=True)


def parse(text: str, file: str, *, trusted: bool = False) -> tuple[VendorRule, ...]:
    """The rules in ``text``. ``trusted`` leaves out what the tests have tried of the built-in
    ones: whether each pattern compiles and whether the examples hold. Raises ConfigError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", f"is not valid TOML: {error}") from error
    tables = data.get("rule")
    if not isinstance(tables, list) or set(data) != {"rule"}:
        raise ConfigError(file, "", "holds no rules", fix="write each as [[rule]]")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "[[rule]]"]
    lines += [0] * (len(tables) - len(lines))
    rules: list[VendorRule] = []
    seen: set[str] = set()
    for index, table in enumerate(tables):
        reader = _Reader(file, index, lines[index], table)
        rule = reader.rule()
        if rule.id in seen:
            raise reader.error("id", f"{rule.id!r} is there twice")
        seen.add(rule.id)
        if not trusted:
            reader.try_out(rule)
        rules.append(rule)
    return tuple(rules)


class _Reader:
    """Reads one rule; each error names the file, the line of its ``[[rule]]`` and the key."""

    def __init__(self, file: str, index: int, line: int, table: Any) -> None:
        self._file, self._index, self._line, self._table = file, index, line, table

    def error(self, key: str, problem: str, *, fix: str = "") -> ConfigError:
        where = f"{self._file}:{self._line}" if self._line else self._file
        return ConfigError(where, f"rule[{self._index}].{key}", problem, fix=fix)

    def rule(self) -> VendorRule:
        if not isinstance(self._table, dict):
            raise self.error("", "is not a table", fix="write it as [[rule]]")
        for key in self._table:
            if key not in _KEYS:
                near = difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.5)
                fix = f"did you mean {near[0]}?" if near else "known: " + ", ".join(_KEYS)
                raise self.error(key, "is not a known key", fix=fix)
        name = self._text("id")
        if not _ID.match(name):
            raise self.error("id", f"{name!r} is not an id", fix="a-z, 0-9 and -")
        near_words = self._texts("near")
        if near_words:
            words = "|".join(re.escape(word) for word in near_words)
            pattern = f"(?i:{words}){_BETWEEN}(?P<value>{self._text('value')}){_AFTER}"
            anchors = near_words
        else:
            pattern, anchors = self._text("pattern"), self._texts("anchors")
        if not anchors or any(len(anchor) < 3 for anchor in anchors):
            raise self.error("anchors", "each needs three characters or more", fix='["ghp_"]')
        shown, entropy = self._number("shown", 0 if near_words else 4), self._number("entropy", 2.5)
        anchored = Anchored(
            name,
            tuple(anchor.encode() for anchor in anchors),
            pattern.encode(),
            vendor_judge(name, int(shown), entropy),
            caseless=bool(near_words),
            loose=bool(near_words) or bool(self._table.get("loose", False)),
        )
        return VendorRule(
            name, self._text("vendor"), anchored, self._texts("positive"), self._texts("negative")
        )

    def try_out(self, rule: VendorRule) -> None:
        """Compiles the pattern and runs the examples."""
        try:
            re.compile(rule.anchored.pattern)
        except re.error as error:
            raise self.error("pattern", f"is not a pattern: {error}") from error
        for key, wanted in (("positive", True), ("negative", False)):
            examples = getattr(rule, key)
            if not examples:
                raise self.error(key, "is missing", fix=f'{key} = ["…"], at least one example')
            for example in examples:
                if finds(rule, example) != wanted:
                    found = "finds nothing in" if wanted else "finds something in"
                    raise self.error(key, f"the rule {found} {example!r}")

    def _text(self, key: str) -> str:
        value = self._table.get(key)
        if not isinstance(value, str) or not value:
            raise self.error(key, "is missing or not a text", fix=f'{key} = "…"')
        return value

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.error(key, "is not a list of texts", fix=f'{key} = ["…"]')
        return tuple(value)

    def _number(self, key: str, default: float) -> float:
        value = self._table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 40:
            raise self.error(key, f"{value!r} is not a number from 0 to 40")
        return float(value)


def finds(rule: VendorRule, template: str) -> bool:
    """Whether ``rule`` finds something in what ``template`` stands for."""
    data = expand(template).encode()
    where = data.lower() if rule.anchored.caseless else data
    for anchor in rule.anchored.anchors:
        literal = anchor.lower() if rule.anchored.caseless else anchor
        start = where.find(literal)
        while start != -1:
            if rule.anchored.match(data, start):
                return True
            start = where.find(literal, start + 1)
    return False


def expand(template: str) -> str:
    """``template`` with each ``{alphabet:length}`` drawn, the same each time; ``{b64:20}`` is 20
    characters of base64. Alphabets: see ALPHABETS."""
    drawn = random.Random(template)  # noqa: S311 - examples, not keys

    def draw(match: re.Match[str]) -> str:
        return "".join(drawn.choices(ALPHABETS[match[1]], k=int(match[2])))

    return re.sub(rf"\{{({'|'.join(ALPHABETS)}):([0-9]{{1,4}})\}}", draw, template)
