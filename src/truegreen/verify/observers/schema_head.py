"""``schema.head``: is the database at the one head of the code that is serving?

What the serving code itself says (the detail view of health, which takes a token) is read now and
weighs most; without it, what the release command reported counts, as it was then; without that too,
Alembic on a one-off dyno, where the project asks for one.
"""

from __future__ import annotations

from truegreen.model import Schema, digest_of
from truegreen.release.trailer import Phase, Report
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World

EXPECTED = "the one head of the code that serves"


def observe(world: World) -> Answer:
    schema, source, digest = read_schema(world)
    if schema is None:
        return unknown("neither health nor the report says", EXPECTED, source)
    heads = ", ".join(schema.heads)
    expected = f"{heads}: {EXPECTED}" if heads else EXPECTED
    more = {
        "digest": digest,
        "detail": {
            "current": schema.current,
            "heads": list(schema.heads),
            "relation": schema.relation,
        },
    }
    if len(schema.heads) > 1:
        return failed(f"the code has {len(schema.heads)} heads: {heads}", expected, source, **more)
    if schema.relation == "at head":
        return passed(f"{schema.current}", expected, source, **more)
    if schema.current is None:
        return failed("the database has no revision", expected, source, **more)
    if not schema.heads:
        return unknown(f"{schema.current}; no head is known", expected, source, **more)
    how = f"not {heads}" if schema.relation == "unknown" else f"{schema.relation} of the code"
    return failed(f"{schema.current}, {how}", expected, source, **more)


def read_schema(world: World) -> tuple[Schema | None, str, str]:
    """The schema, where it was read, and the digest of that."""
    migrate = _migrate(world.report())
    answers = world.health_samples()
    last = answers[-1] if answers and not answers[-1].stored else None
    told = last.document.get("schema") if last is not None else None
    if last is not None and isinstance(told, dict) and "current" in told:
        current = told["current"]
        named = told.get("heads") or ()
        heads = (named,) if isinstance(named, str) else tuple(str(head) for head in named)
        text = str(current) if current is not None else None
        relation = relate(text, heads, migrate)
        return Schema(text, heads, relation), f"{last.url} (schema)", last.digest
    if migrate is not None and migrate.to_revision and migrate.status == "pass":
        target, current_release = world.target(), world.current()
        serves = target is not None and current_release is not None
        if serves and target is not None and current_release is not None:
            if target.id == current_release.id:
                relation = relate(migrate.to_revision, migrate.heads, migrate)
                schema = Schema(migrate.to_revision, migrate.heads, relation)
            else:
                schema = Schema(migrate.to_revision, (), "unknown")
            return schema, f"report of v{target.version}", target.raw_digest
    asked = world.schema_of_dyno()
    if asked is not None:
        current, heads = asked
        schema = Schema(current, heads, relate(current, heads, migrate))
        return schema, "one-off dyno (alembic)", digest_of([current, *heads])
    return None, "health and report", ""


def relate(current: str | None, heads: tuple[str, ...], migrate: Phase | None) -> str:
    """Where ``current`` stands against the serving code's ``heads``. Pure.

    ``migrate`` is what the release under question reported: a revision that it moved the database
    to, and that the serving code does not have as its head, is ahead of that code.
    """
    if current is None or not heads:
        return "unknown"
    if len(heads) == 1 and current == heads[0]:
        return "at head"
    if migrate is not None and migrate.to_revision == current:
        return "ahead"
    if migrate is not None and heads[0] in (migrate.to_revision, *migrate.heads):
        return "behind"
    return "unknown"


def _migrate(report: Report | None) -> Phase | None:
    for phase in report.phases if report else ():
        if phase.name == "migrate":
            return phase
    return None
