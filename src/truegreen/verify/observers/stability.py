"""``stability``: for a stated time after everything else held: no crash, no later failed release,
no drift.

Looks on only when no other required check failed; a look that the platform did not answer is a
gap, and a watch with a gap wider than three looks has not seen the whole time: unknown.
"""

from __future__ import annotations

from truegreen.errors import Unverified
from truegreen.model import digest_of
from truegreen.model.drift import changes
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.snapshot import look
from truegreen.verify.world import World

_WIDEST_GAP = 3  # looks


def observe(world: World) -> Answer:
    asked = world.question.stability
    expected = f"no crash, no failed release, no drift for {asked.seconds:g} s"
    source = "releases, dynos, formation, config vars"
    if world.pending():
        return unknown(world.pending(), expected, source)
    first = look(world.platform, world.app_name)
    began = last = world.now()
    looks, widest, found = 1, 0.0, first
    while last - began < asked.seconds:
        world.pause(min(asked.every, asked.seconds - (last - began)))
        moment = world.now()
        try:
            found = look(world.platform, world.app_name)
        except Unverified as error:
            if moment - last > _WIDEST_GAP * asked.every:
                told = f"the platform did not answer for {moment - last:.0f} s: {error.message}"
                return unknown(told, expected, source)
            if moment - began >= asked.seconds:
                return unknown(f"the last look got no answer: {error.message}", expected, source)
            continue
        looks, widest, last = looks + 1, max(widest, moment - last), moment
        seen = changes(first, found)
        if seen:
            told = "; ".join(change.told for change in seen)
            more = {"kinds": [change.kind for change in seen], "after": round(moment - began, 1)}
            return failed(
                f"after {moment - began:.0f} s: {told}",
                expected,
                source,
                digest=digest_of(repr(found)),
                detail=more,
            )
    if looks < 2:
        return unknown("there was one look, and a time needs two", expected, source)
    told = f"{looks} looks in {last - began:.0f} s, nothing changed"
    detail = {"looks": looks, "seconds": round(last - began, 1), "widest_gap": round(widest, 1)}
    return passed(told, expected, source, digest=digest_of(repr(found)), detail=detail)
