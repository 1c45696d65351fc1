"""The configuration for verbs that may have tokens and start other programs."""

from __future__ import annotations

from pathlib import Path

from truegreen.config import Config, load_config


def read_config(folder: Path) -> Config:
    """The service's configuration; from now on the tokens that it and our own variables name are in
    this process alone, so that git, suites and whatever else is started do not get them."""
    from truegreen.ship.environments import withhold_secrets

    config = load_config(folder)
    withhold_secrets(config)
    return config
