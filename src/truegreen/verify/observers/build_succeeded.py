"""``build.succeeded``: did the build of this commit succeed?"""

from __future__ import annotations

from truegreen.model import short
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World


def observe(world: World) -> Answer:
    build = world.build()
    expected = f"a succeeded build of {short(world.commit())}"
    if build is None:
        return _elsewhere(world, expected)
    source = f"build {build.id}"
    detail = {"build": build.id, "status": build.status, "version": build.source_version}
    more = {"digest": build.raw_digest, "detail": detail}
    if build.status == "succeeded":
        return passed("succeeded", expected, source, **more)
    if build.status == "failed":
        return failed("failed", expected, source, **more)
    return unknown(build.status, expected, source, **more)


def _elsewhere(world: World, expected: str) -> Answer:
    """Without a build here: a slug that was promoted was built elsewhere, since only a build that
    succeeded makes one; an image is built where nobody here can look."""
    target = world.target()
    if target is not None and target.image:
        return unknown("an image, built elsewhere", expected, f"v{target.version}")
    if target is None or not target.slug_id:
        return unknown("no build of this commit", expected, "builds")
    slug = world.slug(target.slug_id)
    detail = {"slug": slug.id, "commit": slug.commit}
    told = "promoted: a succeeded build of another app made this slug"
    if slug.commit and slug.commit == world.commit():
        return passed(told, expected, f"slug {slug.id}", digest=slug.raw_digest, detail=detail)
    return unknown("no build of this commit", expected, "builds")
