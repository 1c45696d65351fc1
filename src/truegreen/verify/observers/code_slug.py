"""``code.slug``: is the commit of the release's slug the commit that was shipped?"""

from __future__ import annotations

from truegreen.model import short
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World


def observe(world: World) -> Answer:
    commit = world.commit()
    expected = short(commit)
    target = world.target()
    if target is None:
        return unknown("the platform has no release of this commit", expected, "releases")
    if target.image:
        return unknown("an image names no commit: see code.served", expected, f"v{target.version}")
    if not target.slug_id:
        return unknown(f"v{target.version} has no slug", expected, "releases")
    slug = world.slug(target.slug_id)
    source = f"slug {slug.id}"
    more = {"digest": slug.raw_digest, "detail": {"slug": slug.id, "commit": slug.commit}}
    if not slug.commit or not commit:
        return unknown("the slug names no commit", expected, source, **more)
    if slug.commit == commit:
        return passed(short(slug.commit), expected, source, **more)
    return failed(short(slug.commit), expected, source, **more)
