"""A worker: takes jobs, has each carried out by a child, keeps its claims alive, says how they end.

One thread, which never fetches, ships or waits for a platform: that is the children's. A database
that is away stops none of them; what is to be written down is written when it is back.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing import connection
from pathlib import Path
from types import FrameType

from truegreen.ship.holder import Holder
from truegreen.state import Location, NewerTables, StateError
from truegreen.workers.checkout import clear_away
from truegreen.workers.child import LAST, Child, start_child
from truegreen.workers.job import Ending, Job
from truegreen.workers.order import UNDERSTOOD, Understands
from truegreen.workers.queue import SECONDS, Queue, like

GRACE = 60.0  # seconds that ships have to end by themselves when the worker is to stop
_BEAT = SECONDS / 3
_POLL = 2.0  # seconds between two looks for work, when nothing is told
_TOLD = 0.25  # seconds between two reports of progress, at least
_PAUSE = 1.0  # seconds until a database that is away is asked again
_LOGS = 200  # of ships that were not green, kept

Tell = Callable[[str], None]


@dataclass(slots=True)
class _Running:
    """A job that is ours, and the process that is at it."""

    job: Job
    child: Child
    steps: list[tuple[str, str, str]] = field(default_factory=list)
    told: int = 0  # steps that stand in the job
    ending: Ending | None = None
    over: bool = False  # the process is gone
    stopped_at: float | None = None
    ours: bool = True  # False: somebody else has the job by now, or it was withdrawn


class Worker:
    """``run`` returns when it was told to stop and its jobs are ended or handed back.

    ``slots``: jobs at once. ``only``: globs of the repositories that it works for; none: all.
    ``grace``: seconds that ships have at the end.
    """

    def __init__(
        self,
        location: Location,
        *,
        slots: int = 1,
        only: Sequence[str] = (),
        understands: Understands = UNDERSTOOD,
        grace: float = GRACE,
        tell: Tell = lambda _: None,
        launch: Callable[[Job, Path], Child] = start_child,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._location = location
        self._folder = location.folder / "worker"
        self._slots = slots
        self._only = [like(one) for one in only] or ["%"]
        self._understands = understands
        self._grace = grace
        self._tell = tell
        self._launch = launch
        self._clock = clock
        self._holder = Holder.here()
        self._queue: Queue | None = None
        self._running: list[_Running] = []
        self._stop_at: float | None = None  # when ships that still run are stopped
        self._beat_at = self._look_at = self._told_at = -1e9
        self._waits: set[int] = set()  # jobs of another protocol, told of
        self._away = False
        self._ask_at = -1e9  # of a database that is away
        self._wake, self._woken = os.pipe()
        for end in (self._wake, self._woken):
            os.set_blocking(end, False)

    def stop(self) -> None:
        """No new jobs; those that run have ``grace`` seconds, and none when told twice. May be
        called from a signal handler."""
        grace = self._grace if self._stop_at is None else 0.0
        self._stop_at = self._clock() + grace
        with suppress(BlockingIOError):
            os.write(self._woken, b".")

    def run(self) -> None:
        """Raises UsageError without a shared database, StateError when it is away at the start."""
        self._location.make_folder()
        self._folder.mkdir(exist_ok=True)
        clear_away(self._folder)
        self._forget_logs()
        self._open()
        try:
            while not self._done():
                self._wait()
                self._listen_to_children()
                self._round()
                if self._stop_at is not None and self._clock() >= self._stop_at:
                    self._stop_children()
        finally:
            self._leave()

    def _done(self) -> bool:
        """Told to stop, and nothing is left to do; or nobody is there to write it down: then the
        claims end by themselves."""
        if self._stop_at is None:
            return False
        left = [one for one in self._running if not (self._away and one.over)]
        return not left and (not self._running or self._clock() > self._stop_at + LAST)

    # the database

    def _open(self) -> Queue:
        if self._queue is None:
            self._queue = Queue.open(self._location)
            self._queue.listen()
        return self._queue

    def _round(self) -> None:
        """What is to be said to the database, and asked of it."""
        if self._clock() < self._ask_at:
            return
        try:
            queue = self._open()
            self._keep(queue)
            self._write_down(queue)
            if self._stop_at is None:
                self._take(queue)
        except NewerTables as error:
            self._close()
            self._outdated(error.message)
            self._away = True  # for us: what our ships come to is found out by the next worker
            self._ask_at = self._clock() + _PAUSE
        except StateError as error:
            self._close()
            if not self._away:
                self._tell(f"the database is away, ships go on: {error.message}")
            self._away = True
            self._ask_at = self._clock() + _PAUSE
        else:
            if self._away:
                self._tell("the database is back")
            self._away = False

    def _close(self) -> None:
        if self._queue is not None:
            self._queue.close()
            self._queue = None

    def _leave(self) -> None:
        for one in self._running:  # only when an error ended us: they end with the pipe
            one.child.pipe.close()
        with suppress(StateError):
            if self._queue is not None:
                self._queue.sign_off(self._holder)
        self._close()
        os.close(self._wake)
        os.close(self._woken)

    def _outdated(self, why: str) -> None:
        """Workers of a newer version are here: this one ends, and leaves the rest to them."""
        if self._stop_at is None:
            self._tell(f"{why}; this worker takes no more jobs")
            self.stop()

    # jobs

    def _keep(self, queue: Queue) -> None:
        """Says that we and our claims are alive; finds those that are not ours any more."""
        now = self._clock()
        if now - self._beat_at < _BEAT:
            return
        queue.sign(self._holder, version("truegreen"), self._understands, self._slots,
                   len(self._running))  # fmt: skip
        for claim, job in queue.beat([one.job for one in self._running if one.ours]):
            why = job.message if job.withdrawn else f"job {job.id} is somebody else's by now"
            self._tell(f"{why}: its ship is stopped here")
            for one in self._running:
                if one.job == claim:
                    one.ours = False
                    self._stop_child(one)
        self._beat_at = now

    def _take(self, queue: Queue) -> None:
        now = self._clock()
        if now - self._look_at >= _POLL:
            self._look_at = now
            for job in queue.take_over():
                self._tell(f"job {job.id}: {job.owner} went away in the middle; it goes on")
            self._tell_strange(queue)
        took = False
        while len(self._running) < self._slots:
            found = queue.take(self._holder, self._understands, self._only)
            if found is None:
                break
            took = True
            again = f" (attempt {found.attempt})" if found.attempt > 1 else ""
            self._tell(f"job {found.id}: ships {found.app} at {found.commit[:8]}{again}")
            self._running.append(_Running(found, self._launch(found, self._folder)))
        if took:
            self._beat_at = -_BEAT

    def _tell_strange(self, queue: Queue) -> None:
        waits = set()
        for job in queue.strange(self._understands):
            waits.add(job.id)
            if job.id not in self._waits:
                self._tell(
                    f"job {job.id} of {job.app} is of protocol {job.protocol}: this worker"
                    f" understands {self._understands}, and leaves it to one that does"
                )
        self._waits = waits

    def _write_down(self, queue: Queue) -> None:
        """Endings, and progress as it comes."""
        now = self._clock()
        due = now - self._told_at >= _TOLD
        for one in list(self._running):
            if one.over:
                self._ended(queue, one)
                self._running.remove(one)
                self._beat_at = -_BEAT  # others see at once that there is room
            elif due and one.ours and one.told < len(one.steps):
                queue.progress(one.job, json.dumps(one.steps))
                one.told = len(one.steps)
                self._told_at = now

    def _ended(self, queue: Queue, one: _Running) -> None:
        job, ending = one.job, one.ending
        if ending is not None and not ending.again:
            if one.told < len(one.steps):
                queue.progress(job, json.dumps(one.steps))
            kept = queue.end(job, ending)
            told = ending.verdict or f"exit {ending.exit_code}: {ending.message}"
        else:
            if ending is None:
                code = one.child.process.exitcode
                why = f"the process that shipped it ended with {code}"
            else:
                why = ending.message
            told = f"handed back, {why}"
            kept = queue.hand_back(job, why, lost=one.stopped_at is None)
        if kept:
            self._tell(f"job {job.id}: {told}")
        if ending is not None and ending.outdated:
            self._outdated(ending.message)
        if ending is not None and ending.exit_code == 0:
            (self._folder / "logs" / f"job-{job.id}.log").unlink(missing_ok=True)

    # children

    def _wait(self) -> None:
        waited: list[object] = [self._wake]
        for one in (one for one in self._running if not one.over):
            waited += [one.child.process.sentinel] if one.ending else [one.child.pipe]
        if self._queue is not None:
            with suppress(StateError):
                waited.append(self._queue.fileno())
        ready = connection.wait(waited, timeout=self._patience())  # type: ignore[arg-type]
        if self._wake in ready:
            with suppress(BlockingIOError):
                os.read(self._wake, 4096)
        if self._queue is not None:
            with suppress(StateError):  # found out again, and told, in the next round
                if self._queue.wait(0) and self._running:
                    self._beat_at = -_BEAT  # a job of ours may have been withdrawn

    def _patience(self) -> float:
        if any(one.told < len(one.steps) or one.over for one in self._running):
            return _TOLD
        if self._stop_at is None:
            return _POLL
        return min(_POLL, max(0.05, self._stop_at - self._clock()))

    def _listen_to_children(self) -> None:
        for one in (one for one in self._running if not one.over):
            try:
                while one.child.pipe.poll():
                    word = one.child.pipe.recv()
                    if word[0] == "ended":
                        one.ending = word[1]
                    else:
                        one.steps.append(word[1:])
            except (EOFError, OSError):
                one.over = True
            if not one.over and one.ending is not None:
                one.over = not one.child.process.is_alive()
            if one.over:
                one.child.process.join(LAST)
                one.child.pipe.close()

    def _stop_children(self) -> None:
        for one in self._running:
            self._stop_child(one)

    def _stop_child(self, one: _Running) -> None:
        if one.stopped_at is None:
            one.stopped_at = self._clock()
            one.child.stop()
        elif self._clock() > one.stopped_at + 2 * LAST:
            one.child.process.kill()

    def _forget_logs(self) -> None:
        logs = sorted(
            (self._folder / "logs").glob("job-*.log"), key=lambda one: one.stat().st_mtime
        )
        for log in logs[:-_LOGS]:
            log.unlink(missing_ok=True)


@contextmanager
def stopped_by_signals(worker: Worker) -> Iterator[None]:
    """While it lasts, SIGTERM and SIGINT tell the worker to stop. Main thread only."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
