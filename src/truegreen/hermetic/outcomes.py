"""How a session's tests came out. Fed with pytest's reports, knows nothing of environments."""

from __future__ import annotations

import pytest

from truegreen.hermetic.result import FAILURES_KEPT, TestFailure

BODY = "truegreen_body"  # the attribute under which a report carries the response, xdist too


class Outcomes:
    """Totals are of tests, by node id; a collection that failed is counted beside them."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}  # node id -> passed | failed | error | skipped
        self._collect_errors = 0
        self.failures: list[TestFailure] = []

    def collected(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._collect_errors += 1
            self._note(report)

    def ran(self, report: pytest.TestReport) -> None:
        if report.outcome == "passed" and report.when == "teardown":
            return  # what it was is known; a node id is a text that pytest makes each time
        before = self._of.setdefault(report.nodeid, "")
        if report.failed:
            after = "failed" if report.when == "call" else "error"
            if before != "failed":
                self._of[report.nodeid] = after
            self._note(report)
        elif report.skipped:
            self._of[report.nodeid] = before or "skipped"
        elif report.when == "call":
            self._of[report.nodeid] = before or "passed"

    def totals(self) -> dict[str, int]:
        """By SessionResult's names."""
        outcomes = list(self._of.values())
        return {
            "total": len(outcomes),
            "passed": outcomes.count("passed"),
            "failed": outcomes.count("failed"),
            "errors": outcomes.count("error") + self._collect_errors,
            "skipped": outcomes.count("skipped"),
        }

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if len(self.failures) >= FAILURES_KEPT:
            return
        from truegreen.hermetic.explain import message_of

        crash = getattr(report.longrepr, "reprcrash", None)
        text = crash.message if crash is not None else report.longreprtext
        body = getattr(report, BODY, "")
        self.failures.append(TestFailure(report.nodeid, message_of(text, body), body))
