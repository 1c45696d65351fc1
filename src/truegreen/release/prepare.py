"""What the smoke phase gives its suite, for those who run the same suite in other ways (prove)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from truegreen.config import Config
from truegreen.errors import Unverified
from truegreen.hermetic.enclosure import SCRATCH_VARIABLE
from truegreen.hermetic.prove.suite import Prepared
from truegreen.release import pytest_config
from truegreen.release.scratch import at_head


def prepare(config: Config, sealed: Mapping[str, str], scratch: Path) -> Prepared:
    """pytest's options, and the sealed environment with a scratch database at the schema's head.

    ``scratch``: an empty folder of ours. Raises Unverified when the database cannot be made.
    """
    database = at_head(config, sealed, scratch)
    if isinstance(database, str):
        raise Unverified(database)
    more = {SCRATCH_VARIABLE: str(database)} if database is not None else {}
    options = pytest_config.options(config.root, config.smoke.paths, scratch)
    return Prepared(tuple(options), {**sealed, **more})
