"""Whether one commit comes after another, asked of git. What follows from it: monotonic.py."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from truegreen.ship.source import git_answer


class Kinship(StrEnum):
    """How a commit stands to the one that serves."""

    SAME = "same"
    DESCENDANT = "descendant"
    REWIND = "rewind"  # it does not contain what serves
    SHALLOW = "shallow"  # this clone's history ends too early to say
    UNKNOWN = "unknown"  # this repository does not know the other commit


Kin = Callable[[str, str], Kinship]


def kinship(repository: Path, serving: str, ours: str) -> Kinship:
    """How ``ours`` stands to ``serving``. Raises UsageError when git cannot be run.

    In a shallow clone only "descendant" is proof: a missing path may be one that was cut off.
    """
    if serving == ours:
        return Kinship.SAME
    shallow = git_answer(repository, "rev-parse", "--is-shallow-repository")[1] == "true"
    if git_answer(repository, "cat-file", "-e", f"{serving}^{{commit}}")[0] != 0:
        return Kinship.SHALLOW if shallow else Kinship.UNKNOWN
    code, _ = git_answer(repository, "merge-base", "--is-ancestor", serving, ours)
    if code == 0:
        return Kinship.DESCENDANT
    if shallow:
        return Kinship.SHALLOW
    return Kinship.REWIND if code == 1 else Kinship.UNKNOWN
