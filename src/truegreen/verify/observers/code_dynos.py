"""``code.dynos``: is every dyno up, on this release, at least as many as the formation wants?

Dynos of the types ``run`` and ``release`` are one-off and do not count. No wanted dyno at all is
a failure: nothing serves, and an empty list must not pass.
"""

from __future__ import annotations

from collections.abc import Sequence

from truegreen.heroku.models import Dyno, FormationEntry
from truegreen.model import digest_of
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World

ONE_OFF = ("run", "release", "scheduler")


def observe(world: World) -> Answer:
    target = world.target()
    if target is None:
        return unknown("the platform has no release of this commit", "dynos up", "dynos")
    if world.pending():
        return unknown(world.pending(), f"dynos up on v{target.version}", "dynos")
    formation = [f for f in world.formation() if f.type not in ONE_OFF]
    dynos = [d for d in world.dynos() if d.type not in ONE_OFF]
    return compare(formation, dynos, target.version)


def compare(formation: Sequence[FormationEntry], dynos: Sequence[Dyno], version: int) -> Answer:
    """The answer for a formation and the dynos that there are, on release ``version``. Pure."""
    wanted: dict[str, int] = {}
    for entry in formation:
        if entry.quantity > 0:
            wanted[entry.type] = max(entry.quantity, wanted.get(entry.type, 0))
    dynos = list({dyno.id: dyno for dyno in dynos}.values())  # who is listed twice is one
    expected = (
        ", ".join(f"{kind} {count}" for kind, count in sorted(wanted.items())) or "at least one"
    ) + f" up on v{version}"
    source = "dynos and formation"
    digest = digest_of([f.raw_digest for f in formation] + [d.raw_digest for d in dynos])
    if not wanted:
        return failed("the formation wants no dynos", expected, source, digest=digest)
    problems: list[str] = []
    starting: list[str] = []
    not_up: list[str] = []
    for dyno in dynos:
        if dyno.release_version != version:
            problems.append(f"{dyno.name} is on v{dyno.release_version}")
        elif dyno.state == "starting":
            starting.append(f"{dyno.name} is starting")
        elif dyno.state != "up":
            problems.append(f"{dyno.name} is {dyno.state}")
        if dyno.state not in ("up", "starting"):
            not_up.append(dyno.name)
    for kind, count in sorted(wanted.items()):
        there = sum(1 for dyno in dynos if dyno.type == kind)
        if there < count:
            problems.append(f"{kind}: {there} of {count}")
            not_up.append(kind)
    more = {"digest": digest, "detail": {"not_up": not_up, "dynos": [_told(d) for d in dynos]}}
    if problems:
        return failed(", ".join(problems), expected, source, **more)
    if starting:
        return unknown(", ".join(starting), expected, source, **more)
    told = ", ".join(f"{dyno.name} up" for dyno in dynos) + f" on v{version}"
    return passed(told, expected, source, **more)


def _told(dyno: Dyno) -> dict[str, object]:
    return {"name": dyno.name, "state": dyno.state, "release": dyno.release_version}
