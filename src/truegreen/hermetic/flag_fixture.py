"""The fixture ``pin_flags``: ``pytest_plugins = ["truegreen.hermetic.flag_fixture"]``.

Stands here and not beside ``pin``, because a production dyno has flags and no pytest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest

from truegreen.flags import pin


class PinFlags(Protocol):
    """``pin_flags(FLAG_X=True)``: until the end of the test; a later call wins."""

    def __call__(
        self,
        values: Mapping[str, bool | int | float | str | tuple[str, ...]] | None = None,
        /,
        **named: bool | int | float | str | tuple[str, ...],
    ) -> None: ...


@pytest.fixture
def pin_flags() -> Iterator[PinFlags]:
    """Pins flags until the end of the test, as ``with truegreen.flags.pin(…)`` would."""
    active: list[pin] = []

    def enter(
        values: Mapping[str, bool | int | float | str | tuple[str, ...]] | None = None,
        /,
        **named: bool | int | float | str | tuple[str, ...],
    ) -> None:
        active.append(pin(values, **named).__enter__())

    yield enter
    for one in reversed(active):
        try:
            one.__exit__(None)
        except ValueError:
            # Entered inside of an asynchronous test, whose context has ended and the pin with it.
            continue
