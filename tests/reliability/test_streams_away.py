"""An output stream that stays away costs a ship its output, and not its time."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from simulated_platform import InMemory
from simulated_world import World

from truegreen.model import Verdict


@pytest.mark.parametrize("how", ["not registered", "reset"])
def test_a_stream_that_stays_away_does_not_hold_up_a_build_that_has_ended(
    tmp_path: Path, how: str
) -> None:
    world = World(tmp_path)

    def away(request: httpx.Request) -> httpx.Response | None:
        world.wait(0.02)
        if not request.url.path.startswith("/streams/"):
            return None
        if how == "reset":
            raise httpx.ReadError("reset", request=request)
        return httpx.Response(404, text="Channel is not registered.", request=request)

    world.transport = InMemory(world.platform, away)
    began = world.now
    # Without its output a release report cannot be read: whether it is green is another question.
    assert world.ship().verdict is not Verdict.RED
    assert world.now - began < 180
