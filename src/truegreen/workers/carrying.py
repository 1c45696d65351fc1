"""A ship as it is ordered: gates, engine, lease and ledger put together, here and now.

``truegreen ship`` calls it in its own process, a worker in one for each job. What is ordered comes
as Options; who watches, and where the state lives, is the caller's.
"""

from __future__ import annotations

# Before there are threads: this package and its parts import each other, and two threads that begin
# with different ones stop with a _DeadlockError (CPython 3.11).
import importlib.resources  # noqa: F401
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from truegreen.gates.run import asked_by_ship
from truegreen.incidents.every_gate import GATES
from truegreen.ship.asking import question_of
from truegreen.ship.background import EngineInBackground
from truegreen.ship.ended import interruption_after_the_end
from truegreen.ship.environments import choose_environment
from truegreen.ship.gating import Asked, ask_gates
from truegreen.workers.order import Options

if TYPE_CHECKING:
    from truegreen.config import Config
    from truegreen.ship.pipeline import Shipped
    from truegreen.ship.progress import Watcher
    from truegreen.ship.source import Source
    from truegreen.state import Location


def carry_out(
    options: Options,
    config: Config,
    source: Source,
    env_name: str | None,
    location: Location,
    *,
    watch: Callable[[], AbstractContextManager[Watcher]],
    command: str,
    tell_wave: Callable[[Iterable[str]], None] = lambda _: None,
) -> Shipped:
    """Ships ``source`` to the environment called ``env_name`` (None: the default one).

    ``watch`` gives the watcher when the rest is imported; others can follow as well (the board).
    ``command`` goes on with it, for people; ``tell_wave`` hears what goes out, in lines. Raises
    what ``ship.pipeline.ship`` raises, UsageError for an unknown environment, and Interrupted for a
    Ctrl-C between the run's end and the return.
    """
    environment = choose_environment(config, env_name)
    platform = options.platform
    question = question_of(config, environment, platform=platform, commit=source.commit, start=True)
    names = gates_of(config)
    # The gates are asked, and the engine is started, while the rest is imported: one of the gates
    # waits for another process, and the engine's import is what takes longest.
    with (
        interruption_after_the_end() as ended,
        ThreadPoolExecutor(max_workers=1) as pool,
        EngineInBackground(location) as engine,
    ):
        asked = (
            pool.submit(ask_gates, names, question, GATES, options.overrides)
            if options.gates
            else None
        )

        def answers() -> Asked:
            assert asked is not None
            told = asked.result()
            tell_wave(wave_lines(told.wave.as_json()))
            return told

        with _interruption_held():
            from truegreen.ledger import Ledger
            from truegreen.ship.broadcast import Broadcast
            from truegreen.ship.lease import lease_of
            from truegreen.ship.leases import Leases
            from truegreen.ship.pipeline import Guards, ship
            from truegreen.ship.target import find_target
            from truegreen.ship.underway import UnderwayRuns

            watching = watch()
        with Ledger.open(location) as ledger, watching as watcher:
            broadcast = Broadcast(
                watcher,
                lambda: UnderwayRuns.open(location),
                kind="ship",
                commit=source.commit,
                command=command,
                head=ledger.head,
            )
            shipped = ship(
                config,
                source,
                lambda: find_target(config, environment, platform, start=True),
                broadcast,
                ledger=ledger,
                guards=Guards(
                    gates=answers if asked else None,
                    engine=engine.get,
                    lease=lambda app, tell: broadcast.under(
                        lease_of(
                            lambda: Leases.open(location),
                            app,
                            source.commit,
                            wait=options.wait,
                            tell=tell,
                        )
                    ),
                    allow_rewind=options.allow_rewind,
                ),
            )
            ended(str(shipped.verdict))
            return shipped


@contextmanager
def _interruption_held() -> Iterator[None]:
    """While other threads import as well, an interruption waits until ours is done.

    CPython 3.11 may raise it in the middle of importlib's own bookkeeping; the import lock is then
    never given back, and the other threads, which the end waits for, wait for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: held.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held:
        signal.raise_signal(held[0])


def gates_of(config: Config) -> tuple[str, ...]:
    """The gates that a ship of this service asks."""
    return tuple(asked_by_ship(config, GATES))


def wave_lines(wave: Mapping[str, Any] | None) -> list[str]:
    """What goes out, in lines; none for a run without a wave."""
    from truegreen.outputs.wave_text import lines

    return lines(wave) if wave else []
