"""A sealed and recorded pytest session: the hooks that say what happens when, and how it ended.

Only pytest's side is here: ``enclosure`` seals and watches, ``reads`` knows what a leak is,
``report`` words it. ``plugin`` registers it.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from truegreen.config.smoke import Smoke, load_smoke
from truegreen.errors import ConfigError
from truegreen.hermetic.enclosure import Enclosure
from truegreen.hermetic.options import as_written
from truegreen.hermetic.outcomes import BODY, Outcomes
from truegreen.hermetic.reads import leaks_of, merged
from truegreen.hermetic.result import (
    LEAKS_KEPT,
    READS_KEPT,
    BlockedConnection,
    RecordedRead,
    SessionResult,
    read_blocked,
    read_recorded,
)

_FROM_WORKER = "truegreen"


class HermeticSession:
    """One test session around which the environment is sealed and watched."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._problem: ConfigError | None = None
        self._smoke = Smoke()
        self._flags: Mapping[str, Any] = {}
        try:
            self._smoke, self._flags = load_smoke(root)
        except ConfigError as error:
            self._problem = error
        self._enclosure = Enclosure(root, self._smoke)
        self._recording = self._enclosure.recording
        self._outcomes = Outcomes()
        self._bodies: dict[tuple[str, str | None], str] = {}  # of failures not told yet
        self._workers_reads: list[RecordedRead] = []
        self._workers_blocked: list[BlockedConnection] = []
        self._workers_told: list[str] = []

    def begin(self) -> None:
        self._enclosure.begin()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self._enclosure.end()

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self) -> None:
        if self._problem:
            raise pytest.UsageError(f"truegreen: {self._problem}")

    # Which moment it is.

    def pytest_collection_finish(self) -> None:
        self._enclosure.still_watched("the collection of tests")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        if not session.config.pluginmanager.hasplugin("dsession"):  # xdist's, in the controller
            self._enclosure.tests_begin()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Around all that happens for a test, what other plugins do before it included."""
        node = item.nodeid
        self._recording.test_begins(node)
        try:
            return (yield)
        finally:
            self._recording.test = ""
            self._enclosure.still_watched(node)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        fixtures = self._recording.fixtures
        fixtures.append(fixturedef)
        try:
            return (yield)
        finally:
            fixtures.pop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None:
            from truegreen.hermetic.explain import body_of

            with self._recording.quietly():
                frames = [entry.frame.raw for entry in call.excinfo.traceback]
                self._bodies[item.nodeid, call.when] = body_of(frames)
        if call.when == "teardown":
            self._recording.uses_fixtures(item.nodeid, getattr(item, "fixturenames", ()))

    # How it came out.

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._outcomes.collected(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Completes the report before it is told to anybody: a worker's controller, JUnit."""
        if self._bodies:
            body = self._bodies.pop((report.nodeid, report.when), None)
            if body is not None and report.failed:
                setattr(report, BODY, body)
        if report.when == "teardown":
            for told in self._recording.leaks_of_test():
                report.user_properties.append(("truegreen.leak", told))  # JUnit's properties
        self._outcomes.ran(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """From an xdist worker: what it saw."""
        told = getattr(node, "workeroutput", {}).get(_FROM_WORKER)
        if told is None:
            self._workers_told.append(f"worker {node.gateway.id} ended without saying what it saw")
            return
        data = json.loads(told)
        self._workers_reads += [read_recorded(one) for one in data["reads"]]
        self._workers_blocked += [read_blocked(one) for one in data["blocked"]]
        self._workers_told += data["unseen"]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        output = getattr(session.config, "workeroutput", None)
        result = self.result(int(exitstatus))
        if output is not None:
            told = {
                "reads": [one._asdict() for one in result.reads],
                "blocked": [one._asdict() for one in result.blocked],
                "unseen": result.unseen,
            }
            output[_FROM_WORKER] = json.dumps(told)  # ASCII: a name need not be UTF-8
            return
        if result.findings and self._smoke.leaks == "fail" and int(exitstatus) == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        path = session.config.getoption("--truegreen-result")
        if path:
            result._replace(exit=int(session.exitstatus)).write(self._root / path)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        result = self.result(0)
        if not result.findings:
            return
        with as_written(terminalreporter.config.pluginmanager):
            from truegreen.hermetic.report import summary

        defaults = {
            name: one.get("default", False)
            for name, one in self._flags.items()
            if isinstance(one, dict)
        }
        lines = summary(result, defaults)
        if not lines:
            return
        terminalreporter.section(lines[0])
        for line in lines[1:]:
            terminalreporter.write_line(line)

    def result(self, exitstatus: int) -> SessionResult:
        """What is known by now."""
        reads = self._recording.reads()
        if self._workers_reads:
            reads = merged([*reads, *self._workers_reads])
        return SessionResult(
            sealed=self._smoke.seal,
            leaks_policy=self._smoke.leaks,
            exit=exitstatus,
            **self._outcomes.totals(),
            failures=tuple(self._outcomes.failures),
            leaks=leaks_of(reads)[:LEAKS_KEPT],
            removed=self._enclosure.removed,
            reads=reads[:READS_KEPT],
            blocked=(*self._enclosure.blocked(), *self._workers_blocked),
            unseen=(*self._enclosure.told(), *self._workers_told),
        )
