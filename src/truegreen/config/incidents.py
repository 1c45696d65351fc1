"""Reads the table ``[incidents]``. Raises ConfigError, and nothing else."""

from __future__ import annotations

import re

from truegreen.config.model import Incidents
from truegreen.config.table import Table

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}\Z")


def parse_incidents(table: Table) -> Incidents:
    """Where reviews are kept, and the policy of the gate ``actions``."""
    base = Incidents()
    result = Incidents(
        path=table.text("path", base.path),
        draft=table.flag("draft", base.draft),
        base=table.text("base", base.base),
        owners=table.texts("owners"),
        grace_days=table.whole("grace_days", base.grace_days, least=0),
        waiver_days=table.whole("waiver_days", base.waiver_days),
        issues=table.text("issues"),
    )
    if not result.path or result.path.startswith("/") or ".." in result.path.split("/"):
        raise table.error("path", f"{result.path!r} leads out of the service", fix="docs/incidents")
    if result.base.startswith("-") or not result.base:
        raise table.error("base", f"{result.base!r} is no revision", fix="origin/main")
    if result.issues and not _REPOSITORY.match(result.issues):
        raise table.error("issues", f"{result.issues!r} is no repository", fix="OWNER/REPOSITORY")
    table.done()
    return result
