"""A watcher that lets others follow a run: it writes what it hears beside the leases.

It never costs a run anything but a moment: the database is a thread's, what cannot be written is
left out, and the end waits for that thread for two seconds at most. What stands there: underway.py.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from truegreen.errors import TrueGreenError
from truegreen.model import Evidence, stamp
from truegreen.release.trailer import PREFIX
from truegreen.ship.lease import Lease
from truegreen.ship.progress import StepState, Watcher
from truegreen.ship.underway import Beginning, Progress, UnderwayRuns

EVERY = 0.2  # seconds between two writes at least
AGAIN = 2.0  # seconds until a database that gave no answer is tried again
AT_THE_END = 2.0  # seconds that the end waits for the last write
_EVENTS, _LINES, _LONGEST = 200, 40, 300  # events, lines of output, characters of a text

Open = Callable[[], UnderwayRuns]


class Broadcast:
    """Passes everything on to ``watcher``. From ``under`` a lease on, others can follow.

    ``head`` says the ledger's last record. ``command``: what goes on when this run was killed.
    """

    def __init__(
        self,
        watcher: Watcher,
        open_runs: Open,
        *,
        kind: str,
        commit: str = "",
        command: str,
        head: Callable[[], int] = lambda: 0,
    ) -> None:
        self._watcher = watcher
        self._open = open_runs
        self._kind, self._commit, self._command, self._head = kind, commit, command, head
        self._lock = threading.Lock()
        self._events: deque[dict[str, Any]] = deque(maxlen=_EVENTS)
        self._checks: list[dict[str, Any]] = []
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._heard, self._step = 0, ""  # lines of output, and of which step
        self._news = threading.Event()
        self._ended = threading.Event()

    def step(self, name: str, state: StepState, text: str) -> None:
        self._watcher.step(name, state, text)
        told = {"at": _now(), "step": name, "state": str(state), "text": text[:_LONGEST]}
        with self._lock:
            self._events.append(told)
        self._news.set()

    def output(self, step: str, line: str) -> None:
        self._watcher.output(step, line)
        if line.startswith(PREFIX):  # the report trailer is for programs
            return
        with self._lock:
            if step != self._step:
                self._step, self._heard = step, 0
                self._lines.clear()
            self._heard += 1
            self._lines.append(line[:_LONGEST])
        self._news.set()

    def evidence(self, item: Evidence) -> None:
        self._watcher.evidence(item)
        told = {**item.as_json(), "required": True}
        del told["detail"]
        for key in ("observed", "expected", "source"):
            told[key] = told[key][:_LONGEST]
        with self._lock:
            self._checks = [one for one in self._checks if one["name"] != item.check] + [told]
        self._news.set()

    @contextmanager
    def under(self, lease: AbstractContextManager[Lease]) -> Iterator[Lease]:
        """``lease``, and while it is held the run can be followed."""
        with lease as held:
            claim = held.claim
            try:
                after = self._head()
            except TrueGreenError:
                after = 0
            run = Beginning(
                claim.app, claim.holder, claim.owner, self._kind, self._commit, self._command, after
            )
            thread = threading.Thread(
                target=self._write, args=(run,), name="broadcast", daemon=True
            )
            thread.start()
            try:
                yield held
            finally:
                self._ended.set()
                self._news.set()
                thread.join(AT_THE_END)

    def _write(self, run: Beginning) -> None:
        """The thread: what is new, until the run has ended. Whatever fails, fails here."""
        runs: UnderwayRuns | None = None
        begun = False
        while True:
            self._news.wait()
            ended = self._ended.is_set()
            self._news.clear()
            try:
                runs = runs or self._open()
                if not begun:
                    runs.begin(run)
                    begun = True
                if not runs.tell(run.app, run.holder, self._progress(), ended=ended):
                    break  # the lease was taken over, and with it the row
            except Exception:  # noqa: BLE001 - a page that nobody can see is no reason to fail
                _close(runs)
                runs = None
                if self._ended.wait(AGAIN):
                    break
                self._news.set()
                continue
            if ended:
                break
            self._ended.wait(EVERY)
        _close(runs)

    def _progress(self) -> Progress:
        with self._lock:
            events = list(self._events)
            output = {"step": self._step, "heard": self._heard, "lines": list(self._lines)}
            body = {"events": events, "checks": list(self._checks), "output": output}
        if not events:
            return Progress(body=body)
        last = events[-1]
        # A step tells more than once while it lasts: it began with its first word.
        began = next(one["at"] for one in events if one["step"] == last["step"])
        return Progress(last["step"], last["state"], began, last["text"], body)


def _close(runs: UnderwayRuns | None) -> None:
    if runs is not None:
        with contextlib.suppress(Exception):
            runs.close()


def _now() -> str:
    return stamp(datetime.now(UTC))
