"""``code.served``: asked N times in a row through the edge, does the app say it is this commit?"""

from __future__ import annotations

from truegreen.model import digest_of, short
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World, abbreviates


def observe(world: World) -> Answer:
    commit = world.commit()
    samples = world.samples()
    expected = f"{short(commit)}, {samples} times in a row"
    source = world.edge() + world.question.health.path
    answers = world.health_samples()
    if not answers:
        return unknown("no edge address is known", expected, source)
    last = answers[-1]
    said = [answer.commit for answer in answers]
    more = {
        "digest": digest_of([answer.digest for answer in answers]),
        "detail": {"commits": said, "statuses": [answer.status for answer in answers]},
    }
    fresh = [
        answer.commit
        for answer in answers
        if not (answer.stored or abbreviates(answer.commit, commit))
    ]
    other = next((one for one in reversed(fresh) if one and commit and one != commit), None)
    if other and world.pending():
        return unknown(f"the app says {short(other)}, {world.pending()}", expected, source, **more)
    if other:
        return failed(f"the app says {short(other)}", expected, source, **more)
    if last.interstitial:
        return unknown(f"a {last.interstitial} answered", expected, source, **more)
    if stored := next((one.stored for one in answers if one.stored), ""):
        told = f"a {stored} answered, which does not know what serves"
        return unknown(told, f"{expected}, past every cache", source, **more)
    if last.status != 200:
        return unknown(last.summary, expected, source, **more)
    if not commit or any(one is None for one in said):
        return unknown("the app does not say which commit it is", expected, source, **more)
    if cut := next((one for one in said if abbreviates(one, commit)), None):
        told = f"the app says only {cut}, with which other commits may begin too"
        return unknown(told, expected, source, **more)
    if older := next((one.release for one in answers if world.of_another_release(one)), None):
        target = world.target()
        told = f"the app says that it runs as {older}, not {target.label if target else 'that'}"
        return unknown(told, expected, source, **more)
    if len(said) < samples:
        return unknown(f"{len(said)} answers only", expected, source, **more)
    return passed(f"{short(commit)}, {len(said)} times in a row", expected, source, **more)
