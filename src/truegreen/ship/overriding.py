"""Overrides of gates in the ledger: recorded when they are used, and found again for a release.

``verify`` looks here each time and seldom finds one: what only they need is imported then.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from truegreen.ledger import Ledger
from truegreen.model import stamp
from truegreen.state import locate

if TYPE_CHECKING:
    from truegreen.config import Config
    from truegreen.gates.override import Override, Weighed
    from truegreen.ledger import Record

RECORD = "override"  # the kind of its records


def actor(environ: Mapping[str, str] = os.environ) -> str:
    """Who gives an override: whoever started the workflow, else this machine's user. A name for
    the record, not a proof: who may override is for the branch's protection to say."""
    name = environ.get("GITHUB_ACTOR", "")
    if name and environ.get("GITHUB_ACTIONS") == "true":
        return f"{name} (GitHub Actions)"
    from truegreen.ship.holder import Holder

    return Holder.here().owner


def recorded(ledger: Ledger, app: str, commit: str | None) -> tuple[Override, ...]:
    """The overrides that were used for ``commit`` of ``app``, oldest first, ended ones too."""
    if not commit:
        return ()
    found = (
        _read(record) for record in ledger.records(kind=RECORD, app=app) if record.commit == commit
    )
    return tuple(one for one in found if one is not None)


def by_commit(ledger: Ledger, app: str) -> Mapping[str, list[dict[str, Any]]]:
    """Every override of ``app``, by the commit that went out with it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in ledger.records(kind=RECORD, app=app):
        override = _read(record)
        if override is not None:
            found.setdefault(override.commit, []).append(override.as_json())
    return found


def read_overrides(config: Config, app: str) -> Mapping[str, list[dict[str, Any]]]:
    """``by_commit`` of the service's ledger; nothing where there is none yet."""
    where = locate(config.root)
    if not Ledger.begun(where):
        return {}
    with Ledger.open(where) as ledger:
        return by_commit(ledger, app)


def record_used(ledger: Ledger, weighed: Weighed) -> None:
    """Appends what was used and is not recorded yet, with what the gate had said."""
    answers = {result.name: result for result in weighed.results}
    for override in weighed.used:
        if override in recorded(ledger, override.app, override.commit):
            continue
        answer = answers[override.gate]
        body = {
            **override.as_json(),
            "sentence": override.told,
            "answer": {"status": str(answer.status), "reason": answer.reason},
        }
        ledger.append(RECORD, app=override.app, commit=override.commit, verdict=None, body=body)


def for_the_dyno(used: Sequence[Override], config: Config) -> Mapping[str, str]:
    """The config var that lets the release command pass the freeze, when that gate was overridden
    and the release command asks (``freeze.lock``). It is of the commit alone, and ends by itself.
    """
    from truegreen.release.freeze import FILE_NAME, OVERRIDE

    freeze = next((one for one in used if one.gate == "freeze"), None)
    if freeze is None or not (config.root / FILE_NAME).is_file():
        return {}
    return {OVERRIDE: f"{freeze.commit} {stamp(freeze.until)}"}


def told(overrides: Sequence[Override]) -> list[dict[str, Any]]:
    """As they stand in a document."""
    return [one.as_json() for one in overrides]


def _read(record: Record) -> Override | None:
    from truegreen.gates.override import from_json

    return from_json(record.body)
