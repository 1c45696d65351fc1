"""The smoke phase: the service's in-process smoke suite, in a child with a sealed environment."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from truegreen.config import Config
from truegreen.hermetic.report import defaults_of, describe, describe_blocked
from truegreen.hermetic.result import SessionResult, read_result
from truegreen.hermetic.seal import seal
from truegreen.release import pytest_config
from truegreen.release.migrate import Say
from truegreen.release.process import TimedOut, run
from truegreen.release.report import Failure, Leak, Phase
from truegreen.release.scratch import NoDatabase, database_of

NO_TESTS_COLLECTED = 5  # pytest's exit status


def smoke(config: Config, environ: Mapping[str, str], scratch: Path, say: Say) -> Phase:
    """Runs pytest on ``smoke.paths`` and says what came of it.

    Passes only when pytest exits 0, left a whole result, at least one test passed and none leaked
    (with leaks = "fail"). ``scratch``: a folder of our own; the child's temporary files go there.
    """
    started = time.monotonic()
    code, result, problem = session(config, environ, scratch)
    problems = (problem,) if problem else _problems(config, code, result)
    _tell(config, result, say)
    return _phase(config, result, problems, time.monotonic() - started)


def session(
    config: Config, environ: Mapping[str, str], scratch: Path
) -> tuple[int | None, SessionResult | None, str]:
    """Runs pytest on ``smoke.paths`` in the seal: its exit status, its result, and why there is
    none ("" when pytest came to its end). Its output goes to standard output."""
    result_file = scratch / "smoke.json"
    if importlib.util.find_spec("pytest") is None:
        return None, None, "pytest is not installed: add pytest to the service's requirements.txt"
    sealed = _environ(config, environ, scratch)
    try:
        with database_of(config, sealed, scratch) as database:
            code = run(
                _command(config, scratch, result_file),
                cwd=config.root,
                env={**sealed, **database},
                timeout=config.smoke.timeout,
            )
    except NoDatabase as problem:
        return None, None, str(problem)
    except (TimedOut, OSError) as error:
        return None, read_result(result_file), f"the smoke suite {error}"
    return code, read_result(result_file), ""


def _command(config: Config, scratch: Path, result_file: Path) -> list[str]:
    return [
        sys.executable,
        *("-m", "pytest", "-p", "truegreen.hermetic.plugin"),
        f"--truegreen-result={result_file}",
        *("-o", f"cache_dir={scratch / 'cache'}"),
        *pytest_config.options(config.root, config.smoke.paths, scratch),
        *config.smoke.paths,
    ]


def _environ(config: Config, environ: Mapping[str, str], scratch: Path) -> dict[str, str]:
    sealed = seal(
        environ,
        config.smoke.env,
        config.smoke.pass_env,
        scratch=scratch,
        sealed=config.smoke.seal,
        database=config.smoke.scratch != "none",
    )
    temporary = scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**sealed.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(temporary)}


def _problems(config: Config, code: int | None, result: SessionResult | None) -> tuple[str, ...]:
    if code == NO_TESTS_COLLECTED:
        where = " ".join(config.smoke.paths)
        return (f"pytest collected no tests from {where}: nothing was asked",)
    if result is None:
        return (f"pytest ended with {code} before it had a result: the output above says why",)
    found: list[str] = []
    if result.leaks and config.smoke.leaks == "fail":
        names = sorted({leak.variable for leak in result.leaks})
        found.append(
            "the suite depends on variables that it neither pins nor lets through: "
            + ", ".join(names)
        )
    if config.smoke.leaks == "fail":
        found += [*result.unseen, *(describe_blocked(one) for one in result.blocked[:5])]
    if result.failed or result.errors:
        found.append(f"{result.failed} failed and {result.errors} in error, of {result.total}")
    elif result.passed == 0:
        found.append(f"not one of {result.total} tests passed: all were skipped")
    if code != 0 and not found:
        found.append(f"pytest ended with {code}")
    return tuple(found)


def _tell(config: Config, result: SessionResult | None, say: Say) -> None:
    if result is None:
        return
    sealed = "sealed" if result.sealed else "NOT sealed"
    say(
        f"smoke ({sealed}): {result.passed} of {result.total} passed, {result.failed} failed, "
        f"{result.errors} in error, {result.skipped} skipped"
    )
    for failure in result.failures[:3]:
        body = f": {failure.body}" if failure.body else ""
        say(f"  {failure.test}: {failure.message}{body}")
    for leak in result.leaks[:20]:
        say(f"  leak ({config.smoke.leaks}): {describe(leak, defaults_of(config))}")
    if config.smoke.leaks != "fail":
        for line in (*result.unseen, *map(describe_blocked, result.blocked[:20])):
            say(f"  {line}")


def _phase(
    config: Config, result: SessionResult | None, problems: tuple[str, ...], seconds: float
) -> Phase:
    status = "fail" if problems else "pass"
    if result is None:
        return Phase("smoke", status, seconds, problems, sealed=config.smoke.seal)
    return Phase(
        name="smoke",
        status=status,
        seconds=seconds,
        problems=problems,
        sealed=result.sealed,
        total=result.total,
        passed=result.passed,
        failed=result.failed,
        errors=result.errors,
        skipped=result.skipped,
        failures=tuple(Failure(one.test, one.message, one.body) for one in result.failures),
        leaks=_leaks(result),
    )


def _leaks(result: SessionResult) -> tuple[Leak, ...]:
    """One a line and variable, whatever the moments at which it was read."""
    counts: dict[tuple[str, str, int, bool], int] = {}
    for one in result.leaks:
        key = (one.variable, one.file, one.line, one.present)
        counts[key] = counts.get(key, 0) + one.count
    return tuple(Leak(*key, count) for key, count in counts.items())
