"""Reads the table ``[migrations]``. What the rules mean is the migrations gate's business."""

from __future__ import annotations

from types import MappingProxyType

from truegreen.config.model import MigrationAllow, Migrations
from truegreen.config.table import Table

SEVERITIES = ("high", "medium", "low")
# The gate's rules. They stand here because a rule that nobody knows is an error of configuration;
# docs/migrations.md says what each means.
RULES = (
    "backfill",
    "blocking-scan",
    "breaks-rollback",
    "breaks-serving",
    "brief-lock",
    "data-dependent",
    "data-loss",
    "fails",
    "index-build",
    "lint",
    "lock-held",
    "no-downgrade",
    "schema-ahead",
    "table-rewrite",
)


def parse_migrations(table: Table) -> Migrations:
    """``[migrations]`` as values. Raises ConfigError with the file, the key and the fix."""
    base = Migrations()
    severity_table = table.table("severity")
    severity: dict[str, str] = {}
    for rule in severity_table.rest():
        _check_rule(severity_table, rule, rule)
        severity[rule] = severity_table.text(rule, one_of=(*SEVERITIES, "off"))
    result = Migrations(
        database=table.text("database", base.database, one_of=("postgresql", "sqlite")),
        branch=table.text("branch"),
        base=table.text("base", base.base, one_of=("schema", "serving")),
        postgres=table.text("postgres"),
        table_sizes=table.text("table_sizes"),
        refuse=table.text("refuse", base.refuse, one_of=SEVERITIES),
        max_stall=table.seconds("max_stall", base.max_stall),
        severity=MappingProxyType(severity),
        allow=tuple(_allow(one) for one in table.tables("allow")),
        lock_wait=table.seconds("lock_wait", base.lock_wait),
        lock_timeout=table.seconds("lock_timeout", base.lock_timeout),
        lock_patience=table.seconds("lock_patience", base.lock_patience),
        direct_url=table.text("direct_url", base.direct_url),
    )
    if result.branch.startswith("-"):
        raise table.error("branch", f"{result.branch!r} is not a branch", fix="a branch's name")
    if result.postgres and not result.postgres.startswith(("env:", "file:", "vault:")):
        raise table.error("postgres", "is not a reference", fix="write env:NAME or file:PATH")
    if not 0.001 <= result.lock_timeout <= 60:
        raise table.error(
            "lock_timeout", f"{result.lock_timeout:g} is out of range", fix="0.001 to 60 seconds"
        )
    table.done()
    return result


def _allow(one: Table) -> MigrationAllow:
    rule = one.required_text("rule")
    if rule != "*":
        _check_rule(one, "rule", rule)
    allow = MigrationAllow(
        revision=one.required_text("revision"),
        rule=rule,
        reason=one.required_text("reason"),
        owner=one.required_text("owner"),
        expires=one.day("expires"),
    )
    one.done()
    return allow


def _check_rule(table: Table, key: str, rule: str) -> None:
    if rule not in RULES:
        import difflib  # 2 ms, as in table.py

        near = difflib.get_close_matches(rule, RULES, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]}?" if near else "one of " + ", ".join(RULES)
        raise table.error(key, f"{rule!r} is not a rule", fix=fix)
