"""``release.current``: is it the release that the platform calls current?"""

from __future__ import annotations

from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World


def observe(world: World) -> Answer:
    target, current = world.target(), world.current()
    if target is None:
        return unknown("the platform has no release of this commit", "current", "releases")
    expected = f"v{target.version} is current"
    if current is None:
        return failed("no release is current", expected, "releases", digest=target.raw_digest)
    more = {
        "digest": current.raw_digest,
        "detail": {"current": current.version, "asked": target.version},
    }
    if current.id == target.id:
        return passed(f"v{current.version} is current", expected, "releases", **more)
    if world.pending():
        return unknown(f"v{current.version} is current, {world.pending()}", expected, "releases")
    return failed(f"v{current.version} is current", expected, "releases", **more)
