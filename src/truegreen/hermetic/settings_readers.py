"""Libraries that read the whole environment at once and take single variables out of the copy.

pydantic-settings keeps the copy in ``EnvSettingsSource.env_vars`` (its documented attribute, 2.0 to
2.16) and asks it for each field: those questions are the reads. Names are lower case in it unless
the settings are case-sensitive.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from truegreen.hermetic.reads import Recording


class _Asked(dict[str, Any]):
    """A copy of the environment that tells which of its variables are asked for."""

    def __init__(self, copy: Mapping[str, Any], recording: Recording, cased: bool) -> None:
        super().__init__(copy)
        self._recording = recording
        self._cased = cased

    def _tell(self, name: str) -> None:
        shown = name if self._cased else name.upper()
        self._recording.read(shown, name in self, sys._getframe(2), bulk=True)

    def get(self, name: str, default: Any = None) -> Any:
        self._tell(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self._tell(name)
        return super().__getitem__(name)


def watch_pydantic(recording: Recording) -> Callable[[ModuleType], None]:
    """What to do once ``pydantic_settings`` is imported."""

    def then(module: ModuleType) -> None:
        source = module.EnvSettingsSource
        made = source.__init__

        def init(self: Any, *args: Any, **named: Any) -> None:
            made(self, *args, **named)
            # Its subclasses read .env files, secrets and arguments into the same attribute.
            if type(self) is source:
                self.env_vars = _Asked(self.env_vars, recording, bool(self.case_sensitive))

        source.__init__ = init

    return then
