"""The page of the watches: whether anybody looks on, and how far behind they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from truegreen.board.words import span
from truegreen.model import stamp
from truegreen.watch.inbox import Waiting
from truegreen.watch.pressure import LATE
from truegreen.watch.roster import Watcher

_COUNTED = (  # what the endpoint counts, in the order of the page
    ("taken", "taken"),
    ("again", "came before"),
    ("too_old", "too old"),
    ("nameless", "name no app"),
    ("no_room", "found no room"),
    ("dropped", "turned away, too many at once"),
    ("forged", "refused: not signed with the secret"),
    ("too_large", "refused: too large"),
    ("slow", "refused: too slow"),
    ("cut_off", "cut off"),
    ("unwatched", "about apps that nobody watches"),
)


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls in the last hour under one token; ``key`` is its digest."""

    key: str
    calls: int


def watch_document(
    watchers: Sequence[Watcher], waiting: Waiting, spent: Sequence[Spent], now: datetime
) -> dict[str, Any]:
    """``watchers``: who lives now; ``waiting``: hints that wait for one of them."""
    found = [_watcher(one) for one in watchers]
    late = waiting.apps > 0 and waiting.oldest > LATE
    behind = late or any(one["behind"] for one in found)
    return {
        "page": "watch",
        "at": stamp(now),
        "sentence": _sentence(found, waiting, late=late),
        "verdict": "unverified" if behind or not found else "green",
        "watches": found,
        "hints": {
            "waiting": waiting.apps,
            "oldest": round(waiting.oldest, 1),
            "oldest_told": span(waiting.oldest),
            "counted": [
                {"name": name, "told": told, "count": waiting.tally[name]}
                for name, told in _COUNTED
                if waiting.tally.get(name)
            ],
        },
        "budgets": [{"token": one.key[:12], "calls_last_hour": one.calls} for one in spent],
    }


def _sentence(found: Sequence[Mapping[str, Any]], waiting: Waiting, *, late: bool) -> str:
    if not found:
        left = f" {_count(waiting.apps, 'hint waits', 'hints wait')}." if waiting.apps else ""
        return f"Nobody watches now.{left}"
    apps = sum(one["apps"] for one in found)
    who = f"{_count(len(found), 'watch', 'watches')} over {_count(apps, 'app')}"
    behind = [one for one in found if one["behind"]]
    if behind:
        worst = max(behind, key=lambda one: one["oldest"])
        apps = sum(one["waiting"] for one in behind)
        wait = f"{_count(apps, 'app waits', 'apps wait')} to be looked at"
        return f"{who}: behind. {wait}, the first for {span(worst['oldest'])}."
    if late:
        return f"{who}: a hint has waited for {span(waiting.oldest)}, and nobody took it."
    return f"{who}: nothing waits."


def _watcher(one: Watcher) -> dict[str, Any]:
    numbers = ("apps", "unseen", "waiting", "oldest", "following", "round", "tokens",
               "per_minute", "not_seen", "looks", "calls")  # fmt: skip
    told = {name: _number(one.told, name) for name in numbers}
    return {
        "name": one.id,
        "token": one.key[:12],
        "every_app": one.every_app,
        "age": span(one.age),
        "behind": one.told.get("behind") is True,
        **told,
        "oldest_told": span(told["oldest"]),
        "round_told": span(told["round"]),
    }


def _number(told: Mapping[str, Any], name: str) -> float:
    value = told.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _count(number: float, one: str, many: str = "") -> str:
    return f"1 {one}" if number == 1 else f"{number:,.0f} {many or one + 's'}"
