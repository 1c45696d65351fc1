"""The process that carries out one job: fetches, ships, tells, and says how it ended.

Forked from a process that has imported everything and done nothing (multiprocessing's forkserver),
in a session of its own. It ends when its worker does: the pipe between them is the proof of life.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from truegreen.config import Config, load_config
from truegreen.errors import Interrupted, TrueGreenError, UsageError
from truegreen.ship.progress import StepState
from truegreen.state import NewerTables, StateError, locate
from truegreen.workers.checkout import checkout
from truegreen.workers.job import Ending, Job
from truegreen.workers.making import place_of
from truegreen.workers.order import Options

if TYPE_CHECKING:
    from truegreen.ship.pipeline import Shipped

# Imported once, by the process that the others are forked from. None of them starts a thread.
_PRELOAD = (
    "truegreen.workers.child", "truegreen.workers.carrying", "truegreen.ship.durable",
    "truegreen.ship.pipeline", "truegreen.ship.recording", "truegreen.notify.changes",
    "truegreen.gates.freeze.gate", "truegreen.gates.scan.gate", "truegreen.ledger",
    "truegreen.state.postgres", "psycopg", "psycopg_binary",
)  # fmt: skip
LAST = 20.0  # seconds from being told to stop to being killed


@dataclass(frozen=True, slots=True)
class Child:
    """A child as its worker sees it. ``pipe`` gives ("step", …) and, once, ("ended", Ending)."""

    process: BaseProcess
    pipe: Connection

    def stop(self) -> None:
        """Asks it to stop as Ctrl-C would; it kills itself when that takes longer than LAST."""
        with contextlib.suppress(OSError):
            self.pipe.send("stop")


def get_ready() -> None:
    """Starts the process that children are forked from; it imports while others do their work."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(_PRELOAD))
    forkserver.ensure_running()


def start_child(job: Job, folder: Path) -> Child:
    """Begins to carry out ``job``; ``folder`` is the worker's."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(job, folder, theirs), name=f"job {job.id}")
    process.start()
    theirs.close()
    return Child(process, ours)


def _main(job: Job, folder: Path, pipe: Connection) -> None:
    os.setsid()  # a Ctrl-C at the worker's terminal is for the worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _write_to(folder / "logs" / f"job-{job.id}.log")
    threading.Thread(target=_mind, args=(pipe,), name="worker's word", daemon=True).start()
    ending = _end(job, folder, pipe)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it has ended: nothing is left to stop
    with contextlib.suppress(OSError):
        pipe.send(("ended", ending))


def _mind(pipe: Connection) -> None:
    """Stops this process when the worker says so, or is gone."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST)
    os.killpg(os.getpid(), signal.SIGKILL)


def _write_to(log: Path) -> None:
    """What git, suites and we ourselves print goes into a file that only its owner reads."""
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(handle, number)
    os.close(handle)


def _end(job: Job, folder: Path, pipe: Connection) -> Ending:
    try:
        shipped = _ship(job, folder, _Steps(pipe))
        return Ending(shipped.verdict.exit_code, str(shipped.verdict), shipped.record)
    except (KeyboardInterrupt, Interrupted) as error:
        return Ending(Interrupted.exit_code, message=str(error) or "stopped", again=True)
    except NewerTables as error:
        return Ending(error.exit_code, message=error.message, again=True, outdated=True)
    except StateError as error:
        return Ending(error.exit_code, message=error.message, again=True)
    except TrueGreenError as error:
        lost = error.exit_code == Interrupted.exit_code  # the lease: whoever has it may be gone
        return Ending(error.exit_code, message=error.message, hint=error.hint, again=lost)
    except Exception as error:  # noqa: BLE001 - told in the job, and in the log
        traceback.print_exc(file=sys.stderr)
        return Ending(3, message=f"{type(error).__name__}: {error}", again=True)


def _ship(job: Job, folder: Path, steps: _Steps) -> Shipped:
    from truegreen.ship.environments import withhold_secrets, withhold_tokens
    from truegreen.ship.source import read_source
    from truegreen.workers.carrying import carry_out

    options = Options.from_text(job.options)
    withhold_tokens()  # git gets none of them
    name = f"job-{job.id}-{job.attempt}-{os.getpid()}"
    with checkout(folder, job.repository, job.commit, job.prefix, job.place, name) as root:
        config = load_config(root)
        withhold_secrets(config)
        _check(job, config, options)
        source = read_source(root)

        @contextmanager
        def watch() -> Iterator[_Steps]:
            yield steps

        now = datetime.now(UTC)  # another machine's clock may be a little ahead of this one
        given = tuple(one._replace(at=min(one.at, now)) for one in options.overrides)
        shipped = carry_out(
            replace(options, overrides=given), config, source, job.environment,
            locate(root), watch=watch, command=f"truegreen ship --follow {job.id}",
        )  # fmt: skip
        _tell(shipped, config, job)
    return shipped


def _check(job: Job, config: Config, options: Options) -> None:
    """The commit's own configuration must lead to where the job is for: it is what was looked at
    and committed, and the lease and the queue are of that place."""
    environment = config.environments.get(job.environment)
    where = f"{job.commit[:8]} in {job.repository}"
    if config.file is None:
        raise UsageError(
            f"there is no configuration in {job.prefix or 'the root'} of {where}",
            hint="commit truegreen.toml (truegreen init writes one), and enqueue that commit",
        )
    if environment is None:
        known = ", ".join(sorted(config.environments))
        raise UsageError(
            f"{where} has no environment {job.environment!r}", hint=f"committed there: {known}"
        )
    leads = place_of(environment, options.platform)
    if leads != job.place:
        raise UsageError(
            f"the job is for {job.place}, and {config.file.name} of {where} leads to {leads}",
            hint="commit the configuration that it was enqueued with",
        )


def _tell(shipped: Shipped, config: Config, job: Job) -> None:
    """Who stands in ``[notify]`` hears of a changed verdict: the runner may be gone by now."""
    if not (config.notify.webhook or config.notify.apprise):
        return
    from truegreen.ledger import Ledger
    from truegreen.notify.changes import tell_change
    from truegreen.ship.recording import run_record

    environment = config.environments[job.environment]
    with Ledger.open(locate(config.root)) as ledger:
        record = run_record("ship", shipped.document, config, environment, ledger, environ={})
        for said in tell_change(record, config, ledger):
            sys.stderr.write(f"{said}\n")


class _Steps:
    """A watcher that passes the steps on to the worker."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def step(self, name: str, state: StepState, text: str) -> None:
        with contextlib.suppress(OSError):
            self._pipe.send(("step", name, str(state), text))

    def output(self, step: str, line: str) -> None:
        return

    def evidence(self, item: object) -> None:
        return
