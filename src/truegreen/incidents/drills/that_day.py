"""The workflow of 2026-06-21, asked live: push accepted, ``/health`` 200, success. Nothing else.

It looked at exactly these two things. The push is accepted when the platform built the source;
the exit status of a push says nothing of the release command (facts of that day's workflow, and
of `git push` to Heroku, which exits 0 when the release command fails).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truegreen.heroku import HerokuClient
from truegreen.heroku.localhost import client as http_client
from truegreen.verify.probe import Prober

_TIMEOUT = 10.0  # seconds


def conclude(
    client: HerokuClient, app: str, commit: str, health_path: str, *, pushed: str = ""
) -> Mapping[str, Any]:
    """What that workflow would have concluded of ``commit``: ``success`` or ``failure``.

    ``pushed``: what ``git push`` came to, where it was really run (pushing.py); else the builds
    of ``commit`` say whether it would have been accepted.
    """
    if not pushed:
        builds = [build for build in client.builds(app) if build.source_version == commit]
        built = any(build.status == "succeeded" for build in builds)
        pushed = "accepted" if built else "rejected"
    edge = (client.app(app).edge_url or "").rstrip("/")
    with http_client(timeout=_TIMEOUT) as http:
        health = Prober(http).get(edge + health_path).status
    success = pushed != "rejected" and health == 200
    return {
        "push": pushed,
        "health": health,
        "conclusion": "success" if success else "failure",
    }
