"""The smoke gate: the service's sealed smoke suite, here, before anything is shipped.

The suite is run by ``truegreen.release.smoke``, the very phase that runs on the dyno; here it is
only asked whether it can be run at all, and what its result means for a gate. It runs over the
working folder, not over HEAD: the result's ``source`` says so.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from truegreen.config import Config
from truegreen.gates import requirements
from truegreen.gates.result import Finding, GateResult
from truegreen.model import Status
from truegreen.release.report import Phase
from truegreen.release.smoke import smoke as run_suite

NAME = "smoke"


def sealed_suite(
    config: Config, now: datetime, *, environ: Mapping[str, str], output: int | None = None
) -> GateResult:
    """Runs the suite and answers. pytest's output goes to the file descriptor ``output`` (None:
    standard output); while it runs, standard output of the whole process goes there.

    fail: a test failed or leaked. unknown: there is no suite, it has no tests, what it needs is not
    installed for this Python, or it came to no result (timeout, crash).
    """
    if not config.smoke.paths:
        return GateResult(
            NAME,
            Status.UNKNOWN,
            "no smoke suite is configured, so nothing was asked",
            now,
            "name the suite in smoke.paths of the configuration",
        )
    needed = requirements.missing(config.root)
    if importlib.util.find_spec("pytest") is None:
        needed = (*needed, "pytest")
    if needed:
        return GateResult(
            NAME,
            Status.UNKNOWN,
            f"{', '.join(dict.fromkeys(needed))} not installed for {sys.executable}",
            now,
            "install truegreen into the service's own environment and run it from there",
        )
    with tempfile.TemporaryDirectory(
        prefix="truegreen-smoke-", ignore_cleanup_errors=True
    ) as scratch:
        said: list[str] = []
        with standard_output_to(output):
            phase = run_suite(config, environ, Path(scratch), said.append)
    return decide(phase, now, source=f"working folder {config.root}")


def decide(phase: Phase, now: datetime, *, source: str) -> GateResult:
    """The gate's answer, from what the smoke phase came to. Pure."""
    problems = "; ".join(phase.problems)
    findings = (
        *(Finding("test", one.test, _explained(one.message, one.body)) for one in phase.failures),
        *(
            Finding(
                "leak",
                f"{leak.file}:{leak.line}",
                f"{leak.variable} is read, and neither pinned nor let through",
                blocks="neither pins nor lets through" in problems,
            )
            for leak in phase.leaks
        ),
    )
    if phase.status == "pass":
        sealed = "sealed" if phase.sealed else "NOT sealed"
        reason = f"{phase.passed} of {phase.total} passed, {sealed}"
        if not phase.passed:
            return GateResult(NAME, Status.UNKNOWN, reason, now, "write a test", findings, source)
        return GateResult(NAME, Status.PASS, reason, now, "", findings, source)
    if phase.total is None or (phase.total == 0 and not phase.failures):
        clears = "read pytest's output; run it alone: truegreen smoke"
        return GateResult(NAME, Status.UNKNOWN, problems, now, clears, findings, source)
    clears = "make it pass here first: truegreen smoke"
    return GateResult(NAME, Status.FAIL, problems, now, clears, findings, source)


def _explained(message: str, body: str) -> str:
    return f"{message}: {body}" if body else message


@contextmanager
def standard_output_to(descriptor: int | None) -> Iterator[None]:
    """Children inherit standard output; JSON must have it for itself."""
    if descriptor is None:
        yield
        return
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        os.dup2(descriptor, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
