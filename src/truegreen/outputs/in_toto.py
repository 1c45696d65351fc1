"""in-toto statements: the verdict as an attestation about the commit; signing is somebody else's.

Test Result v0.1, where an unknown check counts as failed; and for a green verdict alone the Simple
Verification Result v0.2, which can only say what was verified.
https://github.com/in-toto/attestation/tree/main/spec/predicates
"""

from __future__ import annotations

import json
from typing import Any

from truegreen.errors import UsageError
from truegreen.outputs.run_record import RunRecord

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SVR = "https://in-toto.io/attestation/svr/v0.2"
_RESULTS = {"green": "PASSED", "red": "FAILED", "unverified": "FAILED"}


def in_toto(record: RunRecord) -> str:
    """The statements, one a line. Raises UsageError when the commit is not known: there is nothing
    then that they could be about."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in statements(record))


def statements(record: RunRecord) -> list[dict[str, Any]]:
    """The statements as values."""
    if len(record.commit) not in (40, 64):
        raise UsageError(
            f"an in-toto statement is about a whole commit, and {record.commit or 'none'!r} is not",
            hint="verify with --commit and the full hash",
        )
    required = [check for check in record.checks() if check["required"]]
    passed = [check["name"] for check in required if check["status"] == "pass"]
    predicate: dict[str, Any] = {
        "result": _RESULTS[record.verdict],
        "configuration": _configuration(record),
        "passedTests": passed,
        "warnedTests": [
            check["name"] for check in record.checks("fail", "unknown") if not check["required"]
        ],
        "failedTests": [check["name"] for check in required if check["status"] != "pass"],
    }
    if record.run_url:
        predicate["url"] = record.run_url
    made = [_statement(record, TEST_RESULT, predicate)]
    if record.verdict == "green":
        verified = {
            "verifier": {
                "id": "https://pypi.org/project/truegreen/verification/v1",
                "policies": _configuration(record),
            },
            "timeCreated": record.at,
            "properties": [f"TRUEGREEN_{name.upper().replace('.', '_')}" for name in passed],
        }
        made.append(_statement(record, SVR, verified))
    return made


def _configuration(record: RunRecord) -> list[dict[str, Any]]:
    if not record.config_digest:
        return []
    return [{"name": "truegreen.toml", "digest": {"sha256": record.config_digest}}]


def _statement(record: RunRecord, kind: str, predicate: dict[str, Any]) -> dict[str, Any]:
    algorithm = "sha1" if len(record.commit) == 40 else "sha256"
    return {
        "_type": STATEMENT,
        "subject": [
            {
                "name": f"{record.service} {record.release}".strip(),
                "uri": f"heroku:{record.app}/{record.release}".rstrip("/"),
                "digest": {"gitCommit": record.commit, algorithm: record.commit},
            }
        ],
        "predicateType": kind,
        "predicate": predicate,
    }
