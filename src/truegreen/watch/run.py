"""A watch from beginning to end: steps, says what changes, keeps it in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from truegreen.ledger import Ledger
from truegreen.model import stamp
from truegreen.model.drift import Change
from truegreen.secret import Secret
from truegreen.watch.budget import Budget
from truegreen.watch.fleet import Fleet, Platform
from truegreen.watch.hints import listening

_NAP = 1.0  # seconds, at most, between two looks at the clock
_BURST = 60.0  # calls that may be made at once after a quiet time


@dataclass(slots=True)
class Watched:
    """What a watch saw. ``changes``: each that began, with when, and whether it is gone."""

    apps: int = 0
    looks: int = 0
    calls: int = 0
    seconds: float = 0.0
    changes: list[dict[str, Any]] = field(default_factory=list)
    blind: dict[str, str] = field(default_factory=dict)

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
        }


def look_on(
    platform: Platform,
    names: Iterable[str] | None,
    *,
    ledger: Ledger,
    seconds: float | None,
    every: float,
    calls_per_hour: float,
    say: Callable[[str], None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    hints: tuple[int, Secret] | None = None,
) -> Watched:
    """Watches ``names`` (None: every app) for ``seconds`` (None: until Ctrl-C, which ends it well).

    Each change is said once when it begins and once when it is gone; both are in the ledger, under
    the kind ``watch``, without a verdict: a look is not a verification. ``hints``: the port and the
    secret of the webhooks that move an app to the front.
    """
    budget = Budget(calls_per_hour, burst=_BURST, clock=clock)
    fleet = Fleet(platform, budget, clock=clock, names=names, every=every)
    seen = Watched()
    began = clock()
    with ExitStack() as stack:
        if hints is not None:
            port = stack.enter_context(listening(*hints, fleet.hint))
            say(f"webhooks: http://127.0.0.1:{port}/")
        _steps(fleet, seen, ledger, seconds, say, clock, sleep)
    seen.apps, seen.blind, seen.calls = len(fleet.apps), dict(fleet.blind), budget.spent
    seen.seconds = clock() - began
    return seen


def _steps(
    fleet: Fleet,
    seen: Watched,
    ledger: Ledger,
    seconds: float | None,
    say: Callable[[str], None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    began = clock()
    try:
        while seconds is None or clock() - began < seconds:
            sight = fleet.step()
            if sight is None:
                left = _NAP if seconds is None else seconds - (clock() - began)
                sleep(max(0.001, min(fleet.idle(), _NAP, max(left, 0.001))))
                continue
            seen.looks += 1
            for change in sight.began:
                _note(seen, ledger, say, sight.app, change, gone=False)
            for change in sight.ended:
                _note(seen, ledger, say, sight.app, change, gone=True)
    except KeyboardInterrupt:
        say("stopped")


def _note(
    seen: Watched,
    ledger: Ledger,
    say: Callable[[str], None],
    app: str,
    change: Change,
    *,
    gone: bool,
) -> None:
    at = stamp(datetime.now(UTC))
    if gone:
        for told in seen.changes:
            if (told["app"], told["kind"], told["key"]) == (app, change.kind, change.key):
                told["gone_at"] = at
    else:
        seen.changes.append(
            {
                "app": app,
                "kind": change.kind,
                "key": change.key,
                "told": change.told,
                "at": at,
                "gone_at": None,
            }
        )
    say(f"{at}  {app}  {'gone: ' if gone else ''}{change.told}")
    body = {"change": change.kind, "key": change.key, "told": change.told, "gone": gone}
    ledger.append("watch", app=app, commit=None, verdict=None, body=body)
