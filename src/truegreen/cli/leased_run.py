"""The frame in which ``retry`` and ``rollback`` run: the lease, the ledger, the live view, and what
an interruption comes to. What they do is in ship/."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import again

if TYPE_CHECKING:
    from truegreen.ledger import Ledger
    from truegreen.ship.broadcast import Broadcast
    from truegreen.ship.target import Target
    from truegreen.state import Location


class Frame(NamedTuple):
    """What is handed to the work. ``ended`` is told the verdict, as soon as there is one."""

    ledger: Ledger
    watcher: Broadcast
    ended: Callable[[str], None]


@contextmanager
def leased_run(
    verb: str,
    target: Target,
    location: Location,
    env_name: str | None,
    *,
    quiet: bool,
    leased: bool = True,
) -> Iterator[Frame]:
    """Runs ``verb`` at ``target``, one at a time an app where ``leased``. Refused while another
    run has the app."""
    from truegreen.ledger import Ledger
    from truegreen.outputs.live import LiveView
    from truegreen.ship.broadcast import Broadcast
    from truegreen.ship.ended import interruption_after_the_end
    from truegreen.ship.lease import lease_of
    from truegreen.ship.leases import Leases
    from truegreen.ship.pipeline import lease_key
    from truegreen.ship.underway import UnderwayRuns

    with (
        interruption_after_the_end() as ended,
        sigterm_interrupts(),
        Ledger.open(location) as ledger,
        LiveView(quiet=quiet) as view,
    ):
        broadcast = Broadcast(
            view,
            lambda: UnderwayRuns.open(location),
            kind=verb,
            command=again("verify", env_name),
            head=ledger.head,
        )
        lease = lease_of(lambda: Leases.open(location), lease_key(target), verb)
        with broadcast.under(lease) if leased else nullcontext():
            yield Frame(ledger, broadcast, ended)
