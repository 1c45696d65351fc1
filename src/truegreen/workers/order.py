"""What a ship is asked to do, as a value that can be written down. No secret stands in it.

The protocol is the number of what an order means. A worker leaves alone what it does not
understand; so a new key or a new meaning takes a new number, and ``OLDEST`` goes up only when no
runner writes the old one any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from truegreen.errors import UsageError
from truegreen.gates.override import Override, from_json

PROTOCOL = 1  # of the orders that are written here
OLDEST = 1  # the oldest that is still carried out here
AN_HOUR = 3600.0  # seconds that a job waits for somebody who ships the app without the queue


@dataclass(frozen=True, slots=True)
class Understands:
    """The protocols that a worker carries out, both included."""

    oldest: int = OLDEST
    newest: int = PROTOCOL

    def __contains__(self, protocol: int) -> bool:
        return self.oldest <= protocol <= self.newest

    def __str__(self) -> str:
        return str(self.newest) if self.oldest == self.newest else f"{self.oldest}–{self.newest}"


UNDERSTOOD = Understands()


@dataclass(frozen=True, slots=True)
class Options:
    """How a ship is done. ``platform`` overrides the environment's own. ``wait``: seconds in the
    lease's queue at most; None refuses at once. ``allow_rewind``: a reason, or ""."""

    platform: str | None = None
    gates: bool = True
    overrides: tuple[Override, ...] = ()
    wait: float | None = None
    allow_rewind: str = ""

    def to_text(self) -> str:
        told = {**asdict(self), "overrides": [one.as_json() for one in self.overrides]}
        return json.dumps(told, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Options:
        """The inverse of ``to_text``. UsageError for what it does not write."""
        try:
            return cls._of(json.loads(text))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise UsageError(
                f"the job's options are not of protocol {PROTOCOL}: {error}",
                hint="enqueue it again: truegreen ship --enqueue",
            ) from None

    @classmethod
    def _of(cls, told: Mapping[str, Any]) -> Options:
        overrides = tuple(from_json(one) for one in told["overrides"])
        if set(told) != set(cls.__dataclass_fields__) or None in overrides:
            raise ValueError("other keys, or an override that is none")
        wait, platform = told["wait"], told["platform"]
        if not (
            isinstance(told["gates"], bool)
            and isinstance(told["allow_rewind"], str)
            and (platform is None or isinstance(platform, str))
        ):
            raise TypeError("a value has another type")
        return cls(
            platform=platform,
            gates=told["gates"],
            overrides=tuple(one for one in overrides if one is not None),
            wait=None if wait is None else float(wait),
            allow_rewind=told["allow_rewind"],
        )


@dataclass(frozen=True, slots=True)
class Aim:
    """What is shipped where: ``commit`` of ``prefix`` ("" for all) in ``repository``, to
    ``environment``.

    ``place`` is what one ship at a time goes to: ``API/apps/NAME``, as a lease names it.
    """

    place: str
    app: str
    environment: str
    repository: str
    prefix: str
    commit: str


@dataclass(frozen=True, slots=True)
class Order(Aim):
    """One ship, as it is asked for."""

    options: Options
    asked_by: str
    protocol: int = PROTOCOL
