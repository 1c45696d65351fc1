"""``health.origin_blocked``: does a direct request to the origin get 403, forged headers and all?

Asked at a path of its own, since the health path may be exempt. A 5xx of the router says nothing
about the guard, and is unknown. So is an open origin where no configuration says that there is an
edge before the app at all.
"""

from __future__ import annotations

from truegreen.past_the_edge import OUTSIDE
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import ORIGIN_PROBE, World

EXPECTED = "403, also with forged headers of the edge"


def observe(world: World) -> Answer:
    source = world.origin() + ORIGIN_PROBE
    answers = world.origin_answers()
    if not answers:
        return unknown("no origin address is known", EXPECTED, source)
    told = ", ".join(f"{name}: {a.summary}" for name, a in zip(OUTSIDE, answers, strict=True))
    detail: dict[str, object] = {"statuses": [answer.status for answer in answers]}
    digest = answers[0].digest
    page = next((answer.interstitial for answer in answers if answer.interstitial), "")
    if page:  # the address leads through an edge: what answered is not the guard
        return unknown(f"a {page} answered", EXPECTED, source, digest=digest, detail=detail)
    if all(answer.status == 403 for answer in answers):
        return passed(answers[0].summary, EXPECTED, source, digest=digest, detail=detail)
    if not world.question.configured:
        return unknown(f"{told}; whether it should be closed, nobody says", EXPECTED, source)
    if any(answer.status not in (0, 403) and answer.status < 500 for answer in answers):
        detail["open"] = True
        return failed(told, EXPECTED, source, digest=digest, detail=detail)
    return unknown(told, EXPECTED, source, digest=digest, detail=detail)
