"""The release command from begin to end: phases in order, a trailer line after each.

Prints; everything that is decided is decided in the phases' own modules.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from truegreen.config import Config, load_config
from truegreen.errors import ConfigError, UsageError
from truegreen.release import freeze, preflight
from truegreen.release.migrate import migrate
from truegreen.release.report import PHASES, Phase, Report
from truegreen.release.smoke import smoke
from truegreen.release.trailer import format_trailer

EXIT_CONFIG = 2
EXITS = {"preflight": 11, "migrate": 12, "smoke": 13}


class _Signalled(BaseException):
    """SIGTERM or SIGHUP: the platform wants the dyno gone."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def release(root: Path, environ: Mapping[str, str], only: tuple[str, ...] = ()) -> int:
    """Runs the release command of the service in ``root`` and returns its exit code.

    ``environ``: the dyno's. ``only``: some of PHASES, all of them when empty. Exit codes: 0, 2
    configuration, 11 preflight, 12 migrate, 13 smoke, 128 + n when ended by signal n. Prints for
    people and, after each phase, the report trailer on standard output. Raises UsageError when
    ``only`` names what is not configured.
    """
    report = Report(
        complete=False,
        exit=None,
        commit=environ.get("HEROKU_SLUG_COMMIT") or None,
        release=environ.get("HEROKU_RELEASE_VERSION") or None,
        started_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    try:
        config = _config(root)
    except ConfigError as error:
        failed = Phase("preflight", "fail", 0.0, problems=(str(error),))
        return _ended(report._replace(phases=(failed,)), EXIT_CONFIG, f"preflight: {error}")
    steps = _steps(config, environ, only)
    try:
        with (
            _signals(),
            tempfile.TemporaryDirectory(
                prefix="truegreen-release-", ignore_cleanup_errors=True
            ) as scratch,
        ):
            for name, step in steps:
                phase = _carried_out(name, step, Path(scratch))
                report = report._replace(phases=(*report.phases, phase))
                for problem in phase.problems:
                    _say(f"{name}: {problem}")
                _say(f"{name}: {phase.status} in {phase.seconds:.1f} s")
                if phase.status != "pass":
                    return _ended(report, EXITS[name], f"the release command failed in {name}")
                _say(format_trailer(report))
    except (_Signalled, KeyboardInterrupt) as ended:
        number = ended.number if isinstance(ended, _Signalled) else int(signal.SIGINT)
        _say(f"ended by {signal.Signals(number).name} before it was done")
        report = report._replace(exit=128 + number)
        _say(format_trailer(report))
        return 128 + number
    return _ended(report, 0, "the release command is done")


Step = Callable[[Path], Phase]


def _steps(
    config: Config, environ: Mapping[str, str], only: tuple[str, ...]
) -> list[tuple[str, Step]]:
    absent = {
        "migrate": 'nothing to migrate with: [release] migrate is "none"',
        "smoke": "no smoke suite: [smoke] paths is empty",
    }
    configured: dict[str, Step] = {"preflight": lambda _: _preflight(config, environ)}
    if config.release.migrate == "alembic":
        configured["migrate"] = lambda scratch: migrate(config, environ, scratch, _say)
    if config.smoke.paths:
        configured["smoke"] = lambda scratch: smoke(config, environ, scratch, _say)
    wanted = [name for name in PHASES if not only or name in only]
    for name in wanted:
        if name in configured:
            continue
        if only:
            raise UsageError(f"{name}: {absent[name]}")
        _say(f"{name}: not run, {absent[name]}")
    return [(name, configured[name]) for name in wanted if name in configured]


def _config(root: Path) -> Config:
    config = load_config(root)
    if config.file is None:
        raise ConfigError(
            str(config.root / "truegreen.toml"), "", "is not there", fix="run: truegreen init"
        )
    return config


def _preflight(config: Config, environ: Mapping[str, str]) -> Phase:
    started = time.monotonic()
    asked = freeze.ask(config, environ, datetime.now(UTC))
    if asked.note:
        _say(f"preflight: {asked.note}")
    frozen = (f"freeze: {asked.problem}",) if asked.problem else ()
    problems = (*preflight.problems(config, environ), *frozen)
    return Phase("preflight", "fail" if problems else "pass", time.monotonic() - started, problems)


def _carried_out(name: str, step: Step, scratch: Path) -> Phase:
    _say(f"{name}: begins")
    started = time.monotonic()
    try:
        return step(scratch)
    except Exception as error:  # noqa: BLE001  # a phase that could not be made is a failed one
        problem = f"could not be made: {type(error).__name__}: {error}"
        return Phase(name, "fail", time.monotonic() - started, (problem,))


def _ended(report: Report, code: int, sentence: str) -> int:
    _say(f"truegreen release: {sentence}")
    _say(format_trailer(report._replace(complete=True, exit=code)))
    return code


def _say(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        # Nobody reads any more. A migration is not broken off for that: exit codes still tell.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


@contextmanager
def _signals() -> Iterator[None]:
    def handle(number: int, _frame: FrameType | None) -> None:
        for one in (signal.SIGTERM, signal.SIGHUP):  # once is enough: let the ending end
            signal.signal(one, signal.SIG_IGN)
        raise _Signalled(number)

    # What was started with a signal ignored (nohup, a shell's &) goes on ignoring it.
    taken = [
        one
        for one in (signal.SIGTERM, signal.SIGHUP)
        if one == signal.SIGTERM or signal.getsignal(one) != signal.SIG_IGN
    ]
    before = {one: signal.signal(one, handle) for one in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
