"""The smoke gate: the service's sealed smoke suite, here, before anything is shipped.

The suite is run by ``truegreen.release.smoke``, the very phase that runs on the dyno; here it is
only asked whether it can be run at all, and what its result means for a gate. The gate runs it over
the candidate's tree; the verb ``smoke`` over the working folder. Then the release is rehearsed
against the target, where that can be asked.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from truegreen.config import Config, load_config
from truegreen.gates import requirements
from truegreen.gates.head_tree import HeadTree
from truegreen.gates.question import Question
from truegreen.gates.rehearsed import Rehearsed
from truegreen.gates.result import Finding, GateResult
from truegreen.model import Status
from truegreen.release.report import Phase
from truegreen.release.smoke import smoke as run_suite

NAME = "smoke"


def ask(question: Question) -> GateResult:
    """The candidate's own suite over the candidate's tree, and then the rehearsal.

    Raises UsageError where git has no such tree, ConfigError for the candidate's configuration.
    """
    tree = HeadTree.of(question.root, question.commit)
    with tempfile.TemporaryDirectory(
        prefix="truegreen-candidate-", ignore_cleanup_errors=True
    ) as folder:
        root = Path(folder).resolve() / question.root.name
        tree.export(root)
        candidate = load_config(root)
        result = sealed_suite(
            candidate,
            question.now,
            environ=question.environ,
            output=question.output,
            source=tree.source,
        )
    mode = candidate.smoke.rehearse
    if not result.open:
        return with_rehearsal(result, mode, Rehearsed(None, why="the suite does not pass here"))
    if mode == "off":
        return result
    return with_rehearsal(result, mode, question.rehearsal)


def with_rehearsal(result: GateResult, mode: str, rehearsed: Rehearsed) -> GateResult:
    """``result`` and what the rehearsal adds to it. Pure.

    ``mode``: off, auto or required (``smoke.rehearse``). A red rehearsal shuts the gate. One that
    was not made, or found nothing out, never counts as a pass: it is said, and where it is required
    the gate is unknown.
    """
    if mode == "off":
        return result
    detail = {**result.detail, "rehearsal": rehearsed.as_json()}
    if rehearsed.verdict is None:
        told = f"not rehearsed: {rehearsed.why}"
    else:
        told = f"rehearsed, {rehearsed.verdict}: {rehearsed.sentence}"
    required = mode == "required"
    status, reason, clears = result.status, result.reason, result.clears
    if rehearsed.verdict == "red" and status is not Status.FAIL:
        status, reason, clears = Status.FAIL, rehearsed.sentence, "truegreen rehearse shows it all"
    elif rehearsed.verdict != "green" and required and status is Status.PASS:
        status, reason = Status.UNKNOWN, f"{reason}; {told}"
        clears = "rehearse where the target can be asked, or set smoke.rehearse to auto"
    else:
        reason = f"{reason}; {told}"
    found = result.findings
    if rehearsed.verdict != "green":
        blocks = required or rehearsed.verdict == "red"
        found = (*found, Finding("rehearsal", result.source, told, blocks=blocks))
    return replace(
        result, status=status, reason=reason, clears=clears, findings=found, detail=detail
    )


def sealed_suite(
    config: Config,
    now: datetime,
    *,
    environ: Mapping[str, str],
    output: int | None = None,
    source: str = "",
) -> GateResult:
    """Runs the suite and answers. pytest's output goes to the file descriptor ``output`` (None:
    standard output); while it runs, standard output of the whole process goes there. ``source``
    says what ``config.root`` is; "": the working folder.

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
    return decide(phase, now, source=source or f"working folder {config.root}")


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
    counts = ("total", "passed", "failed", "errors", "skipped", "sealed", "seconds")
    detail = {name: getattr(phase, name) for name in counts}
    if phase.status == "pass":
        sealed = "sealed" if phase.sealed else "NOT sealed"
        reason = f"{phase.passed} of {phase.total} passed, {sealed}"
        if not phase.passed:
            return GateResult(NAME, Status.UNKNOWN, reason, now, "write a test", findings, source)
        return GateResult(NAME, Status.PASS, reason, now, "", findings, source, detail)
    if phase.total is None or (phase.total == 0 and not phase.failures):
        clears = "read pytest's output; run it alone: truegreen smoke"
        return GateResult(NAME, Status.UNKNOWN, problems, now, clears, findings, source)
    clears = "make it pass here first: truegreen smoke"
    return GateResult(NAME, Status.FAIL, problems, now, clears, findings, source, detail)


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
