"""The pytest plugin inside a fork: changes the environment, chooses the tests, writes outcomes.

Stands beside ``truegreen.hermetic.plugin``, which seals and records; what is changed here comes
after the seal, and before any conftest or module of the application.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from truegreen.hermetic.enclosure import SCRATCH_VARIABLE
from truegreen.hermetic.explain import message_of
from truegreen.hermetic.options import SESSION
from truegreen.hermetic.prove.orders import OUTCOMES, RESULT, Order
from truegreen.hermetic.scratch_copy import is_server, own_copy
from truegreen.hermetic.session import HermeticSession


def become(values: Mapping[str, str | None]) -> None:
    """Sets and removes (None) variables, for C and children too, past any recorder."""
    kind = os._Environ
    for name, value in values.items():
        if value is not None:
            kind.__setitem__(os.environ, name, value)
        elif name in list(kind.__iter__(os.environ)):
            kind.__delitem__(os.environ, name)
    time.tzset()


class CaseSession:
    """One order's session. With ``warm`` it collects, then takes orders there; each is carried out
    in a fork of what has been collected."""

    def __init__(self, order: Order, warm: socket.socket | None) -> None:
        self._order = order
        self._warm = warm
        self._file: Any = None
        self._forked = False
        self._recorded: object = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        become(self._order.values)

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.truegreen_result = str(Path(self._order.folder) / RESULT)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._choose(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        if self._warm is None:
            return
        from truegreen.hermetic.prove.forkserver import serve, tell

        tests = [item.nodeid for item in session.items]
        tell(self._warm, {"collected": tests, "threads": threading.active_count()})
        before = Path(self._order.folder)
        gc.collect()
        gc.freeze()  # what is shared with the forks stays untouched, and so shared
        self._order = serve(self._warm)
        # From here on: a fork, which goes on with pytest's own loop.
        self._warm = None
        self._forked = True
        _move(before, Path(self._order.folder))
        self._file = None
        become(self._order.values)
        if not self._order.recorded:
            os.environ.__class__ = os._Environ  # nobody will ask, so nobody has to watch
        session.config.option.truegreen_result = str(Path(self._order.folder) / RESULT)
        self._choose(session.items)

    @pytest.hookimpl(wrapper=True, trylast=True)  # within the terminal's, around all others
    def pytest_sessionfinish(self) -> Generator[None, None, None]:
        yield
        if self._forked:
            # Fixtures are torn down and the result is written. What would come now is a summary for
            # nobody, and the taking down of folders that belong to the process forked from.
            os._exit(0)

    def pytest_plugin_registered(self, plugin: object, plugin_name: str) -> None:
        if plugin_name == SESSION:
            self._recorded = plugin

    def told(self) -> None:
        """Writes what was read, where pytest ended too early to do so: a conftest has crashed."""
        path = Path(self._order.folder) / RESULT
        if isinstance(self._recorded, HermeticSession) and not path.exists():
            self._recorded.result(int(pytest.ExitCode.USAGE_ERROR)).write(path)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._write(nodeid, "start", "", "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._write(report.nodeid, report.when, report.outcome, _message(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.nodeid.partition("::")[0].endswith(".py"):
            self._write(report.nodeid, "collect", report.outcome, _message(report))

    def _choose(self, items: list[pytest.Item]) -> None:
        if self._order.tests is not None:
            wanted = frozenset(self._order.tests)
            items[:] = [item for item in items if item.nodeid in wanted]

    def _write(self, test: str, when: str, outcome: str, message: str) -> None:
        if self._file is None:
            path = Path(self._order.folder) / OUTCOMES
            self._file = path.open("a", encoding="ascii", buffering=1)
        said = {"test": test, "when": when, "outcome": outcome, "message": message}
        self._file.write(json.dumps(said) + "\n")


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    if not report.failed:
        return ""
    body = getattr(report, "truegreen_body", "")
    crash = getattr(report.longrepr, "reprcrash", None)
    said = message_of(crash.message if crash is not None else report.longreprtext, body)
    return f"{said}: {body}" if body else said


def _move(before: Path, after: Path) -> None:
    """Gives this fork its own copy of the scratch folder, and of every path into it."""
    shutil.copytree(before, after, dirs_exist_ok=True, symlinks=True)
    cwd = Path.cwd()
    become(
        {
            name: value.replace(str(before), str(after))
            for name, value in os._Environ.copy(os.environ).items()
            if str(before) in value
        }
    )
    given = os._Environ.get(os.environ, SCRATCH_VARIABLE, "")
    if is_server(given):
        become({"DATABASE_URL": own_copy(given)})
    tempfile.tempdir = str(after)
    if cwd.is_relative_to(before):
        os.chdir(after / cwd.relative_to(before))
