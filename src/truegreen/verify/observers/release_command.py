"""``release.command``: is this release succeeded? Read by id, never from "the newest"."""

from __future__ import annotations

from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World


def observe(world: World) -> Answer:
    target = world.target()
    expected = "succeeded"
    if target is None:
        return unknown("the platform has no release of this commit", expected, "releases")
    source = f"release v{target.version} {target.id}"
    detail = {"version": target.version, "release": target.id, "release_status": target.status}
    more = {"digest": target.raw_digest, "detail": detail}
    if target.status == "succeeded":
        return passed("succeeded", expected, source, **more)
    if target.status in ("failed", "expired"):
        return failed(f"v{target.version} {target.status}", expected, source, **more)
    return unknown(f"v{target.version} {target.status}", expected, source, **more)
