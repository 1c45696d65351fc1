"""Whether a verdict is news, and what is done then. What was told last stands in the ledger."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from truegreen.config import Config
from truegreen.errors import TrueGreenError
from truegreen.ledger import Ledger
from truegreen.notify.deliver import REAL, Means, deliver, places
from truegreen.notify.message import message
from truegreen.notify.outbox import Letter, Outbox
from truegreen.outputs.run_record import RunRecord
from truegreen.state import Location, locate

KIND = "notify"  # of the ledger's records


def told_last(ledger: Ledger, app: str, environment: str) -> str | None:
    """The verdict that was told last about ``app`` in ``environment``."""
    for one in ledger.records(kind=KIND, app=app, newest_first=True):
        if one.body.get("environment") == environment:
            return str(one.body["verdict"])
    return None


def tell_change(
    record: RunRecord,
    config: Config,
    ledger: Ledger,
    means: Means = REAL,
    *,
    recorded: bool = True,
) -> list[str]:
    """Tells everybody of ``[notify]`` when the verdict of ``record`` is another than the one that
    was told last; gives a sentence for each that could not be told. Of a run that is not
    ``recorded`` nobody knows whether its verdict is news: one that is not green is told.

    Never raises, whatever goes wrong, and ends within ``notify.timeout`` seconds: the verdict is
    said already, and stands. What was not delivered is in the outbox.
    """
    try:
        if recorded:
            return _tell_change(record, config, ledger, means)
        return _tell_unrecorded(record, config, means)
    except KeyboardInterrupt:
        return ["not everybody was told: interrupted; truegreen notify retry tells them"]
    except TrueGreenError as error:
        return [f"nobody was told: {error.message}"]
    except Exception as error:  # noqa: BLE001 - a notification never changes a verdict
        return [f"nobody was told: {type(error).__name__}: {error}"]


def _tell_change(record: RunRecord, config: Config, ledger: Ledger, means: Means) -> list[str]:
    names = places(config.notify)
    if not names:
        return []
    where = locate(config.root)
    outbox = Outbox.of(where)
    with _alone(where):
        before = told_last(ledger, record.app, record.environment)
        if before == record.verdict:
            return []
        told = message(record, before)
        letters = [Letter(name, told, "was not sent yet") for name in names]
        for one in letters:  # before the note: a kill in between tells twice, never not at all
            outbox.keep(one)
        ledger.append(
            KIND,
            app=record.app,
            commit=record.commit or None,
            verdict=None,
            body={
                "environment": record.environment,
                "verdict": record.verdict,
                "before": before,
                "id": told["id"],
                "places": list(names),
            },
        )
    return _undelivered(deliver(letters, config.notify, outbox, means))


def _tell_unrecorded(record: RunRecord, config: Config, means: Means) -> list[str]:
    """Without a memory: rather twice than never, but green is what is expected."""
    names = places(config.notify)
    if record.verdict == "green" or not names:
        return ["nobody was told: whether green is news, only the record knows"] if names else []
    told = message(record, None)
    letters = [Letter(name, told, "was not sent yet") for name in names]
    outbox = Outbox.of(locate(config.root))
    for one in letters:
        with suppress(OSError, TrueGreenError):  # it may be what could not be written to either
            outbox.keep(one)
    return _undelivered(deliver(letters, config.notify, outbox, means))


def _undelivered(letters: Iterable[Letter]) -> list[str]:
    return [
        f"{one.place} was not told: {one.why}; truegreen notify retry tells it"
        for one in letters
        if one.why
    ]


@contextmanager
def _alone(where: Location) -> Iterator[None]:
    """One decision at a time on this machine, so that two runs do not both tell one change."""
    where.make_folder()
    handle = os.open(where.folder / "notify.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
