"""Makes the tools by which tests change the environment known to a recording as pins.

``monkeypatch`` and ``unittest.mock.patch.dict`` say what a test depends on even where they change
nothing (``delenv`` of an absent variable), and their undoing is no pin. Knows pytest and mock,
nothing of what is done with a recording.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from truegreen.hermetic.after_import import AfterImport
from truegreen.hermetic.reads import ALL, Recording


class PinHooks:
    """Wraps the tools while a recording runs. ``remove`` puts back what was there."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._replaced: list[tuple[Any, str, Any]] = []
        self._later = AfterImport(
            {"unittest.mock": self._mock, "pydantic_settings": self._pydantic}
        )

    def install(self) -> None:
        for name in ("setitem", "delitem"):
            self._wrap(pytest.MonkeyPatch, name, self._pinning)
        self._wrap(pytest.MonkeyPatch, "undo", self._undoing)
        self._later.install()

    def _pydantic(self, module: ModuleType) -> None:
        from truegreen.hermetic.settings_readers import watch_pydantic

        watch_pydantic(self._recording)(module)

    def _mock(self, mock: ModuleType) -> None:
        patch_dict = mock._patch_dict  # it has no public name
        self._wrap(patch_dict, "_patch_dict", self._dict_pinning)
        self._wrap(patch_dict, "_unpatch_dict", self._dict_undoing)

    def remove(self) -> None:
        self._later.remove()
        for owner, name, original in reversed(self._replaced):
            setattr(owner, name, original)
        self._replaced.clear()

    def _wrap(self, owner: Any, name: str, how: Callable[[Any], Any]) -> None:
        original = getattr(owner, name)
        self._replaced.append((owner, name, original))
        setattr(owner, name, how(original))

    def _pinning(self, original: Any) -> Any:
        def pinned(patch: Any, dic: Any, name: Any, *args: Any, **named: Any) -> Any:
            if dic is not os.environ:
                return original(patch, dic, name, *args, **named)
            self._recording.pin(patch, name)
            with self._recording.quietly():
                return original(patch, dic, name, *args, **named)

        return pinned

    def _undoing(self, original: Any) -> Any:
        def undo(patch: Any) -> Any:
            with self._recording.quietly():
                try:
                    return original(patch)
                finally:
                    self._recording.unpin(patch)

        return undo

    def _dict_pinning(self, original: Any) -> Any:
        def patch_dict(patch: Any) -> Any:
            if patch.in_dict is not os.environ and patch.in_dict != "os.environ":
                return original(patch)
            self._recording.pin(patch, *((ALL,) if patch.clear else ()), *patch.values)
            with self._recording.quietly():
                return original(patch)

        return patch_dict

    def _dict_undoing(self, original: Any) -> Any:
        def unpatch_dict(patch: Any) -> Any:
            if patch.in_dict is not os.environ:
                return original(patch)
            with self._recording.quietly():
                try:
                    return original(patch)
                finally:
                    self._recording.unpin(patch)

        return unpatch_dict
