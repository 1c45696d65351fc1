"""The pytest plugin: seals the session, records what leaks, says so, writes the result.

    pytest -p truegreen.hermetic.plugin [--truegreen-result=PATH]

Settings are the ``[smoke]`` of the configuration in the current folder. Given with ``-p`` it acts
before any conftest, other plugin or module of the application is imported. Only pytest's side is
here: what a leak is stands in ``recorder``, what the seal removes in ``seal``.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from truegreen.config import Smoke, load_config
from truegreen.errors import ConfigError
from truegreen.hermetic.explain import body_of, message_of
from truegreen.hermetic.origin import Stack
from truegreen.hermetic.pins import PinHooks
from truegreen.hermetic.recorder import Recording, Watch
from truegreen.hermetic.result import (
    FAILURES_KEPT,
    LEAKS_KEPT,
    LeakedRead,
    SessionResult,
    TestFailure,
    describe,
)
from truegreen.hermetic.seal import seal

_BODY = "truegreen_body"  # the attribute under which a report carries the response, xdist too


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    group = parser.getgroup("truegreen")
    group.addoption(
        "--truegreen-result", metavar="PATH", help="write totals, failures and leaks as JSON"
    )
    # This hook is called the moment the plugin is known: the earliest there is.
    session = HermeticSession(Path.cwd())
    session.begin()
    pluginmanager.register(session, "truegreen-hermetic-session")


class HermeticSession:
    """One test session around which the environment is sealed and watched."""

    def __init__(self, root: Path) -> None:
        self._problem: ConfigError | None = None
        self._smoke = Smoke()
        try:
            self._smoke = load_config(root).smoke
        except ConfigError as error:
            self._problem = error
        self._scratch = tempfile.TemporaryDirectory(prefix="truegreen-seal-")
        self._before = dict(os.environ)
        self._sealed = seal(
            self._before,
            self._smoke.env,
            self._smoke.pass_env,
            scratch=Path(self._scratch.name),
            sealed=self._smoke.seal,
        )
        self._recording = Recording(Stack(root), self._settled)
        self._watch = Watch(self._recording)
        self._pin_hooks = PinHooks(self._recording)
        self._outcomes: dict[str, str] = {}  # node id -> passed | failed | error | skipped
        self._collect_errors = 0
        self._failures: list[TestFailure] = []
        self._workers_leaks: list[LeakedRead] = []

    def _settled(self, name: str) -> bool:
        return name in self._sealed.pinned or name in self._sealed.passes

    def begin(self) -> None:
        _become(self._sealed.environ)
        self._watch.start()
        self._pin_hooks.install()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self._pin_hooks.remove()
        self._watch.stop()
        _become(self._before)
        self._scratch.cleanup()

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self) -> None:
        if self._problem:
            raise pytest.UsageError(f"truegreen: {self._problem}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and call.excinfo is not None:
            with self._recording.quietly():
                frames = [entry.frame.raw for entry in call.excinfo.traceback]
                setattr(report, _BODY, body_of(frames))
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._collect_errors += 1
            self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self._outcomes.setdefault(report.nodeid, "")
        if report.failed:
            after = "failed" if report.when == "call" else "error"
            if before != "failed":
                self._outcomes[report.nodeid] = after
            self._note(report)
        elif report.skipped:
            self._outcomes[report.nodeid] = before or "skipped"
        elif report.when == "call":
            self._outcomes[report.nodeid] = before or "passed"

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if len(self._failures) >= FAILURES_KEPT:
            return
        crash = getattr(report.longrepr, "reprcrash", None)
        text = crash.message if crash is not None else report.longreprtext
        body = getattr(report, _BODY, "")
        self._failures.append(TestFailure(report.nodeid, message_of(text, body), body))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """From an xdist worker: what it saw."""
        output = getattr(node, "workeroutput", {})
        self._workers_leaks += [LeakedRead(**leak) for leak in output.get("truegreen_leaks", ())]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        leaks = self._leaks()
        worker_output = getattr(session.config, "workeroutput", None)
        if worker_output is not None:
            worker_output["truegreen_leaks"] = [asdict(leak) for leak in leaks]
            return
        if leaks and self._smoke.leaks == "fail" and int(exitstatus) == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        path = session.config.getoption("--truegreen-result")
        if path:
            self._result(int(session.exitstatus), leaks).write(Path(path))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        leaks = self._leaks()
        if not leaks:
            return
        policy = {"fail": "the session fails", "warn": "a warning", "record": "recorded"}
        terminalreporter.section(f"environment leaks: {policy[self._smoke.leaks]}")
        for leak in leaks[:20]:
            terminalreporter.write_line(describe(leak))
        if len(leaks) > 20:
            terminalreporter.write_line(f"… and {len(leaks) - 20} more")

    def _leaks(self) -> tuple[LeakedRead, ...]:
        found: dict[tuple[str, str, int, bool], int] = {}
        own = (
            LeakedRead(read.variable, read.file, read.line, read.present, read.count)
            for read in self._recording.leaks()
        )
        for leak in (*own, *self._workers_leaks):
            key = (leak.variable, leak.file, leak.line, leak.present)
            found[key] = found.get(key, 0) + leak.count
        return tuple(LeakedRead(*key, count) for key, count in sorted(found.items()))

    def _result(self, exitstatus: int, leaks: tuple[LeakedRead, ...]) -> SessionResult:
        outcomes = list(self._outcomes.values())
        return SessionResult(
            sealed=self._smoke.seal,
            leaks_policy=self._smoke.leaks,
            exit=exitstatus,
            total=len(outcomes),
            passed=outcomes.count("passed"),
            failed=outcomes.count("failed"),
            errors=outcomes.count("error") + self._collect_errors,
            skipped=outcomes.count("skipped"),
            failures=tuple(self._failures),
            leaks=leaks[:LEAKS_KEPT],
            removed=self._sealed.removed,
        )


def _become(wanted: Any) -> None:
    """Makes this process's environment ``wanted``, for C and for children too."""
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    for name, value in wanted.items():
        os.environ[name] = value
    time.tzset()
