"""The plugin's options, declared once however many ways it is loaded, and when it is to act.

Imported in every pytest session of an environment that has truegreen installed: imports nothing.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_DECLARED = "truegreen-options"
PLUGIN = "truegreen.hermetic.plugin"
SESSION = "truegreen-hermetic-session"


def declare(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Adds ``--truegreen-result`` and the ini option ``truegreen``, unless they are there."""
    if pluginmanager.hasplugin(_DECLARED):
        return
    pluginmanager.register(object(), _DECLARED)
    group = parser.getgroup("truegreen")
    group.addoption(
        "--truegreen-result", metavar="PATH", help="write totals, failures and leaks as JSON"
    )
    parser.addini(
        "truegreen", "seal this suite and record what it reads", type="bool", default=False
    )


@contextmanager
def as_written(pluginmanager: pytest.PytestPluginManager) -> Iterator[None]:
    """Imports in it are not pytest's, which rewrites the assertions of every module of a plugin's
    distribution. Ours have none, and its way to load them is most of what a short session pays."""
    hook = getattr(pluginmanager, "rewrite_hook", None)
    if hook not in sys.meta_path:
        yield
        return
    at = sys.meta_path.index(hook)
    del sys.meta_path[at]
    try:
        yield
    finally:
        sys.meta_path.insert(at, hook)
