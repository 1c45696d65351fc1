"""Asks several gates side by side; answers in the order given. Each gate has its own file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from truegreen.config import Config
from truegreen.errors import TrueGreenError, UsageError
from truegreen.gates import freeze, migrations, smoke
from truegreen.gates.result import GateResult
from truegreen.gates.scan import gate as scan
from truegreen.model import Status

NAMES = (freeze.NAME, scan.NAME, migrations.NAME, smoke.NAME)
STANDARD_ERROR = 2


def configured(config: Config) -> tuple[str, ...]:
    """The gates that have something to ask of this service: all, but smoke without a suite."""
    return tuple(name for name in NAMES if name != smoke.NAME or config.smoke.paths)


def run_gates(
    names: Iterable[str],
    config: Config,
    *,
    commit: str = "HEAD",
    now: datetime | None = None,
    environ: Mapping[str, str] | None = None,
    output: int | None = STANDARD_ERROR,
) -> tuple[GateResult, ...]:
    """The answers of the gates called ``names``, each asked once.

    ``commit`` is what would be shipped, ``now`` (with a zone) the moment it would be, ``environ``
    this process's when None, ``output`` the file descriptor for what the smoke suite prints (None:
    standard output). Raises UsageError and ConfigError for what a gate cannot even be asked; a gate
    that breaks is ``unknown``.
    """
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        if name not in NAMES:
            raise UsageError(f"{name!r} is not a gate", hint="one of " + ", ".join(NAMES))
    moment = now or datetime.now(UTC)
    around = os.environ if environ is None else environ

    def ask(name: str) -> GateResult:
        return _answer(name, config, commit, moment, around, output)

    # The smoke gate moves the process's standard output about while it runs, so it runs alone.
    beside = [name for name in wanted if name != smoke.NAME]
    with ThreadPoolExecutor(max_workers=max(1, len(beside)), thread_name_prefix="gate") as pool:
        answers = dict(zip(beside, pool.map(ask, beside), strict=True))
    return tuple(answers.get(name) or ask(name) for name in wanted)


def _answer(
    name: str,
    config: Config,
    commit: str,
    now: datetime,
    environ: Mapping[str, str],
    output: int | None,
) -> GateResult:
    try:
        if name == freeze.NAME:
            file = str(config.file) if config.file else "truegreen.toml"
            return freeze.decide(config.freeze, now, file=file)
        if name == scan.NAME:
            return scan.scan_head(config, now, commit=commit)
        if name == migrations.NAME:
            return migrations.one_head(config, now, environ=environ, commit=commit)
        return smoke.sealed_suite(config, now, environ=environ, output=output)
    except TrueGreenError:
        raise
    except Exception as error:  # noqa: BLE001 - a gate that breaks has found nothing out
        reason = f"the gate itself broke: {type(error).__name__}: {error}"
        return GateResult(name, Status.UNKNOWN, reason, now, "report this, with the command")
