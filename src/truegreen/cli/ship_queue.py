"""``truegreen ship --enqueue``, ``--follow``, ``--withdraw``: options, and what is printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import filled
from truegreen.cli.telling import Telling, tell_end
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.config import Config, Environment
    from truegreen.ship.source import Source
    from truegreen.state import Location
    from truegreen.workers.order import Options, Order

_F = TypeVar("_F", bound=Callable[..., Any])


def queue_options(function: _F) -> _F:
    """What makes a job, follows one, or takes one back."""
    options = (
        click.option(
            "--enqueue", "queued", is_flag=True,
            help="Have a worker ship it (truegreen board --worker), and follow.",
        ),
        click.option(
            "--no-follow", is_flag=True, help="With --enqueue: print the job, and leave it."
        ),
        click.option(
            "--follow", "number", metavar="JOB", type=click.IntRange(1, 2**63 - 1),
            help="Follow a job that was enqueued before.",
        ),
        click.option(
            "--withdraw", "withdrawn", metavar="JOB", type=click.IntRange(1, 2**63 - 1),
            help="Take a job that waits out of the queue; takes --reason.",
        ),
        click.option(
            "--stop", is_flag=True, help="With --withdraw: also one that a worker carries out."
        ),
        click.option(
            "--repository", callback=filled, metavar="URL",
            help="With --enqueue: where workers fetch the commit; default: git's remote origin.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def check_together(
    queued: bool,
    no_follow: bool,
    number: int | None,
    repository: str | None,
    withdrawn: int | None = None,
    stop: bool = False,
) -> None:
    """Raises UsageError for options that do not go together."""
    if stop and withdrawn is None:
        raise UsageError(
            "--stop belongs to --withdraw", hint='truegreen ship --withdraw JOB --stop --reason "…"'
        )
    if withdrawn is not None and (queued or no_follow or number is not None):
        raise UsageError(
            "--withdraw ends a job; --enqueue makes one, and --follow goes on with one",
            hint="one of them",
        )
    if number is not None and (queued or no_follow):
        raise UsageError("--follow goes on with a job; --enqueue makes one", hint="one of them")
    if not queued and (no_follow or repository is not None):
        name = "--no-follow" if no_follow else "--repository"
        raise UsageError(f"{name} belongs to --enqueue", hint="add --enqueue, or leave it out")


def order_of(
    options: Options, environment: Environment, source: Source, repository: str | None
) -> Order:
    """What is written down. Raises UsageError for what no worker can do."""
    from truegreen.ship.overriding import actor
    from truegreen.workers.making import make_order

    return make_order(options, environment, source, repository, asked_by=actor())


def enqueue(order: Order, location: Location, telling: Telling, *, follow: bool) -> int:
    """Writes the order down, says so, and returns the job's number."""
    from truegreen.outputs.json_document import print_document
    from truegreen.workers.queue import Queue

    with Queue.open(location) as queue:
        number = queue.enqueue(order)
        standing = queue.standing(number)
    if not telling.quiet:
        click.echo(f"job {number} is enqueued: {order.app}, {order.commit[:8]}", err=True)
    if not follow and telling.as_json and standing is not None:
        print_document(standing.job.as_json())
    elif not follow and not telling.quiet:
        click.echo(f"truegreen ship --follow {number} says what becomes of it", err=True)
    return number


def follow_job(
    number: int,
    config: Config,
    environment: Environment,
    location: Location,
    telling: Telling,
    patience: float | None,
) -> int:
    """Follows the job to its end, and ends as a ship from here would."""
    from truegreen.outputs.live import LiveView
    from truegreen.workers.carrying import wave_lines
    from truegreen.workers.follow import Followed, follow
    from truegreen.workers.queue import Queue

    def say(text: str) -> None:
        if not telling.quiet:
            click.echo(text, err=True)

    with sigterm_interrupts(), LiveView(quiet=telling.quiet) as view:
        followed: Followed = follow(
            lambda: Queue.open(location), number, environment.app, location,
            tell=say, watcher=view, patience=patience,
        )  # fmt: skip
    for line in () if telling.quiet else wave_lines(followed.document["wave"]):
        click.echo(line, err=True)
    tell_end("ship", followed.document, config, environment, location, telling)
    return followed.exit_code


def withdraw_job(
    number: int,
    reason: str,
    environment: Environment,
    location: Location,
    telling: Telling,
    *,
    stop: bool,
) -> int:
    """Takes a job back, with ``stop`` also one that is carried out, and says so."""
    from truegreen.outputs.json_document import print_document
    from truegreen.ship.overriding import actor
    from truegreen.workers.queue import Queue
    from truegreen.workers.withdrawal import check, one_line

    why = one_line(reason)
    with Queue.open(location) as queue:
        found = queue.withdraw(number, environment.app, actor(), why, stop=stop)
    gone = check(found, number, environment.app)
    if telling.as_json:
        print_document(gone.job.as_json())
    if not telling.quiet:
        click.echo(gone.told, err=True)
    return 0
