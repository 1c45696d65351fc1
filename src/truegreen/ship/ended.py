"""What a Ctrl-C comes to when a run has ended, and only the telling is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from truegreen.errors import Interrupted


@contextmanager
def interruption_after_the_end() -> Iterator[Callable[[str], None]]:
    """Yields what is to be called with the verdict once it is found and recorded. From then on a
    KeyboardInterrupt is Interrupted: "nothing was changed" would not be true."""
    found: list[str] = []
    try:
        yield found.append
    except KeyboardInterrupt as error:
        if not found:
            raise
        raise Interrupted(
            f"interrupted after the end: {found[0]} was found and recorded",
            hint="truegreen releases shows it",
        ) from error
