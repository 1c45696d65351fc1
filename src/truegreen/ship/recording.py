"""Where a run's record comes from, for the formats: from the configuration and the CI around it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from truegreen.config import Config, Environment
from truegreen.errors import UsageError
from truegreen.ledger import Ledger
from truegreen.model import stamp
from truegreen.outputs.run_record import RunRecord
from truegreen.ship.source import read_source


def run_record(
    kind: str,
    document: Mapping[str, Any],
    config: Config,
    environment: Environment,
    ledger: Ledger,
    *,
    environ: Mapping[str, str],
    at: datetime | None = None,
) -> RunRecord:
    """The record of a run of the verb ``kind``, whose document is the last in ``ledger``."""
    server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
    run = environ.get("GITHUB_RUN_ID", "")
    known = bool(server and repository)
    return RunRecord(
        document=document,
        kind=kind,
        at=stamp(at or datetime.now(UTC)),
        service=config.name,
        environment=environment.name,
        source=f"{server}/{repository}" if known else f"/truegreen/{config.name}",
        run_url=f"{server}/{repository}/actions/runs/{run}" if known and run else "",
        config_digest=_digest(config),
        root=_prefix(config),
        recovered=document["verdict"] == "green" and _was_red(ledger, str(document["app"])),
    )


def _digest(config: Config) -> str:
    return hashlib.sha256(config.file.read_bytes()).hexdigest() if config.file else ""


def _prefix(config: Config) -> str:
    try:
        return read_source(config.root).prefix
    except UsageError:  # verify works outside of a repository too
        return ""


def _was_red(ledger: Ledger, app: str) -> bool:
    """Whether the verdict before the last one about ``app`` was red."""
    judged = (one for one in ledger.records(app=app, newest_first=True) if one.verdict)
    next(judged, None)
    before = next(judged, None)
    return before is not None and before.verdict == "red"
