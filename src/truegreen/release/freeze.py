"""The freeze, asked again where the release command runs. Standard library only.

A dyno has neither the calendars' libraries nor a network to ask, so it reads ``freeze.lock``, which
``truegreen freeze lock`` made of the calendar and which was committed with it: windows as instants.
Whoever deploys, past every pipeline, is asked there.

Only a deploy is refused. A rollback, a change of config vars, and whatever the platform does not
say what it is, go through: a freeze must never keep anyone from going back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from truegreen.config import Config
from truegreen.config.model import FreezeScope

FILE_NAME = "freeze.lock"
FORMAT = "truegreen-freeze/1"
# "COMMIT UNTIL": set by ship when the freeze gate was overridden.
OVERRIDE = "TRUEGREEN_FREEZE_OVERRIDE"
_DEPLOYS = ("Deploy", "Promote")  # how Heroku's descriptions of such releases begin


class Unreadable(Exception):
    """``freeze.lock`` is not what it should be; says why."""


class LockedWindow(NamedTuple):
    """One window of the lock: UTC instants, ``start`` within it, ``end`` not."""

    name: str
    kind: str  # deny | allow
    start: datetime
    end: datetime
    reason: str
    scope: FreezeScope


class Lock(NamedTuple):
    """All windows between ``first`` and ``until``."""

    first: datetime
    until: datetime
    windows: tuple[LockedWindow, ...]


class Asked(NamedTuple):
    """``problem`` is why the release must not go on, ``note`` what is said where it may."""

    problem: str = ""
    note: str = ""


def ask(config: Config, environ: Mapping[str, str], now: datetime) -> Asked:
    """Whether the release that this command belongs to may go on at ``now`` (with a zone)."""
    path = config.root / FILE_NAME
    if not path.is_file():
        wanted = config.freeze.windows or config.freeze.calendars or config.freeze.holidays
        told = f"freeze: not asked again here, there is no {FILE_NAME} (truegreen freeze lock)"
        return Asked(note=told if wanted else "")
    what = environ.get("HEROKU_SLUG_DESCRIPTION", "")
    if not what.startswith(_DEPLOYS):
        told = f"freeze: not asked, since {what!r} is no deploy" if what else (
            "freeze: not asked, since the platform does not say whether this is a rollback "
            "(labs:enable runtime-dyno-metadata)"
        )  # fmt: skip
        return Asked(note=told)
    try:
        lock = read_lock(path)
    except Unreadable as error:
        return Asked(f"{FILE_NAME}: {error} (run: truegreen freeze lock, and commit it)")
    return decide(lock, config, environ, now)


def decide(lock: Lock, config: Config, environ: Mapping[str, str], now: datetime) -> Asked:
    """The answer to a deploy at ``now``. Pure."""
    moment = now.astimezone(UTC)
    if not lock.first <= moment < lock.until:
        return Asked(
            f"{FILE_NAME}: it says nothing of {_told(moment)}, only of {_told(lock.first)} to "
            f"{_told(lock.until)} (run: truegreen freeze lock, and commit it)"
        )
    app = environ.get("HEROKU_APP_NAME", "")
    name = next((e.name for e in config.environments.values() if e.app == app), "")
    mine = [one for one in lock.windows if one.scope.concerns(name, app, config.labels)]
    shut = _why_shut(mine, moment)
    if not shut:
        return Asked(note=f"freeze: open at {_told(moment)}")
    until = _overridden(environ, moment)
    if until is not None:
        return Asked(note=f"freeze: {shut}, OVERRIDDEN until {_told(until)}")
    return Asked(f"{shut} (wait, or: truegreen ship --override freeze)")


def read_lock(path: Path) -> Lock:
    """The lock in ``path``. Raises Unreadable for anything that is none."""
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise Unreadable(f"is of the format {told['format']!r}, not {FORMAT!r}")
        return Lock(
            _moment(told["from"]),
            _moment(told["until"]),
            tuple(_window(one) for one in told["windows"]),
        )
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"is not a lock: {type(error).__name__}: {error}") from error


def _window(told: Mapping[str, Any]) -> LockedWindow:
    kind = told["kind"]
    if kind not in ("deny", "allow"):
        raise ValueError(f"kind {kind!r}")
    return LockedWindow(
        name=str(told["name"]),
        kind=kind,
        start=_moment(told["start"]),
        end=_moment(told["end"]),
        reason=str(told["reason"]),
        scope=FreezeScope(tuple(told["environments"]), tuple(told["apps"]), tuple(told["labels"])),
    )


def _why_shut(windows: Sequence[LockedWindow], moment: datetime) -> str:
    holding = [one for one in windows if one.start <= moment < one.end]
    denying = [one for one in holding if one.kind == "deny"]
    if denying:
        last = max(denying, key=lambda one: one.end)
        why = f" ({last.reason})" if last.reason else ""
        return f"the freeze {last.name!r}{why} holds until {_told(last.end)}"
    if any(one.kind == "allow" for one in windows) and not holding:
        return f"{_told(moment)} lies in none of the allow windows"
    return ""


def _overridden(environ: Mapping[str, str], moment: datetime) -> datetime | None:
    """Until when this commit may pass; None when it may not."""
    commit, _, text = environ.get(OVERRIDE, "").partition(" ")
    if not commit or commit != environ.get("HEROKU_SLUG_COMMIT"):
        return None
    try:
        until = _moment(text)
    except ValueError:
        return None
    return until if moment < until else None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return moment.astimezone(UTC)


def _told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
