"""The tools' answers about one service: each method asks what a verb asks, and gives values.

Knows nothing of the protocol. The folder and the platform are the server's, never the caller's: a
caller cannot have a token sent elsewhere.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from truegreen.config import Config, Environment, load_config
from truegreen.errors import Refused, UsageError
from truegreen.ledger import Ledger, Record
from truegreen.mcp import answers
from truegreen.model import stamp
from truegreen.state import Location, locate

PATIENCE = 15.0  # seconds in which one question to the platform is asked again
_LATER = 5  # later runs that an explanation names
_NOT_GREEN = ("red", "unverified")


@dataclass(frozen=True, slots=True)
class Service:
    """The service in ``root``. ``platform`` overrides the environment's; without
    ``allow_changes`` nothing is written, started or recorded anywhere."""

    root: Path
    platform: str | None = None
    allow_changes: bool = False
    _one: threading.Lock = field(default_factory=threading.Lock)  # one change at a time

    def status(self, environment: str | None, limit: int) -> answers.Status:
        """Raises what the platform and the configuration raise, as all methods do."""
        from truegreen.ship.releases import list_releases
        from truegreen.ship.target import find_target
        from truegreen.ship.turn import look_at_turn

        config, chosen = self._config(environment)
        target = find_target(config, chosen, self.platform, start=False)
        where = locate(config.root)
        turn = look_at_turn(where, target).as_json()
        with target.client(patience=PATIENCE) as client:
            found = [one.as_json() for one in list_releases(client, target.app, limit)]
        keys = answers.Release.__annotations__
        listed = [cast("answers.Release", {key: one[key] for key in keys}) for one in found]
        return {
            "app": target.app,
            "environment": chosen.name,
            "current": next((one for one in listed if one["current"]), None),
            "newest_failed": bool(listed) and listed[0]["status"] != "succeeded",
            "releases": listed,
            "shipping": turn["lease"],
            "last_verdict": self._last(where, target.app),
        }

    def verify(
        self, environment: str | None, commit: str | None, release: int | None
    ) -> answers.Verdict:
        """Asks again what is true. Recorded in the ledger only with ``allow_changes``."""
        from truegreen.outputs.document import verification_document
        from truegreen.ship.source import full_commit, read_source
        from truegreen.ship.verification import ask_target, question_for

        began = time.monotonic()
        config, chosen = self._config(environment)
        if commit is not None:
            commit = full_commit(self.root, commit)
        elif release is None:
            commit = read_source(self.root).commit
        question = question_for(config, chosen, commit=commit, version=release)
        verification = ask_target(question, config, chosen, self.platform)
        document = verification_document(
            verification.situation, timings={"total": round(time.monotonic() - began, 3)}
        )
        if self.allow_changes:
            with Ledger.open(locate(config.root)) as ledger:
                ledger.append(
                    "verify", app=question.app, commit=commit, verdict=document["verdict"],
                    body=document,
                )  # fmt: skip
        return told(document)

    def explain(self, record: int | None, app: str | None) -> answers.Explanation:
        """The newest recorded run that was not green (or record ``record``)."""
        where = locate(self._config(None)[0].root)
        if not Ledger.begun(where):
            raise UsageError("nothing is recorded here", hint="ask verify_release")
        with Ledger.open(where) as ledger:
            later: list[str] = []
            for one in ledger.records(app=app, newest_first=True):
                judged = one.verdict is not None and "checks" in one.body
                if judged and (one.id == record if record else one.verdict in _NOT_GREEN):
                    return {
                        "record": one.id,
                        "hash": one.hash,
                        "at": stamp(one.at),
                        "kind": one.kind,
                        "since_then": later[-_LATER:],
                        "said": told(one.body),
                    }
                if judged:
                    later.append(f"record {one.id}: {one.kind} {one.verdict}")
        wanted = f"no run is record {record}" if record else "no run that is recorded failed"
        raise UsageError(wanted, hint="release_status says what is recorded; else verify_release")

    def rehearse(self, environment: str | None) -> answers.Rehearsed:
        """The release command with production's config vars, on a platform of its own."""
        from truegreen.ship.progress import Nobody
        from truegreen.ship.rehearse import rehearse
        from truegreen.ship.source import read_source
        from truegreen.ship.target import find_target

        self._may("rehearse starts processes on this machine", "truegreen rehearse")
        config, chosen = self._config(environment)
        with self._one:
            source = read_source(self.root)
            target = find_target(config, chosen, self.platform, start=False)
            document = rehearse(config, source, target, Nobody()).document
        return {
            "verdict": document["verdict"],
            "sentence": document["sentence"],
            "app": chosen.app,
            "commit": source.commit,
            "document": document,
        }

    def draft(self, record: int | None, app: str | None, *, write: bool) -> answers.Draft:
        """The review of the last red run; ``write`` puts it into the folder of reviews."""
        from truegreen.incidents.document import write as as_text
        from truegreen.incidents.drafting import draft, incident_id
        from truegreen.incidents.drafting.after_red import write_draft
        from truegreen.incidents.drafting.episode import find_episode

        if write:
            self._may("writing a review changes the repository", "incident_draft with write=false")
        config, _ = self._config(None)
        with self._one:
            episode = find_episode(config, record=record, app=app, source=None, label=None)
            file: str | None = None
            kept: tuple[str, ...] = ()
            if write:
                drafted = write_draft(config, episode)
                text = drafted.path.read_text(encoding="utf-8")
                file, kept = str(drafted.path), drafted.kept
            else:
                text = as_text(draft(episode))
        return {
            "id": incident_id(episode),
            "record": episode.red.id,
            "markdown": text,
            "file": file,
            "kept": list(kept),
        }

    def lint(self, names: Sequence[str]) -> answers.Lint:
        """Judges the reviews called ``names``, all without."""
        from truegreen.incidents.folder import find_review, review_files
        from truegreen.incidents.lint import lint_service
        from truegreen.incidents.lint.finding import exit_code

        config, _ = self._config(None)
        files = [config.root / find_review(config, name).path for name in names]
        files = files or list(review_files(config))
        findings = lint_service(config, files, _today())
        return {
            "holds": exit_code(findings) == 0,
            "reviews": [path.stem for path in files],
            "findings": [one.as_json() for one in findings],
        }

    def actions_due(self, days: int) -> answers.Actions:
        """The follow-ups that are not closed, and due within ``days`` or with no day at all."""
        from truegreen.incidents.actions.checkout import Repository
        from truegreen.incidents.actions.standing import read_standings
        from truegreen.incidents.actions.trusted import find_base

        config, _ = self._config(None)
        repository = Repository.of(config.root)
        candidate = repository.commit("HEAD")
        if candidate is None:
            raise UsageError("there is no commit yet", hint="git add and git commit first")
        base = find_base(repository, config, None)
        where = locate(config.root)
        if Ledger.begun(where):
            with Ledger.open(where) as ledger:
                found = read_standings(repository, config, base, candidate, ledger)
        else:
            found = read_standings(repository, config, base, candidate, None)
        today = _today()
        until = (today + timedelta(days=days)).isoformat()
        listed = [
            one
            for one in (standing.as_json(today) for standing in found)
            if one["state"] != "closed" and (one["due"] is None or one["due"] <= until)
        ]
        listed.sort(key=lambda one: (one["due"] is None, one["due"], one["name"]))
        blocking = [
            one["name"]
            for one in listed
            if one["state"] in ("required", "reopened") or _overdue(one, config, today)
        ]
        return {"base": base.name, "note": base.note, "blocking": blocking, "actions": listed}

    def drill(self, names: Sequence[str]) -> answers.Drills:
        """Runs drills on a stage of their own; ``names`` must not be empty."""
        from truegreen.incidents.drills import Demand, choose, drills, exit_code, run_drills
        from truegreen.incidents.drills.service import find_service, needed
        from truegreen.incidents.drills.show import document

        config, _ = self._config(None)
        found = drills(config)
        if not names:
            raise UsageError("no drill is named", hint="one of " + ", ".join(found))
        chosen = choose(found, tuple(names))
        self._may("a drill starts a platform on this machine", "truegreen drill run NAME")
        origin = time.monotonic()
        with self._one:
            root = find_service(None) if needed(chosen) else None
            results = run_drills(Demand(chosen, ("hold", "deploy"), root), lambda _: None)
        outcome = {0: "detected", 1: "missed", 3: "not made"}[exit_code(results)]
        return {"outcome": outcome, "drills": document(results, origin)["drills"]}

    def _config(self, environment: str | None) -> tuple[Config, Environment]:
        from truegreen.ship.environments import choose_environment

        config = load_config(self.root)
        return config, choose_environment(config, environment)

    def _may(self, what: str, instead: str) -> None:
        if not self.allow_changes:
            raise Refused(
                f"{what}, and this server was started read-only",
                hint=f"{instead}; or ask a person to start truegreen mcp --allow-changes",
            )

    def _last(self, where: Location, app: str) -> answers.Recorded | None:
        if not Ledger.begun(where):
            return None
        with Ledger.open(where) as ledger:
            found = (one for one in ledger.records(app=app, newest_first=True) if one.verdict)
            last: Record | None = next(found, None)
        if last is None:
            return None
        return {
            "record": last.id,
            "hash": last.hash,
            "at": stamp(last.at),
            "kind": last.kind,
            "verdict": last.verdict,
            "sentence": str(last.body.get("sentence", "")),
        }


def told(document: Mapping[str, Any]) -> answers.Verdict:
    """The part of ship's and verify's document that an agent reasons with."""
    keys = answers.Check.__annotations__
    return {
        "verdict": document["verdict"],
        "sentence": document["sentence"],
        "app": document["app"],
        "commit": document.get("commit"),
        "release": _named(document.get("release")),
        "serving": _named(document.get("serving")),
        "checks": [
            cast("answers.Check", {key: one[key] for key in keys}) for one in document["checks"]
        ],
        "diagnosis": [_cause(one) for one in document["diagnosis"]],
        "recommendation": document.get("recommendation"),
    }


def _cause(one: Mapping[str, Any]) -> answers.Cause:
    return {
        "name": one["name"],
        "kind": one["kind"],
        "sentence": one["sentence"],
        "cites": list(one["cites"]),
        "next_step": one["next_step"],
        "quotes": list(one["quotes"]),
    }


def _named(release: Mapping[str, Any] | None) -> str | None:
    if not release or release.get("version") is None:
        return None
    return f"v{release['version']} ({release['status']})"


def _overdue(one: Mapping[str, Any], config: Config, today: date) -> bool:
    late = timedelta(days=config.incidents.grace_days)
    overdue = one["state"] == "overdue" and one["due"] is not None
    return overdue and date.fromisoformat(one["due"]) + late < today


def _today() -> date:
    return datetime.now(UTC).date()
