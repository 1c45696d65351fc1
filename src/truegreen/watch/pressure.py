"""Back-pressure: how far a watch is behind, as values and in words. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LATE = 5.0  # seconds that an app may wait to be looked at before a watch says that it is behind


@dataclass(frozen=True, slots=True)
class Pressure:
    """One moment of a watch. Times in seconds.

    ``apps``: those that are this watch's to look at; ``unseen``: of them, not looked at yet;
    ``waiting``: to be looked at before the round, since a hint or the list named them or their
    release is pending; ``oldest``: how long the first of them has waited; ``following``: apps with
    a pending release; ``round``: since the oldest look (of those that were looked at); ``tokens``:
    calls that could be made now; ``per_minute``: calls that come; ``not_seen``: apps that gave no
    answer.
    """

    apps: int = 0
    unseen: int = 0
    waiting: int = 0
    oldest: float = 0.0
    following: int = 0
    round: float = 0.0
    tokens: float = 0.0
    per_minute: float = 0.0
    not_seen: int = 0

    @property
    def behind(self) -> bool:
        return self.oldest > LATE

    @property
    def told(self) -> str:
        if not self.behind:
            return "nothing waits" if not self.waiting else _apps(self.waiting) + " next"
        wait = "waits" if self.waiting == 1 else "wait"
        return (
            f"behind: {_apps(self.waiting)} {wait} to be looked at, the first for"
            f" {self.oldest:.0f} s; {max(0.0, self.tokens):.0f} API calls are left, and"
            f" {self.per_minute:.0f} come a minute"
        )

    def as_json(self) -> dict[str, Any]:
        rounded = {
            name: round(value, 1) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }
        return {**rounded, "behind": self.behind}


def _apps(count: int) -> str:
    return "1 app" if count == 1 else f"{count:,} apps"
