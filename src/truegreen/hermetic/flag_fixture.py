"""The fixture ``pin_flags``: ``pytest_plugins = ["truegreen.hermetic.flag_fixture"]``.

Stands here and not beside ``pin``, because a production dyno has flags and no pytest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
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
    with ExitStack() as stack:  # all of them, also when one pinned a name that nothing declares
        for one in active:
            stack.callback(_leave, one)


def _leave(one: pin) -> None:
    # ValueError: entered inside of an asynchronous test; its context has ended, the pin with it
    with suppress(ValueError):
        one.__exit__(None)
