"""The release command of the drills' service: three smoke tests, and a report of how they ended.

It only says what a release command of a real service would say; a drill sets what comes out.
"""

from __future__ import annotations

import json
import os
import sys
import time

FAILURE = ""  # with what every smoke test fails
SECONDS = 0.0  # how long it takes
TESTS = ("test_front_page", "test_sign_up", "test_sign_in")


def main() -> int:
    time.sleep(SECONDS)
    failed = len(TESTS) if FAILURE else 0
    report = {
        "complete": True,
        "exit": 1 if failed else 0,
        "commit": os.environ.get("HEROKU_SLUG_COMMIT"),
        "release": os.environ.get("HEROKU_RELEASE_VERSION"),
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "phases": [
            {"name": "preflight", "status": "pass", "seconds": 0.0, "problems": []},
            {
                "name": "smoke",
                "status": "fail" if failed else "pass",
                "seconds": SECONDS,
                "sealed": True,
                "total": len(TESTS),
                "passed": len(TESTS) - failed,
                "failed": failed,
                "errors": 0,
                "skipped": 0,
                "failures": [
                    {"test": f"tests/smoke.py::{name}", "message": FAILURE, "body": ""}
                    for name in TESTS[:failed]
                ],
                "leaks": [],
            },
        ],
    }
    sys.stdout.write("truegreen-report/1 " + json.dumps(report, separators=(",", ":")) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
