"""Where the target's database is, before anything is changed: read, or said not to be known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from truegreen.config import parse_config
from truegreen.heroku.models import Release
from truegreen.release.report import Phase, Report
from truegreen.ship.schema_at import _before, _read, read_schema
from truegreen.verify.probe import HttpAnswer
from truegreen.verify.world import World

NOW = datetime(2026, 6, 21, tzinfo=UTC)


def release(version: int, slug: str | None, status: str = "succeeded", **more: Any) -> Release:
    base: dict[str, Any] = {
        "id": f"r{version}",
        "version": version,
        "status": status,
        "current": False,
        "slug_id": slug,
        "output_stream_url": None,
        "description": "",
        "created_at": NOW,
        "user_email": None,
        "eligible_for_rollback": None,
        "raw_digest": "",
    }
    return Release(**{**base, **more})


class Seen:
    """What a World answers, for one app."""

    def __init__(self, releases: list[Release], health: str = "", report: Phase | None = None):
        self._releases, self._health, self._report = releases, health, report

    def releases(self) -> list[Release]:
        return self._releases

    def current(self) -> Release | None:
        return next((one for one in self._releases if one.current), None)

    target = current

    def commit_of(self, release: Release) -> str:
        return f"commit of {release.slug_id}"

    def health_samples(self) -> list[HttpAnswer]:
        body = self._health.encode()
        return [HttpAnswer("http://app.test/health", 200, {}, body)] if body else []

    def schema_of_dyno(self) -> None:
        """Nobody allowed a one-off dyno."""

    def report(self) -> Report | None:
        phases = (self._report,) if self._report else ()
        return Report(True, 0, None, None, "", phases)


SERVED = [release(3, "c", current=True), release(2, "b"), release(1, "a")]


@pytest.mark.parametrize(
    ("seen", "revisions", "said"),
    [
        (Seen([]), (), "nothing was released yet"),
        (Seen([release(1, "a", "failed")]), None, "no release serves yet, and one was tried"),
        (Seen(SERVED), None, "neither the health endpoint nor"),
        (Seen(SERVED, '{"schema": {"current": "7", "heads": ["7"]}}'), ("7",), "/health (schema)"),
        (Seen(SERVED, '{"schema": {"current": null, "heads": []}}'), (), "/health (schema)"),
        (Seen(SERVED, '{"schema": null}'), None, "neither"),
        (
            Seen(SERVED, "", Phase("migrate", "pass", 1.0, to_revision="6", heads=("6",))),
            ("6",),
            "report of v3",
        ),
        (
            Seen(SERVED, "", Phase("migrate", "fail", 1.0, to_revision="6", heads=("7",))),
            None,
            "neither",
        ),
    ],
)
def test_health_weighs_most_then_the_report_and_else_it_is_not_known(
    seen: Seen, revisions: tuple[str, ...] | None, said: str
) -> None:
    at = _read(cast(World, seen))
    assert at.revisions == revisions
    assert said in at.source + at.why


def test_the_way_back_is_the_newest_that_succeeded_with_another_slug() -> None:
    current = release(9, "c", current=True)
    older = [current, release(8, "c"), release(7, "b", "failed"), release(6, "b"), release(5, "a")]
    found = _before(current, [*older, release(10, "d", "failed")])
    assert found is not None
    assert found.version == 6
    assert _before(current, [current]) is None


def test_where_no_platform_ever_ran_there_is_an_empty_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEGREEN_PLATFORM_DATA", str(tmp_path / "nothing"))
    config = parse_config({"release": {"migrate": "alembic"}}, file=None, root=tmp_path)
    environment = config.environments["production"]
    assert read_schema(config, environment, None).revisions == ()
    monkeypatch.delenv("TRUEGREEN_API_TOKEN", raising=False)
    monkeypatch.delenv("HEROKU_API_KEY", raising=False)
    at = read_schema(config, environment, "heroku")
    assert (at.revisions, "token" in at.why) == (None, True)
