"""An episode: a red run with what the ledger holds of the same app around it, from the last green
run before to the first one after. And the evidence file that goes with a review."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from truegreen.config import Config
from truegreen.errors import UsageError
from truegreen.incidents.record import RunRecord, moment
from truegreen.ledger import Ledger, Record, chain_hash
from truegreen.ledger.record import canonical
from truegreen.model import stamp
from truegreen.state import locate

FORMAT = "truegreen-evidence/1"
MOST_AFTER = 50  # runs after the red one that are looked at


@dataclass(frozen=True, slots=True)
class Recorded:
    """One record. ``id`` and ``hash`` are None and "" for a document that is in no ledger."""

    id: int | None
    kind: str
    at: datetime | None
    hash: str
    body: Mapping[str, Any]
    run: RunRecord
    kept: Mapping[str, Any] = field(default_factory=dict)  # the record as the ledger exports it

    @property
    def name(self) -> str:
        return f"record {self.id}" if self.id is not None else "the document given"


@dataclass(frozen=True, slots=True)
class Episode:
    """``chain_holds`` is None when the document came from no ledger."""

    red: Recorded
    before: Recorded | None = None
    after: tuple[Recorded, ...] = ()
    chain_holds: bool | None = None

    @property
    def recovery(self) -> Recorded | None:
        """The first green run after the red one, if the record has one."""
        return next((one for one in self.after if one.run.verdict == "green"), None)

    @property
    def records(self) -> tuple[Recorded, ...]:
        return (*((self.before,) if self.before else ()), self.red, *self.after)


def read_episode(ledger: Ledger, *, record: int | None = None, app: str | None = None) -> Episode:
    """The episode of the newest red run, or of record number ``record``.

    A run that is red again belongs to the episode of the first red run since the last green one.
    UsageError when there is none.
    """
    newest = _red(ledger, record, app)
    earlier: Recorded | None = None
    first = newest
    before: list[Record] = []
    for one in ledger.records(app=newest.app, newest_first=True):
        if one.id >= newest.id:
            continue
        if one.verdict == "green":
            before.append(one)
            break
        if one.verdict == "red" and record is None:
            first = one
    if before:
        earlier = of_record(before[0])
    later: list[Record] = []
    for one in ledger.records(app=newest.app, newest_first=True):
        if one.id <= first.id:
            break
        later.append(one)
    after: list[Recorded] = []
    for one in reversed(later):
        if _is_run(one) and len(after) < MOST_AFTER:
            after.append(of_record(one))
            if one.verdict == "green":
                break
    return Episode(of_record(first), earlier, tuple(after), ledger.verify().holds)


def of_document(body: Mapping[str, Any]) -> Episode:
    """The episode of one document of ship or verify that stands in no ledger."""
    run = RunRecord.read(body)
    return Episode(Recorded(None, "document", run.began, "", body, run))


def of_record(record: Record) -> Recorded:
    run = RunRecord.read(record.body)
    return Recorded(
        record.id, record.kind, record.at, record.hash, record.body, run, record.as_json()
    )


def _red(ledger: Ledger, number: int | None, app: str | None) -> Record:
    for one in ledger.records(app=app, newest_first=True):
        if number is None and one.verdict == "red" and _is_run(one):
            return one
        if one.id == number:
            if one.verdict != "red":
                raise UsageError(f"record {number} is {one.verdict or one.kind}, not a red run")
            return one
    wanted = f"record {number}" if number is not None else "red run"
    raise UsageError(f"nothing to draft: the ledger holds no {wanted}")


def _is_run(record: Record) -> bool:
    return isinstance(record.body.get("checks"), list) and record.verdict is not None


def evidence_file(episode: Episode) -> str:
    """The records of the episode as JSON, to be kept beside the review: whoever has both can check
    what is cited, without the ledger."""
    told = [
        one.kept or {"id": None, "kind": one.kind, "hash": "", "body": one.body}
        for one in episode.records
    ]
    document = {"format": FORMAT, "records": told}
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@dataclass(frozen=True, slots=True)
class Kept:
    """A record of an evidence file. ``holds``: its hash is right (None: it was in no ledger)."""

    id: int | None
    kind: str
    hash: str
    body: Mapping[str, Any]
    holds: bool | None


def read_evidence(text: str) -> tuple[Kept, ...]:
    """The records of an evidence file. ValueError when it is none."""
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    found: list[Kept] = []
    for one in document.get("records", ()):
        if not isinstance(one, dict) or not isinstance(one.get("body"), dict):
            raise ValueError("a record has no body")
        digest = str(one.get("hash") or "")
        holds = None
        if digest:
            at = moment(one.get("at"))
            again = chain_hash(
                str(one.get("previous")), stamp(at) if at else "", str(one.get("kind")),
                str(one.get("app")), one.get("commit"), one.get("verdict"), canonical(one["body"]),
            )  # fmt: skip
            holds = again == digest
        number = one.get("id")
        known = number if isinstance(number, int) else None
        found.append(Kept(known, str(one.get("kind") or ""), digest, one["body"], holds))
    return tuple(found)


def find_episode(
    config: Config, *, record: int | None, app: str | None, source: Path | None, label: str | None
) -> Episode:
    """The episode that was asked for: from the file ``source``, else from the service's ledger.

    UsageError when there is none, or the file is no document of ship, verify or drill run.
    """
    if source is not None:
        return of_document(_document(source, label))
    where = locate(config.root)
    if not Ledger.begun(where):
        raise UsageError(f"nothing to draft: there is no ledger in {where}", hint="ship first")
    with Ledger.open(where) as ledger:
        return read_episode(ledger, record=record, app=app)


def _document(path: Path, label: str | None) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no JSON document: {error}") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no document of ship, verify or drill run")
    if "drills" not in document:
        return document
    runs = [
        run
        for drill in document["drills"]
        for run in drill.get("runs", ())
        if isinstance(run.get("truegreen"), dict)
    ]
    red = [run for run in runs if run["truegreen"].get("verdict") == "red"]
    for run in red if label is None else runs:
        if label in (None, run.get("label")):
            found: Mapping[str, Any] = run["truegreen"]
            return found
    labels = ", ".join(str(run.get("label")) for run in runs) or "none"
    raise UsageError(f"{path} has no such red run", hint=f"its runs: {labels}")
