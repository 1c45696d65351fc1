"""``health.edge``: 200 through the edge. A challenge or login page is unknown, not a pass.

Where no configuration names a health path, a 404 at ours is unknown: the app may have none, and it
may be somebody else who answers.
"""

from __future__ import annotations

from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World

EXPECTED = "200"


def observe(world: World) -> Answer:
    source = world.edge() + world.question.health.path
    answers = world.health_samples()
    if not answers:
        return unknown("no edge address is known", EXPECTED, source)
    bad = next((one for one in answers if one.status != 200 or one.interstitial), None)
    answer = bad or answers[-1]
    more = {"digest": answer.digest, "detail": {"status": answer.status}}
    if answer.interstitial:
        more["detail"] = {"status": answer.status, "interstitial": answer.interstitial}
        return unknown(f"a {answer.interstitial} answered", EXPECTED, source, **more)
    if answer.stored:
        told = f"a {answer.stored} answered, and not the app"
        return unknown(told, f"{EXPECTED}, past every cache", source, **more)
    if not answer.status:
        return unknown(answer.error, EXPECTED, source, **more)
    if (
        bad
        and world.pending()
        and not any(one.slug_id or one.image for one in world.releases() if one.current)
    ):
        return unknown(f"{answer.summary}, {world.pending()}", EXPECTED, source, **more)
    if answer.status == 404 and not world.question.configured:
        told = f"404; no configuration says whether {world.question.health.path} is the health path"
        return unknown(told, EXPECTED, source, **more)
    if not bad and (word := next((one.failing for one in answers if one.failing), "")):
        return failed(f"200, and its body says {word}", EXPECTED, source, **more)
    if bad:
        return failed(answer.summary, EXPECTED, source, **more)
    return passed("200", EXPECTED, source, **more)
