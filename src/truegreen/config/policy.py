"""The tables of ``[policy]``. What a condition means is the policy gate's to say: CEL is not read
here, because a dyno reads this file and has no CEL."""

from __future__ import annotations

from truegreen.config.model import Condition, Policy
from truegreen.config.table import Table

LONGEST = 1000  # characters of a condition


def parse_policy(table: Table, zone: str) -> Policy:
    """The policy in ``table``; ``zone`` is the freeze's, the default. Raises ConfigError."""
    policy = Policy(
        mode=table.text("mode", "enforce", one_of=("enforce", "report")),
        zone=table.text("zone", zone),
        conditions=tuple(_condition(one) for one in table.tables("condition")),
    )
    table.done()
    names = [one.name for one in policy.conditions]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise table.error(f"condition[{index}].name", f"{name!r} is there twice")
    return policy


def _condition(table: Table) -> Condition:
    condition = Condition(
        name=table.required_text("name"),
        holds=table.required_text("holds"),
        reason=table.text("reason"),
        environments=table.texts("environments"),
        key=table.where,
    )
    if len(condition.holds) > LONGEST:
        raise table.error("holds", f"is longer than {LONGEST} characters", fix="make it two")
    table.done()
    return condition
