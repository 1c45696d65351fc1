"""What pytest loads by itself where truegreen is installed (entry point ``pytest11: truegreen``).

Does nothing unless the suite asks for it: ``truegreen = true`` in pytest's configuration,
``-p truegreen``, or ``-m smoke`` (the marker of sealed suites). Then the plugin starts before
any conftest is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from truegreen.hermetic.options import PLUGIN, SESSION, as_written, declare

if TYPE_CHECKING:
    from types import ModuleType

MARKER = "smoke"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    declare(parser, pluginmanager)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    manager = early_config.pluginmanager
    if manager.hasplugin(SESSION) or not _asked(early_config):
        return
    with as_written(manager):
        plugin: ModuleType = import_module(PLUGIN)
    manager.register(plugin, PLUGIN)


def _asked(config: pytest.Config) -> bool:
    named = getattr(config.known_args_namespace, "plugins", None) or ()
    return (
        "truegreen" in named
        or getattr(config.known_args_namespace, "markexpr", "") == MARKER
        or bool(config.getini("truegreen"))
    )
