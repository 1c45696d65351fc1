"""The scratch Postgres of a smoke suite: started as a program of its own, ended with its starter.

The server is of the half that a dyno does not have (extra ``ops``): it is run, not imported, and
its absence is a sentence that says what to install.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

PROGRAM = "truegreen.embedded.scratch_server"
START_DEADLINE = 120.0  # seconds for a new cluster on a slow machine
END_DEADLINE = 30.0
FIX = "pip install 'truegreen[ops]', or set smoke.scratch = \"sqlite\""


class Server(NamedTuple):
    """``head``: the URL of an empty database, to be migrated. ``copies``: the address at which each
    process of the suite gets a copy of it (``hermetic.scratch_copy``)."""

    head: str
    copies: str


class NoServer(Exception):
    """There is no scratch Postgres; says why, and the way out."""


@contextmanager
def scratch_server() -> Iterator[Server]:
    """A running server; at the end no process and no file of it is left. Raises NoServer.

    A kill -9 of this process ends it too: it lives as long as its standard input is held.
    """
    program = subprocess.Popen(
        [sys.executable, "-m", PROGRAM],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=dict(os.environ), start_new_session=True,
    )  # fmt: skip
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    try:
        ready, _, _ = select.select([program.stdout], [], [], START_DEADLINE)
        said = program.stdout.readline() if ready else b""
        try:
            told = json.loads(said)
        except ValueError:
            program.stdin.close()
            last = program.stderr.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise NoServer(
                f"the scratch Postgres did not start: {' '.join(last) or 'no answer'} ({FIX})"
            ) from None
        if "problem" in told:
            raise NoServer(f"the scratch Postgres did not start: {told['problem']} ({FIX})")
        try:
            yield Server(told["head"], told["copies"])
        finally:
            if program.poll() is not None:  # killed: what it would have tidied up is left to us
                _tidy(Path(told["folder"]))
    finally:
        with suppress(OSError):
            program.stdin.close()
        try:
            program.wait(END_DEADLINE)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
        program.stdout.close()
        program.stderr.close()


def _tidy(folder: Path) -> None:
    """Ends the Postgres whose data stands below ``folder``, and removes them."""
    for file in folder.rglob("postmaster.pid"):
        with suppress(OSError, ValueError):
            os.kill(int(file.read_text().split()[0]), signal.SIGQUIT)  # at once, without a word
    shutil.rmtree(folder, ignore_errors=True)
