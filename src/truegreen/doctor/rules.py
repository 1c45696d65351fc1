"""The rules by name: why each matters, what mends it, and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from truegreen.doctor import deploys, procfile, revisions, service
from truegreen.doctor.finding import Finding
from truegreen.doctor.tree import Tree

THAT_DAY = "2026-06-21-release-smoke-cf-origin-guard"


@dataclass(frozen=True, slots=True)
class Rule:
    """``name`` is stable. ``incident``: what it leads to, an incident's id or a sentence."""

    name: str
    why: str
    fix: str
    incident: str


Look = Callable[[Tree], Iterator[Finding]]
LOOKS: tuple[Look, ...] = (
    deploys.never_asks,
    deploys.swallowed,
    deploys.watcher,
    deploys.concurrency,
    deploys.unpinned,
    procfile.swallowed,
    procfile.inherits,
    procfile.no_release,
    service.header_only_guard,
    service.health_without_commit,
    service.loose_flags,
    revisions.graph,
)

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "deploy-never-asks",
            "git push exits 0 when the release command fails, and /health is answered by old code",
            "add a step: truegreen verify --app APP --commit SHA",
            THAT_DAY,
        ),
        Rule(
            "failure-swallowed",
            "a step that cannot fail cannot tell",
            "take out continue-on-error, || true and set +e",
            THAT_DAY,
        ),
        Rule(
            "watcher-trusted",
            "the watcher's exit status is about the watching",
            "gh run view RUN --json conclusion, or gh run watch --exit-status",
            "a run that failed is reported as a success",
        ),
        Rule(
            "concurrency-missing",
            "two deploys at once: the older may end last and overtake the newer",
            "add concurrency with a group an environment, cancel-in-progress: false, queue: max",
            "an older job overtakes newer code",
        ),
        Rule(
            "concurrency-cancels",
            "a deploy that is cancelled half-way leaves a migrated schema behind",
            "cancel-in-progress: false",
            "the schema is ahead of the code that serves",
        ),
        Rule(
            "concurrency-drops",
            "a group keeps one waiting run; the next cancels it, silently",
            "add queue: max",
            "a deploy that everybody believes in never ran",
        ),
        Rule(
            "action-unpinned",
            "a tag can be moved to other code, which then has the deploy's secrets",
            "pin it: @<40 hex digits> # v1.2.3",
            "somebody else's code runs with the API key",
        ),
        Rule(
            "exit-code-swallowed",
            "the platform sees only the last exit code of the release command",
            "join the steps with &&, or use truegreen release",
            "a migration failed, and the release succeeded",
        ),
        Rule(
            "smoke-inherits",
            "an in-process suite takes its flags from the machine that it runs on",
            "release: truegreen release, or pytest -p truegreen with the pins in [smoke.env]",
            THAT_DAY,
        ),
        Rule(
            "no-release-command",
            "somebody has to remember to migrate",
            "add to the Procfile: release: truegreen release",
            "new code runs on an old schema",
        ),
        Rule(
            "header-only-guard",
            "whoever knows the origin's address can send that header",
            "a secret header that the edge sets: truegreen.guard (docs/guard.md)",
            "the origin is open to anybody",
        ),
        Rule(
            "health-without-commit",
            "a 200 does not say whose it is",
            "answer with the commit: truegreen.health (docs/flags.md)",
            THAT_DAY,
        ),
        Rule(
            "flag-spelling",
            "absent, off and misspelled are one and the same",
            "declare it: truegreen.flags (docs/flags.md)",
            THAT_DAY,
        ),
        Rule(
            "several-heads",
            "alembic upgrade head refuses, on the dyno",
            "alembic merge heads",
            "the release command fails before it has done anything",
        ),
        Rule(
            "revision-orphan",
            "Alembic cannot load a graph with a hole",
            "correct down_revision, or bring the missing file back",
            "the release command fails before it has done anything",
        ),
        Rule(
            "revision-twice",
            "one of the two is never run",
            "give one of them another id",
            "a migration that everybody believes in never ran",
        ),
    )
}
