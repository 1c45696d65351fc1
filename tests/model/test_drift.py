"""Each thing that may change at an app after green is told as what it is, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from truegreen.model.drift import SeenDyno, SeenRelease, Snapshot, changes

GOOD = Snapshot(
    releases=(
        SeenRelease(4, "succeeded", True, "slug-4", 60.0),
        SeenRelease(3, "succeeded", False, "slug-3", 9000.0),
    ),
    dynos=(SeenDyno("web.1", "web", "up", 4), SeenDyno("run.1", "run", "up", 3)),
    wanted=(("web", 1), ("release", 0)),
    config="sha256:a",
)


def later(
    status: str, *, age: float = 1.0, current: bool = False, slug: str = "slug-5"
) -> Snapshot:
    first = replace(GOOD.releases[0], current=not current)
    made = SeenRelease(5, status, current, slug, age)
    return replace(GOOD, releases=(made, first, *GOOD.releases[1:]))


def kinds(now: Snapshot, before: Snapshot = GOOD) -> list[str]:
    return [change.kind for change in changes(before, now)]


def test_nothing_changed_is_nothing_told() -> None:
    assert kinds(GOOD) == []


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (later("failed"), ["release-failed"]),
        (later("expired"), ["release-failed"]),
        (later("pending", age=10), []),
        (later("pending", age=7200), ["release-stuck"]),
        (replace(GOOD, config="sha256:b"), ["config-drift"]),
        (replace(GOOD, dynos=(SeenDyno("web.1", "web", "crashed", 4),)), ["dyno-crashed"]),
        (replace(GOOD, dynos=(SeenDyno("web.1", "web", "down", 4),)), ["dyno-crashed"]),
        (replace(GOOD, dynos=(SeenDyno("web.1", "web", "up", 3),)), ["dyno-stale"]),
        (replace(GOOD, dynos=(SeenDyno("web.1", "web", "starting", 4),)), []),
        (replace(GOOD, dynos=()), ["dynos-missing"]),
        (replace(GOOD, releases=()), ["code-drift"]),
    ],
)
def test_each_change_has_its_kind(now: Snapshot, expected: list[str]) -> None:
    assert kinds(now) == expected


def test_other_code_that_became_current_is_drift_and_the_same_code_is_not() -> None:
    dynos = (SeenDyno("web.1", "web", "up", 5),)
    other = replace(later("succeeded", current=True), dynos=dynos)
    assert kinds(other) == ["code-drift"]
    same = replace(later("succeeded", current=True, slug="slug-4"), dynos=dynos)
    assert kinds(same) == []


def test_a_release_that_was_pending_at_first_and_then_failed_is_told() -> None:
    before = later("pending")
    assert kinds(later("failed"), before) == ["release-failed"]
    assert kinds(later("failed"), later("failed")) == []
