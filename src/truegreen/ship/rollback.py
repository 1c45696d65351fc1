"""``rollback``: back to an earlier release, after looking at what it would run against.

Reads the facts that model/rollback.py decides over; acts only through ship/again.py.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truegreen.config import Config, load_config
from truegreen.errors import Refused, TrueGreenError, Unverified, UsageError
from truegreen.flags import Flags
from truegreen.gates.head_tree import HeadTree
from truegreen.heroku import HerokuClient
from truegreen.heroku.models import Release, Slug
from truegreen.ledger import Ledger
from truegreen.model import Status, short
from truegreen.model.rollback import Precondition, RollbackFacts, preconditions
from truegreen.ship.again import Again, release_again
from truegreen.ship.environments import env_option
from truegreen.ship.progress import Watcher
from truegreen.ship.target import Target
from truegreen.ship.verification import ask, question_for
from truegreen.verify.choose import current_release

PATIENCE = 20.0  # seconds in which one question to the platform is asked again


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a rollback would go, and what was found out about that."""

    app: str
    leaves: Release | None
    to: Release
    commit: str | None
    asked: tuple[Precondition, ...]

    @property
    def sound(self) -> bool:
        return all(one.status is Status.PASS for one in self.asked)

    @property
    def exit_code(self) -> int:
        """0 sound, 4 when a precondition fails, 3 when one is unknown."""
        statuses = {one.status for one in self.asked}
        return 4 if Status.FAIL in statuses else 3 if Status.UNKNOWN in statuses else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "from": self.leaves.label if self.leaves else None,
            "to": self.to.label,
            "commit": self.commit,
            "sound": self.sound,
            "preconditions": [one.as_json() for one in self.asked],
        }


def choose(releases: Sequence[Release], version: int | None) -> Release:
    """``version``, or the newest release before the current one that succeeded with other code.

    Raises UsageError when there is none.
    """
    if version is not None:
        found = next((one for one in releases if one.version == version), None)
        if found is None:
            raise UsageError(
                f"there is no release v{version}", hint="truegreen releases lists them"
            )
        return found
    current = current_release(releases)
    for one in releases:
        before = current is None or one.version < current.version
        other = one.slug_id and (current is None or one.slug_id != current.slug_id)
        if before and other and one.status == "succeeded":
            return one
    raise UsageError(
        "there is no earlier release of other code to go back to",
        hint="truegreen releases lists them",
    )


def plan(config: Config, target: Target, client: HerokuClient, version: int | None) -> Plan:
    """What a rollback would do, and whether it would survive. Changes nothing."""
    releases = client.releases(target.app)
    wanted = choose(releases, version)
    slug = client.slug(target.app, wanted.slug_id) if wanted.slug_id else None
    schema = _schema(config, target, client)
    knows, problems = _old_code(config, client, target.app, wanted, slug, schema)
    facts = RollbackFacts(
        version=wanted.version,
        current=wanted.current,
        has_slug=slug is not None,
        eligible=wanted.eligible_for_rollback,
        status=wanted.status,
        schema=schema,
        migrates=config.release.migrate != "none",
        knows_schema=knows,
        release_command=slug.process_types.get("release", "") if slug else None,
        flag_problems=problems,
    )
    return Plan(
        target.app,
        current_release(releases),
        wanted,
        slug.commit if slug else None,
        preconditions(facts),
    )


def roll_back(
    config: Config,
    target: Target,
    version: int | None,
    *,
    anyway: str,
    ledger: Ledger,
    watcher: Watcher,
) -> Again:
    """Goes back, and verifies it like any deploy.

    ``anyway``: the reason for going back although a precondition does not hold; it is recorded.
    Raises Refused when one fails and Unverified when one is unknown, without a reason; nothing was
    changed then.
    """
    with target.client(patience=PATIENCE) as client:
        found = plan(config, target, client, version)
        notes = [
            f"back from {found.leaves.label if found.leaves else 'nothing'} to {found.to.label}"
        ]
        if not found.sound:
            _insist(found, anyway, env_option(config, target.environment))
            open_ones = [one for one in found.asked if one.status is not Status.PASS]
            notes += [f"{one.name}: {one.told}" for one in open_ones]
        if anyway:  # also of one that is sound: it took no lease
            notes.append(f"rolled back anyway: {anyway}")
        return release_again(
            "rollback",
            config,
            target,
            client,
            lambda: client.rollback(target.app, found.to.id),
            commit=found.commit,
            before=found.leaves,
            notes=notes,
            ledger=ledger,
            watcher=watcher,
        )


def _insist(found: Plan, anyway: str, here: str) -> None:
    if anyway:
        return
    command = f"truegreen rollback{here} --to {found.to.label}"
    hint = f'look at it, then: {command} --anyway "why"'
    for status, error in ((Status.FAIL, Refused), (Status.UNKNOWN, Unverified)):
        told = [f"{one.name}: {one.told}" for one in found.asked if one.status is status]
        if told:
            raise error(f"not rolled back to {found.to.label}: " + "; ".join(told), hint=hint)


def _schema(config: Config, target: Target, client: HerokuClient) -> str | None:
    """Where the database is, as the app or the last report says; None when neither does."""
    if config.release.migrate == "none":
        return None
    question = question_for(config, target.environment, commit=None)
    schema = ask(question, client).situation.schema
    return schema.current if schema else None


def _old_code(
    config: Config,
    client: HerokuClient,
    app: str,
    wanted: Release,
    slug: Slug | None,
    schema: str | None,
) -> tuple[bool | None, list[str] | None]:
    """What the old commit says: does it have the revision, and do its flags parse."""
    if slug is None or not slug.commit:
        return None, None
    with tempfile.TemporaryDirectory(prefix="truegreen-rollback-") as folder:
        root = Path(folder) / "tree"
        try:
            HeadTree.of(config.root, slug.commit).export(root)
        except TrueGreenError:
            return None, None  # the commit is not here
        knows = has_revision(root, schema) if schema else None
        try:
            old = load_config(root)
            variables = client.release_config_vars(app, wanted.id)
        except TrueGreenError:
            return knows, None
        found = Flags.from_config(old.flags).problems(variables)
        missing = [name for name in old.config_vars.required if not variables.get(name)]
        return knows, [f"{one.variable}: {one.problem}" for one in found] + [
            f"{name} is not set" for name in missing
        ]


def has_revision(root: Path, revision: str) -> bool:
    """Whether a migration in the tree ``root`` declares Alembic's ``revision``. Nothing is run."""
    declares = re.compile(
        rb"^revision(?:\s*:[^=\n]+)?\s*=\s*[\"']" + re.escape(revision.encode()) + rb"[\"']",
        re.MULTILINE,
    )
    return any(declares.search(path.read_bytes()) for path in root.rglob("*.py") if path.is_file())


def told_plan(found: Plan) -> list[str]:
    """The plan in lines for a person."""
    leaves = found.leaves.label if found.leaves else "nothing"
    lines = [f"{found.app}: {leaves} → {found.to.label} ({short(found.commit)})"]
    marks = {Status.PASS: "✔", Status.FAIL: "✘", Status.UNKNOWN: "?"}
    lines += [f"  {marks[one.status]} {one.name:<16} {one.told}" for one in found.asked]
    return lines
