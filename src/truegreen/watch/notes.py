"""What a watch saw: said at once, and kept in the ledger, if need be later."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from truegreen.ledger import Ledger
from truegreen.model import stamp
from truegreen.model.drift import Change
from truegreen.watch.app_watch import Sight
from truegreen.watch.pressure import Pressure

_UNKEPT = 10_000  # changes that wait for a database that is away


@dataclass(slots=True)
class Watched:
    """What a watch saw. ``changes``: each that began, with when, and whether it is gone.
    ``most_behind``: seconds that an app has waited to be looked at, at most."""

    apps: int = 0
    looks: int = 0
    calls: int = 0
    seconds: float = 0.0
    changes: list[dict[str, Any]] = field(default_factory=list)
    blind: dict[str, str] = field(default_factory=dict)
    pressure: Pressure = field(default_factory=Pressure)
    most_behind: float = 0.0
    watches: int = 1
    hints: int = 0

    @property
    def exit_code(self) -> int:
        """1 when anything changed, 3 when an app could not be looked at, 0 otherwise."""
        if self.changes:
            return 1
        return 3 if self.blind or not self.looks else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "apps": self.apps,
            "looks": self.looks,
            "calls": self.calls,
            "seconds": round(self.seconds, 1),
            "changes": self.changes,
            "not_seen": [{"app": app, "why": why} for app, why in sorted(self.blind.items())],
            "pressure": {
                **self.pressure.as_json(),
                "most_behind": round(self.most_behind, 1),
                "watches": self.watches,
                "hints": self.hints,
            },
        }


class Notes:
    """Each change is said once when it begins and once when it is gone, and both are kept."""

    def __init__(self, seen: Watched, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._seen = seen
        self._ledger = ledger
        self._say = say
        self._unkept: deque[tuple[str, datetime, dict[str, Any]]] = deque(maxlen=_UNKEPT)

    @property
    def unkept(self) -> int:
        """Changes that are not in the ledger yet."""
        return len(self._unkept)

    def note(self, sight: Sight) -> None:
        """Says what a look told. ``keep`` writes it down."""
        for change in sight.began:
            self._note(sight.app, change, gone=False)
        for change in sight.ended:
            self._note(sight.app, change, gone=True)

    def keep(self) -> None:
        """Writes what is not written yet. Raises StateError; what is left then waits."""
        while self._unkept:
            app, at, body = self._unkept[0]
            self._ledger.append("watch", app=app, commit=None, verdict=None, body=body, at=at)
            self._unkept.popleft()

    def _note(self, app: str, change: Change, *, gone: bool) -> None:
        moment = datetime.now(UTC)
        at = stamp(moment)
        if gone:
            for told in self._seen.changes:
                if (told["app"], told["kind"], told["key"]) == (app, change.kind, change.key):
                    told["gone_at"] = at
        else:
            self._seen.changes.append(
                {
                    "app": app,
                    "kind": change.kind,
                    "key": change.key,
                    "told": change.told,
                    "at": at,
                    "gone_at": None,
                }
            )
        self._say(f"{at}  {app}  {'gone: ' if gone else ''}{change.told}")
        body = {"change": change.kind, "key": change.key, "told": change.told, "gone": gone}
        self._unkept.append((app, moment, body))
