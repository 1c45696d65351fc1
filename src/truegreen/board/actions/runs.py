"""Starts a verb as a process of its own, and records who asked for it before and what came of it.

The process outlives the board; its own record is the verb's, as if a person had typed it.
"""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from truegreen.board.actions.offered import Action
from truegreen.errors import Refused, TrueGreenError
from truegreen.ledger import Ledger
from truegreen.state import Location

KIND = "board-action"  # of the ledger's records
AT_ONCE = 4  # processes of actions that run at the same time
KEPT = 200  # runs that are remembered
_SHOWN = 64 * 1024  # bytes of output, its end, that a page shows
_LOG = logging.getLogger(__name__)
VERB = (sys.executable, "-m", "truegreen")


@dataclass(frozen=True, slots=True)
class Run:
    """One action that was started. ``exit``: None while it runs."""

    id: str
    action: Action
    by: str
    began: datetime
    log: Path
    exit: int | None = None

    def output(self) -> str:
        """The end of what the process has said, on both streams."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _SHOWN))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""


class Runs:
    """The actions that this board has started."""

    def __init__(
        self,
        where: Location,
        *,
        verb: Sequence[str] = VERB,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._where = where
        self._verb = tuple(verb)
        self._now = now
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._going = 0

    def start(self, action: Action, by: str) -> Run:
        """Records that ``by`` asked for it, and starts it. Raises Refused when too many run or it
        cannot be started, StateError when it cannot be recorded: then it is not started."""
        with self._lock:
            if self._going >= AT_ONCE:
                raise Refused(f"{AT_ONCE} actions run already", hint="wait until one has ended")
            self._going += 1
        number = secrets.token_hex(8)
        try:
            folder = self._where.folder / "actions"
            self._where.make_folder()
            folder.mkdir(mode=0o700, exist_ok=True)
            _forget(folder)
            run = Run(number, action, by, self._now(), folder / f"{number}.log")
            self._record(run, f"{by} asked for: {action.command}")
            process = self._started(run)
        except OSError as error:
            self._going_less()
            raise Refused(f"it could not be started: {error.strerror}") from error
        except BaseException:
            self._going_less()
            raise
        with self._lock:
            self._runs[number] = run
            while len(self._runs) > KEPT:
                del self._runs[next(iter(self._runs))]
        threading.Thread(
            target=self._follow, args=(run, process), name="action", daemon=True
        ).start()
        return run

    def find(self, number: str) -> Run | None:
        with self._lock:
            return self._runs.get(number)

    def newest(self, most: int = 20) -> list[Run]:
        with self._lock:
            return list(reversed(self._runs.values()))[:most]

    def _started(self, run: Run) -> subprocess.Popen[bytes]:
        descriptor = os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as log:
            return subprocess.Popen(
                [*self._verb, *run.action.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _follow(self, run: Run, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        ended = Run(run.id, run.action, run.by, run.began, run.log, code)
        self._going_less()
        with self._lock:
            if run.id in self._runs:
                self._runs[run.id] = ended
        try:
            self._record(ended, f"{run.action.command} of {run.by} ended with {code}")
        except TrueGreenError as error:
            _LOG.warning("the end of %s is not recorded: %s", run.action.command, error)

    def _going_less(self) -> None:
        with self._lock:
            self._going -= 1

    def _record(self, run: Run, sentence: str) -> None:
        body: dict[str, Any] = {
            "id": run.id,
            "action": run.action.name,
            "command": run.action.command,
            "by": run.by,
            "sentence": sentence,
            "exit": run.exit,
        }
        with Ledger.open(self._where) as ledger:
            ledger.append(KIND, app=run.action.app, commit=None, verdict=None, body=body)


def _forget(folder: Path) -> None:
    """Of the outputs, the newest stay."""
    found = sorted(folder.glob("*.log"), key=lambda one: one.stat().st_mtime)
    for one in found[: -KEPT + 1]:
        one.unlink(missing_ok=True)
