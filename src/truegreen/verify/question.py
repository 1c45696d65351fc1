"""What a verification is asked: about which app, commit and release, and through which doors."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from truegreen.config import Flags, Health
from truegreen.config.observing import Ci, Live, Stability
from truegreen.model import required_checks
from truegreen.secret import Secret


class Question(NamedTuple):
    """``commit``/``version`` None: whatever the current release carries is asked about itself.

    ``edge`` and ``origin`` are base URLs; empty means: the ones that the platform names.
    ``health_token`` opens the health endpoint's detail view; None: the app's config var is used.
    ``settle`` is for how long (seconds) code.served may be answered by other code before it
    counts: old dynos take a while to leave. ``report_text`` is the release command's output when
    it was captured while it ran. ``configured``: somebody wrote down what the service is; without,
    no flag is declared and no health path named, and nothing is held against it for that.
    """

    app: str
    commit: str | None = None
    version: int | None = None
    after: int | None = None  # the first release with code since this version is meant
    edge: str = ""
    origin: str = ""
    health: Health = Health()
    health_token: Secret | None = None
    flags: Flags = Flags()
    required_vars: tuple[str, ...] = ()
    required: tuple[str, ...] = required_checks()
    settle: float = 0.0
    report_text: str | None = None
    ci: Ci = Ci()
    own_run: int | None = None  # the GitHub Actions run that asks
    live: Live = Live()
    root: Path | None = None  # where the live suite is run
    schema_dyno: str = ""  # alembic.ini in the slug; empty: no dyno is asked for the schema
    stability: Stability = Stability()
    configured: bool = True
