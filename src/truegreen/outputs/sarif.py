"""SARIF 2.1.0 (OASIS): findings beside lines of code. https://docs.oasis-open.org/sarif/sarif/v2.1.0/

``sarif_log`` builds a log from any findings; ``sarif`` is the log of one release.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from truegreen.outputs.run_record import RunRecord

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Rule:
    """``id`` is stable; ``text`` says in one sentence what the rule finds."""

    id: str
    text: str
    help_uri: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One finding. ``level``: error, warning or note. ``file`` is relative to the repository's
    root, "" for a finding without a place; ``line`` counts from 1. ``fingerprint`` keeps it the
    same finding when lines move."""

    rule: str
    level: str
    text: str
    file: str = ""
    line: int = 1
    fingerprint: str = ""
    suppressed: str = ""  # why it does not count, "" when it does
    properties: Mapping[str, Any] = field(default_factory=dict)
    column: int = 0  # in characters from 1; 0: the whole line


def sarif_log(
    rules: Iterable[Rule], results: Iterable[Result], *, version: str = ""
) -> dict[str, Any]:
    """A log with one run. Every result's rule must be among ``rules`` (KeyError else)."""
    told = list(rules)
    index = {rule.id: number for number, rule in enumerate(told)}
    driver: dict[str, Any] = {"name": "truegreen", "rules": [_rule(rule) for rule in told]}
    if version:
        driver["semanticVersion"] = version
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, index[one.rule]) for one in results],
            }
        ],
    }


def sarif(record: RunRecord) -> str:
    """What is not as it should be about a release: failed and unanswered required checks, and each
    variable that a smoke suite inherited, at the line that reads it."""
    rules: dict[str, Rule] = {}
    results: list[Result] = []
    for check in record.checks("fail", "unknown"):
        if not check["required"]:
            continue
        name = str(check["name"])
        rules[name] = Rule(name, f"The release passes {name}.")
        level = "error" if check["status"] == "fail" else "warning"
        text = f"{record.title}: {name}: {check['observed']} (expected: {check['expected']})"
        results.append(Result(name, level, text, fingerprint=f"{record.app}/{name}"))
    smoke = record.smoke
    for leak in smoke["leaks"] if smoke else ():
        rules["leak"] = Rule("leak", "The smoke suite pins every variable that it depends on.")
        variable = str(leak["variable"])
        results.append(
            Result(
                "leak",
                "error" if leak["present"] else "warning",
                f"{variable} is read here in a smoke test and not pinned: add it to [smoke.env]",
                f"{record.root}/{leak['file']}".lstrip("/"),
                max(1, int(leak["line"])),
                fingerprint=f"leak/{variable}/{leak['file']}",
            )
        )
    return json.dumps(sarif_log(rules.values(), results), indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"id": rule.id, "shortDescription": {"text": rule.text}}
    if rule.help_uri:
        told["helpUri"] = rule.help_uri
    return told


def _result(one: Result, index: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": one.level,
        "message": {"text": one.text},
    }
    if one.file:
        region = {"startLine": one.line}
        if one.column:
            region["startColumn"] = one.column
        told["locations"] = [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(one.file), "uriBaseId": "%SRCROOT%"},
                    "region": region,
                }
            }
        ]
    if one.fingerprint:
        told["partialFingerprints"] = {"truegreen/v1": one.fingerprint}
    if one.suppressed:
        told["suppressions"] = [{"kind": "external", "justification": one.suppressed}]
    if one.properties:
        told["properties"] = dict(one.properties)
    return told


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
