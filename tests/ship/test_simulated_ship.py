"""The pipeline against a simulated platform: what it does, what it refuses, where it stops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from simulated_platform import APP, Faults
from simulated_world import World

from truegreen.errors import Interrupted, Refused, Unverified
from truegreen.model import Judgement, Verdict
from truegreen.ship.progress import StepState


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_good_world_is_green_and_a_second_run_changes_nothing(world: World) -> None:
    assert world.ship().verdict is Verdict.GREEN
    again = world.ship()
    assert again.verdict is Verdict.GREEN
    assert (len(world.platform.builds), len(world.platform.of(world.first))) == (1, 1)
    assert any("not released again" in note for note in again.document["notes"])
    assert [record.verdict for record in world.records()] == ["green", "green"]


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("build_fails", "red"),
        ("release_fails", "red"),
        ("release_sticks", "unverified"),
        ("dyno_crashes", "red"),
        ("serves_old_code", "red"),
        ("origin_open", "red"),
        ("challenge", "unverified"),
    ],
)
def test_each_fault_is_seen(world: World, fault: str, verdict: str) -> None:
    world.serve("0" * 40)
    world.platform.faults = Faults(**{fault: True})
    began = world.now
    shipped = world.ship(forward_only=False)
    assert str(shipped.verdict) == verdict, shipped.document["sentence"]
    assert world.now - began < 200


def test_code_that_serves_is_not_taken_back_without_a_reason(world: World) -> None:
    second = world.commit("second")
    world.serve(second)
    world.git("reset", "--quiet", "--hard", world.first)
    with pytest.raises(Refused, match="does not contain the code that serves"):
        world.ship()
    assert world.platform.builds == []
    shipped = world.ship(allow_rewind="second loses orders")
    assert shipped.verdict is Verdict.GREEN
    assert shipped.document["overrides"][0]["kind"] == "rewind"
    assert shipped.document["overrides"][0]["reason"] == "second loses orders"
    assert world.records()[-1].body["overrides"] == shipped.document["overrides"]


def test_an_older_job_does_not_overtake_a_newer_one(world: World) -> None:
    """The newer job's build runs; the older job was slow, and comes only now."""
    world.serve(world.first)
    older = world.commit("older")
    newer = world.commit("newer")
    world.platform._api("POST", f"/apps/{APP}/builds", {"source_blob": {"version": newer}})
    world.git("reset", "--quiet", "--hard", older)
    with pytest.raises(Refused, match="somebody else ships at this moment: build build-1"):
        world.ship()
    world.wait(6.0)  # its release command runs now
    with pytest.raises(Refused, match="v3 is still in its release command"):
        world.ship()
    world.wait(30.0)
    with pytest.raises(Refused, match="does not contain the code that serves: v3"):
        world.ship()
    assert len(world.platform.builds) == 1


class Interrupts:
    """A watcher that stops the run at one moment of one step."""

    def __init__(self, name: str, state: StepState, error: BaseException) -> None:
        self.at = (name, state)
        self.error = error

    def step(self, name: str, state: StepState, text: str) -> None:
        if (name, state) == self.at:
            raise self.error

    def output(self, step: str, line: str) -> None:
        return

    def evidence(self, item: object) -> None:
        return


def test_ctrl_c_before_a_change_changes_nothing_and_after_it_says_where(world: World) -> None:
    early = Interrupts("build", StepState.RUNNING, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        world.ship(early)
    assert (world.platform.builds, world.records()) == ([], [])
    late = Interrupts("release", StepState.RUNNING, KeyboardInterrupt())
    with pytest.raises(Interrupted, match="in step release") as stopped:
        world.ship(late)
    assert stopped.value.exit_code == 5
    (record,) = world.records()
    assert (record.verdict, record.body["interrupted"]) == (None, "release")
    assert world.ship().verdict is Verdict.GREEN
    assert (len(world.platform.builds), len(world.platform.of(world.first))) == (1, 1)


def test_somebody_who_deploys_between_our_build_and_our_release_stops_us(world: World) -> None:
    """A build of ours is there; before its slug is released again, other code went out."""
    world.serve(world.first)
    ours = world.commit("ours")
    world.ship()
    world.platform.releases[-1].ends_as = "failed"  # so a run would release its slug again
    world.wait(10)

    class Rival(Interrupts):
        def step(self, name: str, state: StepState, text: str) -> None:
            if (name, state) == self.at:
                rival = world.platform.add_release("e" * 40, world.now - 100)
                rival.ends_at = rival.boots_at = world.now - 1

    with pytest.raises(Refused, match=r"somebody else deployed since we began: v2 served, now v4"):
        world.ship(Rival("release", StepState.RUNNING, KeyboardInterrupt()))
    assert len(world.platform.of(ours)) == 1


@pytest.mark.parametrize("verdict", [Verdict.GREEN, Verdict.UNVERIFIED])
def test_a_verdict_function_that_is_broken_ships_nothing(world: World, verdict: Verdict) -> None:
    broken: Callable[..., Judgement] = lambda evidence, required: Judgement(verdict, (), (), ())  # noqa: E731
    with pytest.raises(Unverified, match="canary-red") as refused:
        world.ship(judge=broken)
    assert refused.value.exit_code == 3
    assert (world.platform.calls, world.records()) == ([], [])
