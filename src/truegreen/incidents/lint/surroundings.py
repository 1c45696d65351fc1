"""What a review is held against: who may own actions, which reviews and files there are, what the
evidence says. Read once, before any rule; the rules read nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from truegreen.config import Config
from truegreen.errors import TrueGreenError
from truegreen.incidents.document import Document
from truegreen.incidents.document.prose import Prose, read_prose
from truegreen.incidents.drafting.episode import Recorded, of_record, read_evidence
from truegreen.incidents.drafting.refs import citable
from truegreen.incidents.folder import Review, inside, review_files, reviews_folder
from truegreen.incidents.record import RunRecord
from truegreen.ledger import Ledger
from truegreen.state import locate as locate_state

_RECORDS = 2000  # of the app, newest first: what a review cites is seldom older


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``reviews``: ids of all reviews. ``files``: which of the paths that the review names are
    there. ``citable``: what each digest stands for. ``broken``: evidence that cannot be relied on,
    with the reason. ``today`` in UTC."""

    today: date
    owners: tuple[str, ...] = ()
    reviews: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    citable: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    drills: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Linted:
    """A review with all that was read of it."""

    file: str
    document: Document
    prose: Prose
    around: Surroundings = field(repr=False)

    @classmethod
    def of(cls, file: str, document: Document, around: Surroundings) -> Linted:
        return cls(file, document, read_prose(document), around)


def surroundings(config: Config, review: Review, today: date) -> Surroundings:
    """What ``review`` is held against, as it is in the folder and the ledger, if there is one."""
    from truegreen.incidents.drills import names as drill_names

    incident = review.document.incident
    named = {*incident.runbooks, *incident.evidence, *filter(None, (incident.state,))}
    for action in incident.actions:
        named.update(action.proof.files if action.proof else ())
    found = {name for name in named if (path := locate(config, name)) and path.exists()}
    told, broken = _of_ledger(config, incident.app)
    for name in incident.evidence:
        path = locate(config, name)
        if path is not None and path.is_file():
            _of_file(path, name, told, broken)
    return Surroundings(
        today=today,
        owners=config.incidents.owners,
        reviews=frozenset(path.stem for path in review_files(config)),
        files=frozenset(found),
        citable=MappingProxyType(told),
        broken=MappingProxyType(broken),
        drills=drill_names(config),
    )


def locate(config: Config, name: str) -> Path | None:
    """The path that a review means by ``name``: beside the review, or below the service's root;
    None when it leads out of the service."""
    beside = inside(config, reviews_folder(config), name)
    if beside is not None and beside.exists():
        return beside
    return inside(config, config.root, name)


def _of_ledger(config: Config, app: str) -> tuple[dict[str, str], dict[str, str]]:
    where = locate_state(config.root)
    told: dict[str, str] = {}
    if not Ledger.begun(where):
        return told, {}
    try:
        with Ledger.open(where) as ledger:
            if not ledger.verify().holds:
                return {}, {"the ledger": "its chain is broken (truegreen ledger verify)"}
            newest = ledger.records(app=app or None, newest_first=True)
            for record in islice(newest, _RECORDS):
                if isinstance(record.body.get("checks"), list):
                    _add(told, of_record(record))
    except TrueGreenError as error:
        return {}, {"the ledger": str(error)}
    return told, {}


def _of_file(path: Path, name: str, told: dict[str, str], broken: dict[str, str]) -> None:
    try:
        for kept in read_evidence(path.read_text(encoding="utf-8")):
            if kept.holds is False:
                broken[name] = f"record {kept.id} was changed after it was written"
                return
            run = RunRecord.read(kept.body)
            _add(told, Recorded(kept.id, kept.kind, run.began, kept.hash, kept.body, run))
    except (OSError, ValueError, RecursionError, TrueGreenError) as error:
        broken[name] = f"cannot be read: {error}"


def _add(told: dict[str, str], recorded: Recorded) -> None:
    for ref in citable(recorded):
        told[ref.digest] = ref.what
