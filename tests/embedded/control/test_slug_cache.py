"""The slug cache prunes itself, and never what an app may still need."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from truegreen.embedded.records import Release, ReleaseStatus, Slug
from truegreen.embedded.slug_cache import KEPT_RELEASES, needed, to_prune

pytestmark = [pytest.mark.platform]
GOOD, BAD, PENDING = ReleaseStatus.SUCCEEDED, ReleaseStatus.FAILED, ReleaseStatus.PENDING


def slug(number: int, size: int = 10, *, pruned: bool = False) -> Slug:
    return Slug(f"s{number}", "app", None, {}, "venv", size, "", "", pruned)


def release(version: int, slug_id: str | None, status: ReleaseStatus = GOOD) -> Release:
    return Release(f"r{version}", "app", version, status, "", slug_id, {}, False, None, "", "")


def ids(slugs: list[Slug]) -> list[str]:
    return [slug.id for slug in slugs]


def test_the_oldest_go_until_the_rest_fits() -> None:
    slugs = [slug(number) for number in range(5)]
    assert ids(to_prune(slugs, set(), 50)) == []
    assert ids(to_prune(slugs, set(), 30)) == ["s0", "s1"]
    assert ids(to_prune(slugs, set(), 0)) == ["s0", "s1", "s2", "s3", "s4"]


def test_what_is_needed_stays_however_full_it_is_and_what_is_pruned_takes_no_room() -> None:
    slugs = [slug(0, pruned=True), *(slug(number) for number in range(1, 5))]
    assert ids(to_prune(slugs, {"s1", "s3"}, 0)) == ["s2", "s4"]
    assert ids(to_prune(slugs, set(), 40)) == []


def test_an_app_needs_the_current_the_pending_and_the_newest_it_can_roll_back_to() -> None:
    many = [release(number, f"s{number}") for number in range(1, 20)]
    newest = {f"s{number}" for number in range(20 - KEPT_RELEASES, 20)}
    assert needed(many, "r3") == newest | {"s3"}
    assert needed([*many, release(20, "s1", PENDING)], "r19") == newest | {"s1"}
    assert needed([*many, release(20, "s20", BAD)], "r19") == newest
    config_only = [*many, *(release(number, "s19") for number in range(20, 40))]
    assert needed(config_only, "r39") == newest  # the same code many times is one slug


def test_a_pruned_slug_is_gone_its_release_is_refused_and_the_others_go_on(shared: Any) -> None:
    shared.post("/apps", {"name": "cached"})
    for number in range(KEPT_RELEASES + 2):
        made = shared.deploy("cached", {**shared.APP, "number.txt": str(number)}, f"c{number}")
    releases = shared.get("/apps/cached/releases")
    oldest = next(r for r in releases if r["slug"])
    folder = Path(shared.info.data) / "slugs"
    assert (folder / oldest["slug"]["id"]).is_dir()
    shared.patch("/truegreen/settings", {"slug-cache": "0"})
    try:
        assert not (folder / oldest["slug"]["id"]).exists()
        eligible = [r["eligible_for_rollback"] for r in shared.get("/apps/cached/releases")]
        assert eligible == [False, False, False] + [True] * KEPT_RELEASES
        back = shared.http.post("/apps/cached/releases", json={"release": oldest["id"]})
        assert (back.status_code, back.json()["id"]) == (422, "release_not_eligible")
        assert f"v{oldest['version']}" in back.json()["message"]
        assert "slug is no longer available" in back.json()["message"]
        again = shared.http.post("/apps/cached/releases", json={"slug": oldest["slug"]["id"]})
        assert again.status_code == 422
        shared.up("cached", made["version"])
        kept = shared.get("/apps/cached/releases")[-KEPT_RELEASES]
        rolled = shared.post("/apps/cached/releases", {"release": kept["id"]})
        assert shared.settled("cached", rolled["id"])["status"] == "succeeded"
        shared.up("cached", rolled["version"])
    finally:
        shared.patch("/truegreen/settings", {"slug-cache": "4096"})


def test_a_running_dynos_slug_stays_and_builds_prune_by_themselves(shared: Any) -> None:
    shared.post("/apps", {"name": "runs"})
    first = shared.deploy("runs", shared.APP)
    shared.up("runs", first["version"])
    asked = {"command": "sleep 60", "attach": False}
    shared.post("/apps/runs/dynos", asked)
    shared.patch("/truegreen/settings", {"slug-cache": "0"})
    try:
        for number in range(KEPT_RELEASES + 2):
            shared.deploy("runs", {**shared.APP, "number.txt": str(number)})
        time.sleep(0.2)
        slugs = [r["slug"]["id"] for r in shared.get("/apps/runs/releases") if r["slug"]]
        folder = Path(shared.info.data) / "slugs"
        shared.eventually(lambda: not (folder / slugs[1]).exists())
        assert (folder / slugs[0]).is_dir()  # the one-off dyno's
    finally:
        shared.patch("/truegreen/settings", {"slug-cache": "4096"})


def test_a_limit_that_is_none_is_refused(shared: Any) -> None:
    for value in ("-1", "many", "nan", "1e99"):
        answer = shared.http.patch("/truegreen/settings", json={"slug-cache": value})
        assert answer.status_code == 422, value
