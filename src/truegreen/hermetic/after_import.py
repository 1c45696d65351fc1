"""Calls a function as soon as a module has been imported, without importing it.

So that what is rarely needed (unittest.mock imports asyncio) costs nothing where it is not used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Then = Callable[[ModuleType], None]


class AfterImport:
    """A finder on ``sys.meta_path``. Each function is called at most once."""

    def __init__(self, wanted: dict[str, Then]) -> None:
        self._wanted = dict(wanted)

    def install(self) -> None:
        """Calls for what is imported already, and waits for the rest."""
        for name in list(self._wanted):
            module = sys.modules.get(name)
            if module is not None:
                self._wanted.pop(name)(module)
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._wanted:
            return None
        then = self._wanted.pop(fullname)
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                _after(spec.loader, then)
                return spec
        return None


def _after(loader: Any, then: Then) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        then(module)

    loader.exec_module = exec_module
