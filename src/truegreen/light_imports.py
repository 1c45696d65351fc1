"""Imports a library without its own command line, and what that brings: rich, typer and the like.

    with without("cel.cli", ModuleType("cel.cli")):
        import cel

Whoever imported it before keeps it as it was; what is left out can still be imported afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType


@contextmanager
def without(part: str, instead: ModuleType | None = None) -> Iterator[None]:
    """While this lasts, importing the module ``part`` gives ``instead``; with None, ImportError,
    as if it were not installed."""
    if part in sys.modules:
        yield
        return
    # None there is how Python itself marks a module that cannot be imported.
    sys.modules[part] = cast("ModuleType", instead)
    try:
        yield
    finally:
        sys.modules.pop(part, None)
