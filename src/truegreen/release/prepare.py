"""What the smoke phase gives its suite, for those who run the same suite in other ways (prove)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from truegreen.config import Config
from truegreen.errors import Unverified
from truegreen.hermetic.prove.suite import Prepared
from truegreen.release import pytest_config
from truegreen.release.scratch import NoDatabase, database_of


@contextmanager
def prepare(config: Config, sealed: Mapping[str, str], scratch: Path) -> Iterator[Prepared]:
    """pytest's options, and the sealed environment with a scratch database at the schema's head.

    ``scratch``: an empty folder of ours. Raises Unverified when the database cannot be made.
    """
    options = pytest_config.options(config.root, config.smoke.paths, scratch)
    try:
        with database_of(config, sealed, scratch) as database:
            yield Prepared(tuple(options), {**sealed, **database})
    except NoDatabase as problem:
        raise Unverified(str(problem)) from problem
