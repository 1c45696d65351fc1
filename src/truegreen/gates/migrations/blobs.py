"""The content of a few files of a repository, by object id. For many or large ones see ``scan``."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from truegreen.errors import UsageError
from truegreen.gates.head_tree import TIMEOUT
from truegreen.git_environment import git_environment


def contents(root: Path, oids: Iterable[str]) -> list[bytes | None]:
    """In the order asked for; None for what git has not here. All of it in memory: for sources.

    Raises UsageError when git does not answer.
    """
    asked = list(oids)
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "cat-file", "--batch"],
            input="".join(f"{oid}\n" for oid in asked).encode(),
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
            env=git_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cat-file in {root}: {type(error).__name__}") from error
    return list(split(done.stdout, len(asked)))


def split(output: bytes, count: int) -> Iterable[bytes | None]:
    """The objects in what ``git cat-file --batch`` prints. Pure; None for what is not there."""
    at = 0
    for _ in range(count):
        end = output.find(b"\n", at)
        words = output[at:end].split() if end >= 0 else []
        if len(words) != 3 or not words[2].isdigit():
            yield None
            at = end + 1 if end >= 0 else len(output)
            continue
        size = int(words[2])
        yield output[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
