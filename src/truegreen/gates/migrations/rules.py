"""The rules: how bad each is by default, and what to do instead. docs/migrations.md lists them.

The names are a contract: ``[migrations.severity]`` and ``[[migrations.allow]]`` use them, so
``truegreen.config.migrations`` knows them too.
"""

from __future__ import annotations

from dataclasses import dataclass

ORDER = ("off", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Rule:
    severity: str  # high | medium | low
    advice: str


RULES: dict[str, Rule] = {
    "backfill": Rule("medium", "fill the rows in batches, in a job of its own after the release"),
    "blocking-scan": Rule(
        "high",
        "add the constraint NOT VALID, and VALIDATE CONSTRAINT in a later migration; a CHECK "
        "(… IS NOT NULL) that is valid spares SET NOT NULL its scan",
    ),
    "breaks-rollback": Rule(
        "medium", "keep it for one release more, so that there is a way back that works"
    ),
    "breaks-serving": Rule(
        "high",
        "ship code that does without it first, and this migration with the release after "
        "(expand, then contract)",
    ),
    "brief-lock": Rule("low", "nothing: the release command waits for it in short turns"),
    "data-dependent": Rule("medium", "rehearse it on data like production's: truegreen rehearse"),
    "data-loss": Rule("medium", "be sure that there is a backup: nothing brings it back"),
    "fails": Rule("high", "correct the migration: it would fail there as it did here"),
    "index-build": Rule(
        "high",
        "CREATE INDEX CONCURRENTLY in op.get_context().autocommit_block(), and make a "
        "constraint USING INDEX of it",
    ),
    "lint": Rule("medium", "see squawk's page on the rule"),
    "lock-held": Rule("high", "give the slow statement a migration of its own"),
    "no-downgrade": Rule("low", "write a downgrade, or know that the way back is forward"),
    "schema-ahead": Rule("medium", "ship a commit that has these revisions"),
    "table-rewrite": Rule(
        "high", "add a new column, fill it in batches, and change over to it in a later release"
    ),
}


def at_least(severity: str, least: str) -> bool:
    return ORDER.index(severity) >= ORDER.index(least)
