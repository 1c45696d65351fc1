"""Which release a question is about: by id or by commit, never "the newest". Pure."""

from __future__ import annotations

from collections.abc import Sequence

from truegreen.heroku.models import Build, Release


def choose_release(
    releases: Sequence[Release],
    builds: Sequence[Build],
    *,
    commit: str | None,
    version: int | None,
    after: int | None = None,
) -> Release | None:
    """The release that was asked about, or None when the platform has no such release.

    With ``version``: that one. With ``commit``: the latest release that carries a slug built from
    that commit (a config change after the deploy makes another release of the same slug, and that
    one counts). With ``after``: the first release with code since that version, which is how a
    container deploy names its own, since an image names no commit. With neither: the current one.
    """
    if after is not None:
        since = [r for r in releases if r.version > after and (r.image or r.slug_id)]
        return min(since, key=lambda r: r.version, default=None)
    if version is not None:
        return next((r for r in releases if r.version == version), None)
    if commit is None:
        return current_release(releases)
    slugs = {b.slug_id for b in builds if b.slug_id and b.source_version == commit}
    ids = {b.release_id for b in builds if b.release_id and b.source_version == commit}
    carrying = [r for r in releases if r.id in ids or (r.slug_id and r.slug_id in slugs)]
    return max(carrying, key=lambda r: r.version, default=None)


def current_release(releases: Sequence[Release]) -> Release | None:
    """The release that the platform calls current, or None."""
    return next((r for r in releases if r.current), None)


def choose_build(
    builds: Sequence[Build], *, commit: str | None, release: Release | None
) -> Build | None:
    """The build that made ``release``'s slug; without one, the newest build of ``commit``."""
    if release is not None and release.slug_id:
        for build in builds:
            if build.slug_id == release.slug_id:
                return build
    of_commit = [b for b in builds if commit is not None and b.source_version == commit]
    return max(of_commit, key=lambda b: b.created_at, default=None)
