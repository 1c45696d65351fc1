"""What a run remembers of an earlier, unfinished run of the same commit to the same app.

The platform is the truth: memory spares questions and keeps what the platform cannot say any more
(what served before we began). A run without one, on a runner that is thrown away, finds the same
by asking. durable.py is the memory that survives a kill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Json = Mapping[str, Any]
# Steps and their results mean the same as long as this stays the same; a run that was begun under
# another one is not taken up from memory, but from the platform.
PIPELINE_VERSION = "ship/1"


@dataclass(frozen=True, slots=True)
class RunKey:
    """Runs with the same key are the same work."""

    api: str
    app: str
    commit: str
    prefix: str


class Memory(Protocol):
    """The steps of one run."""

    @property
    def recalled(self) -> tuple[str, ...]:
        """The steps that were not done again, because an earlier run had finished them."""

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        """What ``work`` returns, JSON values only; not called when an earlier run has finished
        the step. A step that raises is not finished."""


class Engine(Protocol):
    """Runs work with a memory."""

    def run(self, key: RunKey, work: Callable[[Memory], T]) -> T:
        """What ``work`` returns or raises.

        Work that ends, by itself or by a refusal, is done with: the next run of ``key`` starts
        anew. What was killed, interrupted or found no answer is gone on with by the next run.
        """


class NoMemory:
    """Every step is done, nothing is kept."""

    recalled: tuple[str, ...] = ()

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        return work()


class Forgetful:
    """An engine without state."""

    def run(self, key: RunKey, work: Callable[[Memory], T]) -> T:
        return work(NoMemory())
