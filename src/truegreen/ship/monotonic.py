"""Only forwards: a commit is not shipped over code that it does not contain. Pure.

Asked before anything is changed and again right before a release: of what serves, and of what is
on its way, so that an older job cannot overtake a newer one, on one machine or on two that share
no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from truegreen.errors import Refused
from truegreen.heroku.models import Build, Release
from truegreen.model import short
from truegreen.ship.ancestry import Kin, Kinship

# A release command has an hour (facts: Heroku ends it then), a build 15 minutes; what is pending
# for longer than an hour will never serve, and may stay pending for ever.
LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rival:
    """Code that serves, or will: a release, or a build that becomes one. ``commit`` is None when
    the platform does not know it."""

    what: str  # "v12 serves", "v13 is still in its release command", …
    commit: str | None
    serves: bool


def rivals(
    releases: Sequence[Release],
    builds: Sequence[Build],
    commits: dict[str, str | None],
    now: datetime,
) -> tuple[Rival, ...]:
    """What serves or is on its way. ``commits``: of slugs, by id. ``now``: aware."""
    found: list[Rival] = []
    current = next((r for r in releases if r.current), None)
    if current is not None and current.slug_id:
        by = f" ({current.user_email})" if current.user_email else ""
        found.append(Rival(f"v{current.version}{by} serves", commits.get(current.slug_id), True))
    newest = current.version if current is not None else 0
    for release in releases:
        fresh = release.version > newest and now - release.created_at < LONGEST
        if release.status == "pending" and fresh and release.slug_id:
            what = f"v{release.version} is still in its release command"
            found.append(Rival(what, commits.get(release.slug_id), False))
    for build in builds:
        if build.status == "pending" and now - build.created_at < LONGEST:
            found.append(Rival(f"build {build.id} is running", build.source_version, False))
    return tuple(found)


def check_forward(
    ours: str, against: Iterable[Rival], kin: Kin, *, allowed: str = ""
) -> tuple[str, ...]:
    """Notes on what was allowed. Raises Refused when ``ours`` is not ahead of a rival.

    ``allowed``: the reason why code that serves may be taken back; what is still on its way is
    refused all the same.
    """
    notes: list[str] = []
    for rival in against:
        kinship = Kinship.UNKNOWN if rival.commit is None else kin(rival.commit, ours)
        if kinship is Kinship.SAME:
            continue
        if not rival.serves:
            raise Refused(
                f"somebody else ships at this moment: {rival.what} ({short(rival.commit)})",
                hint="wait until it has ended, then ship again: truegreen releases",
            )
        if kinship is Kinship.DESCENDANT:
            continue
        problem, fix = _WHY[kinship if rival.commit else None]
        text = f"{short(ours)} {problem}: {rival.what} ({short(rival.commit)})"
        if not allowed:
            raise Refused(text, hint=f'{fix}, or: --allow-rewind "why"')
        notes.append(f"rewind allowed ({allowed}): {text}")
    return tuple(notes)


_WHY: dict[Kinship | None, tuple[str, str]] = {
    Kinship.REWIND: (
        "does not contain the code that serves",
        "rebase on it or merge it, and ship that",
    ),
    Kinship.SHALLOW: (
        "comes from a shallow clone, which cannot say whether it contains the code that serves",
        "git fetch --unshallow (in GitHub Actions: fetch-depth: 0)",
    ),
    Kinship.UNKNOWN: (
        "cannot be compared with the code that serves, which this repository does not know",
        "git fetch --all",
    ),
    None: (
        "cannot be compared with the code that serves, whose commit the platform does not know",
        "deploy once with its commit as the build's version",
    ),
}


def check_baseline(
    ours: str,
    before: tuple[int, str | None],
    after: tuple[int, str | None, str | None],
    *,
    user: str = "",
) -> None:
    """Raises Refused when somebody else deployed since the baseline was read.

    ``before``: version and slug of the baseline; ``after``: version, slug and commit of what is
    current now, made by ``user``. A new release of the same slug (a config change) is no deploy;
    one of the commit ``ours`` is our own.
    """
    version, slug, commit = after
    if slug is None or slug == before[1] or commit == ours:
        return
    served = f"v{before[0]}" if before[1] else "nothing"
    by = f" by {user}" if user else ""
    raise Refused(
        f"somebody else deployed since we began: {served} served, now v{version}"
        f" ({short(commit)}){by}",
        hint="look at it, then ship again: truegreen releases",
    )
