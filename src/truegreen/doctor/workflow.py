"""A workflow of GitHub Actions as rules read it: jobs, steps, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``uses`` or ``run`` is empty; ``line`` is where it begins."""

    job: str
    line: int
    uses: str = ""
    uses_line: int = 0
    run: str = ""
    run_line: int = 0
    continue_on_error: bool = False


@dataclass(frozen=True, slots=True)
class Concurrency:
    """A concurrency group: of the workflow, or of one job."""

    line: int
    cancels: bool  # cancel-in-progress is, or may be, true
    queues_all: bool  # queue: max


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow file. ``concurrency`` by job; the workflow's own under ""."""

    path: str
    steps: tuple[Step, ...]
    triggers: frozenset[str]
    concurrency: Mapping[str, Concurrency] = field(default_factory=dict)
    jobs: Mapping[str, int] = field(default_factory=dict)  # the line of each


def parse_workflow(path: str, text: str) -> Workflow:
    """The workflow in ``text``. Raises ValueError with a sentence when it is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        loaded = YAML(typ="rt").load(text)
    except YAMLError as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    except (RecursionError, ValueError) as error:
        raise ValueError(f"it cannot be parsed: {type(error).__name__}") from error
    if not isinstance(loaded, Mapping) or not isinstance(loaded.get("jobs"), Mapping):
        raise ValueError("it has no jobs")
    steps: list[Step] = []
    groups: dict[str, Concurrency] = {}
    lines: dict[str, int] = {}
    _group(loaded, "", groups)
    for name, job in loaded["jobs"].items():
        if isinstance(job, Mapping):
            lines[str(name)] = _line(loaded["jobs"], name)
            _group(job, str(name), groups)
            steps += _steps(str(name), job)
    # YAML 1.1 reads a bare `on` as true; ruamel reads YAML 1.2, where it is a word.
    return Workflow(path, tuple(steps), _triggers(loaded.get("on")), groups, lines)


def _steps(job_name: str, job: Mapping[str, Any]) -> Iterator[Step]:
    if isinstance(job.get("uses"), str):  # a reusable workflow
        line = _line(job, "uses")
        yield Step(job_name, line, uses=job["uses"], uses_line=line)
    steps = job.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, Mapping):
            continue
        line = _item_line(steps, number)
        uses, run = step.get("uses"), step.get("run")
        yield Step(
            job_name,
            line,
            uses=uses if isinstance(uses, str) else "",
            uses_line=_line(step, "uses") if uses is not None else line,
            run=run if isinstance(run, str) else "",
            run_line=_line(step, "run") if run is not None else line,
            continue_on_error=step.get("continue-on-error") not in (None, False),
        )


def _group(owner: Mapping[str, Any], name: str, into: dict[str, Concurrency]) -> None:
    found = owner.get("concurrency")
    if found is None:
        return
    line = _line(owner, "concurrency")
    if isinstance(found, Mapping):
        cancels = found.get("cancel-in-progress") not in (None, False)
        into[name] = Concurrency(line, cancels, found.get("queue") == "max")
    else:
        into[name] = Concurrency(line, cancels=False, queues_all=False)


def _triggers(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, (list, Mapping)):
        return frozenset(str(one) for one in value)
    return frozenset()


def _line(owner: Any, key: Any) -> int:
    try:
        return int(owner.lc.key(key)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return 1


def _item_line(owner: Any, number: int) -> int:
    try:
        return int(owner.lc.item(number)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return 1
