"""Rules about workflows that deploy: do they ask what became of it, and do they drop anything?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from truegreen.doctor.finding import Finding
from truegreen.doctor.tree import Tree
from truegreen.doctor.workflow import Step

_DEPLOYS = re.compile(
    r"\bgit\s+push\b[^\n|;&]*\bheroku\b|git\.heroku\.com|\bheroku\s+container:release\b"
    r"|\bheroku\s+builds:create\b|/apps/[^\s\"']+/builds\b|\btruegreen[\"']?\s+ship\b"
    r"|\bheroku\s+pipelines:promote\b"
)
_DEPLOYING_ACTIONS = re.compile(r"heroku[-_]?deploy|deploy[-_]?(?:to[-_]?)?heroku", re.IGNORECASE)
# Commands that look at a release's own status. `heroku releases:output` and `releases:retry` exit
# 0 for a failed one, and `heroku ps:wait` passes without dynos (heroku/cli #1732).
_ASKS = re.compile(
    r"\btruegreen[\"']?\s+(?:ship|verify)\b|\bheroku\s+releases(?::info)?\b[^\n]*--json"
    r"|\bheroku\s+releases:info\b|/apps/[^\s\"']+/releases\b"
)
_OUR_ACTION = re.compile(r"(?:^|/)truegreen@")
_WATCHES = re.compile(r"\bgh\s+run\s+watch\b(?![^\n]*--exit-status)")
_SWALLOWS = re.compile(r"\|\|\s*(?:true|:)\s*$|;\s*true\s*$|\bset\s+\+e\b", re.MULTILINE)
_SHA = re.compile(r"@(?:[0-9a-f]{40}|[0-9a-f]{64}|sha256:[0-9a-f]{64})$")


def deploys(step: Step) -> bool:
    """Whether a step changes what an app runs."""
    return bool(_DEPLOYS.search(step.run) or _DEPLOYING_ACTIONS.search(step.uses))


def asks(step: Step) -> bool:
    """Whether a step looks at a release's own status."""
    return bool(_ASKS.search(step.run) or _OUR_ACTION.search(step.uses))


def never_asks(tree: Tree) -> Iterator[Finding]:
    """A workflow that deploys and never asks for the release's status."""
    for workflow in tree.workflows():
        deploying = [step for step in workflow.steps if deploys(step)]
        if deploying and not any(asks(step) for step in workflow.steps):
            step = deploying[0]
            told = "deploys here, and no step of the workflow asks whether the release succeeded"
            yield Finding("deploy-never-asks", "error", workflow.path, _at(step, _DEPLOYS), told)


def swallowed(tree: Tree) -> Iterator[Finding]:
    """A deploying or asking step whose failure does not count."""
    for workflow in tree.workflows():
        for step in workflow.steps:
            if not (deploys(step) or asks(step)):
                continue
            if step.continue_on_error:
                told = "continue-on-error: this step may fail and the run is a success"
                yield Finding("failure-swallowed", "error", workflow.path, step.line, told)
            match = _SWALLOWS.search(step.run)
            if match:
                told = f"{match.group().strip()!r} hides the exit code of what stands before it"
                line = _line_of(step, match.start())
                yield Finding("failure-swallowed", "error", workflow.path, line, told)


def watcher(tree: Tree) -> Iterator[Finding]:
    """``gh run watch`` without ``--exit-status`` exits 0 for a run that failed."""
    for workflow in tree.workflows():
        for step in workflow.steps:
            match = _WATCHES.search(step.run)
            if match:
                told = "gh run watch exits 0 for a run that failed: ask for its conclusion"
                line = _line_of(step, match.start())
                yield Finding("watcher-trusted", "warning", workflow.path, line, told)


def concurrency(tree: Tree) -> Iterator[Finding]:
    """A deploying workflow that may run twice at once, be cancelled, or drop what waits."""
    for workflow in tree.workflows():
        for job in dict.fromkeys(step.job for step in workflow.steps if deploys(step)):
            group = workflow.concurrency.get(job) or workflow.concurrency.get("")
            if group is None:
                told = "deploys without a concurrency group: two runs may deploy at once"
                yield Finding(
                    "concurrency-missing", "error", workflow.path, workflow.jobs.get(job, 1), told
                )
            elif group.cancels:
                told = "cancel-in-progress may end a deploy between its migration and its release"
                yield Finding("concurrency-cancels", "error", workflow.path, group.line, told)
            elif not group.queues_all:
                told = "without queue: max, a third run cancels the one that waits"
                yield Finding("concurrency-drops", "warning", workflow.path, group.line, told)


def unpinned(tree: Tree) -> Iterator[Finding]:
    """An action of somebody else's that is not pinned to a commit."""
    for workflow in tree.workflows():
        for step in workflow.steps:
            local = step.uses.startswith(("./", "docker://localhost"))
            if step.uses and not local and not _SHA.search(step.uses):
                told = f"{step.uses} is whatever that name points to on the day"
                yield Finding("action-unpinned", "warning", workflow.path, step.uses_line, told)


def _at(step: Step, pattern: re.Pattern[str]) -> int:
    match = pattern.search(step.run)
    return _line_of(step, match.start()) if match else step.uses_line or step.line


def _line_of(step: Step, offset: int) -> int:
    """The line of a place in a script: a block scalar's text begins on the line after its key."""
    block = 1 if "\n" in step.run.rstrip("\n") or step.run.endswith("\n") else 0
    return step.run_line + block + step.run.count("\n", 0, offset)
