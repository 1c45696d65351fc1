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
        outcome = report.outcome
        if outcome == "passed" and report.when != "call":
            return  # the call says what it was; a node id is a text that pytest makes each time
        if outcome not in ("passed", "skipped", "failed"):
            return  # another plugin's: a run that is to be repeated
        test = report.nodeid
        if outcome != "failed":
            self._of.setdefault(test, outcome)
            return
        if self._of.get(test) != "failed":
            self._of[test] = "failed" if report.when == "call" else "error"
        self._note(report)

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
