"""The pytest plugin: seals the session, records what leaks, says so, writes the result.

    pytest -p truegreen.hermetic.plugin [--truegreen-result=PATH]

Settings are the ``[smoke]`` of the configuration in the current folder. Given with ``-p`` it acts
before any conftest, other plugin or module of the application is imported. Here is only how it
begins; ``session`` has the hooks.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from truegreen.hermetic.options import SESSION, as_written, declare

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    declare(parser, pluginmanager)
    if pluginmanager.hasplugin(SESSION):
        return
    with as_written(pluginmanager):
        from truegreen.hermetic.session import HermeticSession

    # This hook is called the moment the plugin is known: the earliest there is.
    session = HermeticSession(Path.cwd())
    try:
        session.begin()
    except OSError as problem:
        import pytest

        raise pytest.UsageError(f"truegreen: the scratch database: {problem}") from problem
    pluginmanager.register(session, SESSION)
