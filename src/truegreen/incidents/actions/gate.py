"""The gate ``actions``: reads how the follow-ups stand, runs the proofs of those that are in the
way at the commit that would be shipped, and hands both to the judge."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from truegreen.config import Config
from truegreen.errors import UsageError
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.incidents.actions.checkout import Repository
from truegreen.incidents.actions.judge import decide, weighs
from truegreen.incidents.actions.prove import Proven, prove
from truegreen.incidents.actions.standing import read_standings
from truegreen.incidents.actions.trusted import find_base
from truegreen.ledger import Ledger
from truegreen.state import locate


def ask(question: Question) -> GateResult:
    """The gate's answer about ``question.commit``. Raises ConfigError for a review that cannot be
    read, UsageError where git has no such commit."""
    config = question.config
    repository = Repository.of(config.root)
    candidate = repository.commit(question.commit)
    if candidate is None:
        raise UsageError(f"there is no commit {question.commit[:12]}", hint="commit first")
    base = find_base(repository, config, None)
    with open_ledger(config) as ledger:
        standings = read_standings(repository, config, base, candidate, ledger)
        proven: dict[str, Proven] = {}
        for one in standings:
            in_the_way = weighs(one, question.now, config.incidents.grace_days)
            if in_the_way and one.followup.action.proof is not None:
                trusted = candidate if one.new else base.commit
                try:
                    proven[one.name] = prove(
                        repository, one.followup, commit=candidate, trusted=trusted, ledger=ledger
                    )
                except UsageError as error:
                    proven[one.name] = Proven(one.name, "", None, None, str(error))
    return decide(
        standings,
        proven,
        now=question.now,
        grace_days=config.incidents.grace_days,
        waiver_days=config.incidents.waiver_days,
        folder=os.path.relpath(config.root),
        source=f"{base.name} {base.commit[:12]}",
    )


@contextmanager
def open_ledger(config: Config) -> Iterator[Ledger | None]:
    """The service's ledger, if it has one; nothing is made for a question."""
    where = locate(config.root)
    if not Ledger.begun(where):
        yield None
        return
    with Ledger.open(where) as ledger:
        yield ledger
