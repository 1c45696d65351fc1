"""Writes a draft beside the service: what ``incident draft --write`` does, and what a ship that
came out red does by itself, unless ``incidents.draft`` is off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from truegreen.config import Config
from truegreen.errors import TrueGreenError
from truegreen.incidents.document import write
from truegreen.incidents.document.read import read_review
from truegreen.incidents.drafting.draft import draft, incident_id, kept_regions
from truegreen.incidents.drafting.episode import Episode, evidence_file, read_episode
from truegreen.incidents.folder import reviews_folder, write_text
from truegreen.ledger import Ledger
from truegreen.state import Location


@dataclass(frozen=True, slots=True)
class Drafted:
    """``renewed``: the review was there, and what was ours in it was written again. ``kept``: the
    regions that a person has changed since, which stayed."""

    id: str
    path: Path
    evidence: Path
    renewed: bool
    kept: tuple[str, ...]


def write_draft(config: Config, episode: Episode) -> Drafted:
    """Writes the draft and its evidence into the service's folder of reviews.

    A review that is there already keeps every word of a person's. Raises ConfigError when it
    cannot be read, UsageError when it cannot be written.
    """
    name = incident_id(episode)
    path = reviews_folder(config) / f"{name}.md"
    evidence = path.parent / "evidence" / f"{name}.json"
    there = read_review(path) if path.exists() else None
    kept = kept_regions(episode, there) if there else ()
    text = write(draft(episode, evidence=f"evidence/{name}.json", there=there))
    write_text(evidence, evidence_file(episode))
    write_text(path, text)
    return Drafted(name, path, evidence, there is not None, kept)


def after_red(config: Config, where: Location | Path, app: str) -> str:
    """Drafts the incident of the newest red run of ``app``, and says in a sentence what came of it.

    Never raises for what goes wrong: the verdict is said already, and stands.
    """
    if not config.incidents.draft:
        return ""
    try:
        with Ledger.open(where) as ledger:
            drafted = write_draft(config, read_episode(ledger, app=app))
    except (TrueGreenError, OSError) as error:
        return f"no incident was drafted: {error}"
    verb = "renewed" if drafted.renewed else "drafted"
    return f"incident {verb}: {drafted.path}"
