"""``build.succeeded``: did the build of this commit succeed?"""

from __future__ import annotations

from truegreen.model import short
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World


def observe(world: World) -> Answer:
    build = world.build()
    expected = f"a succeeded build of {short(world.commit())}"
    if build is None:
        return unknown("no build of this commit", expected, "builds")
    source = f"build {build.id}"
    detail = {"build": build.id, "status": build.status, "version": build.source_version}
    more = {"digest": build.raw_digest, "detail": detail}
    if build.status == "succeeded":
        return passed("succeeded", expected, source, **more)
    if build.status == "failed":
        return failed("failed", expected, source, **more)
    return unknown(build.status, expected, source, **more)
