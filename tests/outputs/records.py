"""Records of runs for the tests of the formats: green, red, unverified, and a hostile one."""

from __future__ import annotations

from typing import Any

from truegreen.outputs.run_record import RunRecord

COMMIT = "9f02" + "0" * 36
AT = "2026-06-21T19:36:00.000Z"


def check(name: str, status: str = "pass", *, required: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "status": status,
        "required": required,
        "observed": f"{name} was seen",
        "expected": "wanted",
        "source": "somewhere",
        "at": AT,
        "digest": "sha256:00",
        "detail": {},
        **more,
    }


SMOKE = {
    "name": "smoke",
    "status": "fail",
    "total": 14,
    "failed": 14,
    "leaks": [
        {
            "variable": "FLAG_ENFORCE_CF_ORIGIN",
            "file": "raptor/settings.py",
            "line": 31,
            "present": True,
        }
    ],
}


def record(verdict: str = "red", kind: str = "ship", **more: Any) -> RunRecord:
    """A record as that day's would have been (red), or as it should have been."""
    status = {"green": "pass", "red": "fail", "unverified": "unknown"}[verdict]
    report = {"report": {"phases": [SMOKE]}} if verdict == "red" else {}
    document: dict[str, Any] = {
        "verdict": verdict,
        "sentence": f"raxx-api-prod is {verdict}.",
        "app": "raxx-api-prod",
        "commit": COMMIT,
        "release": {"version": 154, "status": "succeeded", "current": verdict != "red"},
        "serving": {
            "version": 153,
            "status": "succeeded",
            "current": True,
            "commit": "3" * 40,
            "says": None,
        },
        "baseline": {"version": 153, "status": "succeeded", "current": True},
        "schema": None,
        "checks": [
            check("release.command", status),
            check("release.report", status, detail=report),
            check("health.edge"),
            check("schema.head", "unknown", required=False),
        ],
        "diagnosis": [
            {
                "name": "smoke-inherited-environment",
                "kind": "cause",
                "sentence": "The smoke suite ran with the platform's environment.",
                "cites": ["release.report"],
                "next_step": "pin it",
                "quotes": [
                    {"source": "output of v154", "line": 7, "text": "E 403", "digest": "sha256:1"}
                ],
            }
        ]
        if verdict == "red"
        else [],
        "recommendation": None
        if verdict == "green"
        else {"action": "fix forward", "why": "v153 serves on", "command": "", "rehearsal": ""},
        "overrides": [],
        "notes": ["a note"],
        "timings": {"total": 6.5, "release": 5.0},
        "events": [
            {
                "at": "2026-06-21T19:35:54.000Z",
                "step": "release",
                "state": "running",
                "text": "v154",
            },
            {"at": "2026-06-21T19:35:59.000Z", "step": "release", "state": "failed", "text": ""},
        ],
    }
    document |= more.pop("document", {})
    values: dict[str, Any] = {
        "service": "raptor",
        "environment": "production",
        "source": "https://github.com/example/raptor",
        "run_url": "https://github.com/example/raptor/actions/runs/7",
        "config_digest": "0" * 64,
        "root": "services/raptor",
    }
    return RunRecord(document, kind, AT, **(values | more))


HOSTILE = "]]></failure>\x1b[31m<script>alert(1)</script>|`rm`\x00 ::error::x\n[x](javascript:1) ﾠ"


def hostile() -> RunRecord:
    """A record whose every text comes from somebody who wishes ill."""
    return record(
        "red",
        document={
            "sentence": HOSTILE,
            "checks": [check("release.command", "fail", observed=HOSTILE, expected=HOSTILE)],
            "notes": [HOSTILE],
            "diagnosis": [
                {
                    "name": "x",
                    "kind": "cause",
                    "sentence": HOSTILE,
                    "cites": ["release.command"],
                    "next_step": "",
                    "quotes": [{"source": HOSTILE, "line": 1, "text": HOSTILE, "digest": ""}],
                }
            ],
        },
    )
