"""A watch from beginning to end: steps, says what changes, keeps it in the ledger, says when it is
behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress

from truegreen.ledger import Ledger
from truegreen.secret import Secret
from truegreen.state import StateError
from truegreen.watch.budget import Budget, Terms
from truegreen.watch.fleet import Fleet, Platform
from truegreen.watch.hints import listening
from truegreen.watch.notes import Notes, Watched
from truegreen.watch.together import Together

THE_DATABASE = "(the database)"
_NAP = 1.0  # seconds, at most, between two looks at the clock


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
    together: Together | None = None,
) -> Watched:
    """Watches ``names`` (None: every app) for ``seconds`` (None: until Ctrl-C, which ends it well).

    Each change is said once when it begins and once when it is gone; both are in the ledger, under
    the kind ``watch``, without a verdict: a look is not a verification. ``hints``: the port and the
    secret of the webhooks that move an app to the front. ``together``: shares a budget, hints and
    apps with other watches; without, ``calls_per_hour`` are this watch's own.
    """
    terms = Terms.within(calls_per_hour)
    budget = together.budget if together else Budget(terms, clock=clock)
    fleet = Fleet(platform, budget, clock=clock, names=names, every=every)
    watch = _Watch(fleet, ledger, together, say, clock, sleep)
    with ExitStack() as stack:
        if hints is not None:
            port = stack.enter_context(listening(*hints, watch.hint))
            say(f"webhooks: http://127.0.0.1:{port}/")
        watch.run(seconds)
    return watch.seen


class _Watch:
    def __init__(
        self,
        fleet: Fleet,
        ledger: Ledger,
        together: Together | None,
        say: Callable[[str], None],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._fleet = fleet
        self._together = together
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._behind = False
        self._felt_at = float("-inf")
        self.seen = Watched()
        self._notes = Notes(self.seen, ledger, say)

    def hint(self, app: str) -> None:
        """From the webhooks' thread."""
        if self._together:
            self._together.hint(app, self._fleet)
        else:
            self._fleet.hint(app)

    def run(self, seconds: float | None) -> None:
        began = self._clock()
        try:
            while seconds is None or self._clock() - began < seconds:
                left = _NAP if seconds is None else seconds - (self._clock() - began)
                pause = self._turn()
                if pause is not None:
                    self._sleep(max(0.001, min(pause, _NAP, max(left, 0.001))))
        except KeyboardInterrupt:
            self._say("stopped")
        self._end()
        self.seen.seconds = self._clock() - began

    def _turn(self) -> float | None:
        """The next thing that is due; the seconds to wait when nothing is."""
        try:
            self._notes.keep()
            self._feel()
            if self._together:
                self._together.tick(self._fleet, self._told)
            sight = self._fleet.step()
            if sight is not None:
                self.seen.looks += 1
                self._notes.note(sight)
                self._notes.keep()
                if self._together:
                    self._together.looked(sight)
            pause = self._fleet.idle() if sight is None else None
        except StateError as error:
            # Without the budget nobody knows what the others spend: the platform is not asked.
            if THE_DATABASE not in self._fleet.blind:
                self._say(f"the database does not answer; nothing is looked at: {error.message}")
            self._fleet.blind[THE_DATABASE] = error.message
            return _NAP
        if self._fleet.blind.pop(THE_DATABASE, None) is not None:
            self._say("the database answers again")
        return pause

    def _feel(self) -> None:
        """Once a second: how far behind we are; said when that begins and when it is over."""
        if self._clock() - self._felt_at < _NAP:
            return
        self._felt_at = self._clock()
        pressure = self.seen.pressure = self._fleet.pressure()
        self.seen.most_behind = max(self.seen.most_behind, pressure.oldest)
        if pressure.behind != self._behind:
            self._say(pressure.told if pressure.behind else "caught up: nothing waits for long")
            self._behind = pressure.behind

    def _told(self) -> dict[str, object]:
        return {
            **self.seen.pressure.as_json(),
            "looks": self.seen.looks,
            "calls": self._fleet.calls,
        }

    def _end(self) -> None:
        with suppress(StateError):
            self.seen.pressure = self._fleet.pressure()
            self._notes.keep()
            if self._together:
                self._together.leave()
        if self._notes.unkept:
            self._say(f"{self._notes.unkept} changes are not in the ledger")
        if self._together:
            self.seen.watches, self.seen.hints = self._together.watches, self._together.hints
        unseen = dict.fromkeys(self._fleet.never_seen, "its turn did not come")
        self.seen.apps, self.seen.blind = len(self._fleet.apps), unseen | self._fleet.blind
        self.seen.calls = self._fleet.calls
