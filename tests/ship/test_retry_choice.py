"""Which release may be tried again, and which one a rollback goes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from truegreen.errors import UsageError
from truegreen.heroku.models import Release
from truegreen.ship import retry, rollback


def release(
    version: int, status: str = "succeeded", slug: str | None = "", current: bool = False
) -> Release:
    return Release(
        id=f"id-{version}",
        version=version,
        status=status,
        current=current,
        slug_id=f"slug-{version}" if slug == "" else slug,
        output_stream_url=None,
        description="",
        created_at=datetime(2026, 6, 21, tzinfo=UTC),
        user_email=None,
        eligible_for_rollback=True,
        raw_digest="",
    )


MADE = datetime(2026, 6, 21, tzinfo=UTC)
SOON = MADE + timedelta(minutes=59)


def test_one_that_the_platform_lost_is_tried_again_as_verify_says() -> None:
    releases = (release(4, "pending"), release(3, current=True))
    assert retry.choose(releases, None, MADE + timedelta(hours=1)).version == 4


def test_the_newest_release_is_tried_again_when_it_failed_or_expired() -> None:
    for status in ("failed", "expired"):
        releases = (release(4, status), release(3, current=True))
        assert retry.choose(releases, None, SOON).version == 4


@pytest.mark.parametrize(
    ("releases", "version", "says"),
    [
        ((), None, "no release"),
        ((release(3, current=True),), None, "only a failed or expired"),
        ((release(4, "pending"), release(3)), None, "pending since 00:00 UTC: .* may take an hour"),
        ((release(4, "failed", None),), None, "no slug"),
        ((release(4, "failed"),), 9, "no release v9"),
        ((release(5, current=True), release(4, "failed")), 4, "over the newer"),
    ],
)
def test_what_must_not_be_tried_again_is_refused(
    releases: tuple[Release, ...], version: int | None, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        retry.choose(releases, version, SOON)


def test_a_config_change_after_the_failed_release_does_not_stand_in_the_way() -> None:
    releases = (release(5, "failed", "slug-3"), release(4, "failed"), release(3, current=True))
    assert retry.choose(releases, 4, SOON).version == 4


def test_a_rollback_goes_to_the_newest_good_release_of_other_code_before_the_current() -> None:
    releases = (
        release(7, "failed"),
        release(6, slug="slug-5", current=True),  # a config change
        release(5, slug="slug-5"),
        release(4, "failed"),
        release(3),
        release(2),
    )
    assert rollback.choose(releases, None).version == 3
    assert rollback.choose(releases, 2).version == 2


def test_nowhere_to_go_back_to_is_said() -> None:
    with pytest.raises(UsageError, match="no earlier release"):
        rollback.choose(
            (release(3, current=True), release(2, "failed"), release(1, slug=None)), None
        )
    with pytest.raises(UsageError, match="no release v9"):
        rollback.choose((release(3, current=True),), 9)


def test_a_revision_is_found_where_a_migration_declares_it_and_not_where_it_is_mentioned(
    tmp_path: Path,
) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "one.py").write_text('revision = "0045"\ndown_revision = "0044"\n')
    (versions / "two.py").write_text("revision: str = '0046'\n# revision = '0047'\n")
    assert rollback.has_revision(tmp_path, "0045")
    assert rollback.has_revision(tmp_path, "0046")
    assert not rollback.has_revision(tmp_path, "0044")
    assert not rollback.has_revision(tmp_path, "0047")
