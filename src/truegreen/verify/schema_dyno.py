"""Where the database is, asked of a one-off dyno: Alembic in the slug that serves says it.

The last way to find out, for services whose health and release report do not say. It costs a dyno
for some seconds, so it is made only where the project asks for it (``[checks] schema_dyno``). It
changes nothing: ``alembic current`` and ``alembic heads`` read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from typing import Protocol

from truegreen.errors import Unverified
from truegreen.heroku.models import Dyno

_MARK = "truegreen-schema"
_REVISION = re.compile(r"^(?P<name>[0-9A-Za-z_.-]{1,64})(?: \([a-z, ]+\))*$")
_PREFIX = re.compile(r"^\S+ app\[[^\]]+\]: ?")  # of a line of the platform's log
DEADLINE = 60.0  # seconds
_PAUSE = 0.5  # seconds between two looks at its output


class Runner(Protocol):
    """What is needed of the platform."""

    def run_dyno(self, app: str, command: str, *, seconds: int) -> Dyno: ...
    def log_url(self, app: str, *, lines: int, dyno: str = "") -> str: ...


def command_for(alembic_ini: str) -> str:
    """The shell command whose output ``parse`` reads."""
    alembic = f"alembic -c {shlex.quote(alembic_ini)}"
    return (
        f"echo {_MARK} current && {alembic} current 2>/dev/null && "
        f"echo {_MARK} heads && {alembic} heads 2>/dev/null && echo {_MARK} done"
    )


def parse(lines: Iterable[str]) -> tuple[str | None, tuple[str, ...]] | None:
    """(current revision, heads) from the command's output; None while it is not complete.

    Several current revisions (a branched database) are joined by commas.
    """
    part = ""
    found: dict[str, list[str]] = {"current": [], "heads": []}
    for raw in lines:
        line = _PREFIX.sub("", raw).strip()
        if line.startswith(_MARK + " "):
            part = line.removeprefix(_MARK + " ")
            if part == "done":
                return ", ".join(found["current"]) or None, tuple(found["heads"])
            continue
        match = _REVISION.match(line)
        if match and part in found:
            found[part].append(match["name"])
    return None


def ask(
    platform: Runner,
    app: str,
    alembic_ini: str,
    read: Callable[[str], str],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> tuple[str | None, tuple[str, ...]]:
    """Runs the command on a one-off dyno and waits for its answer. Raises Unverified."""
    dyno = platform.run_dyno(app, command_for(alembic_ini), seconds=int(DEADLINE))
    until = clock() + DEADLINE
    while clock() < until:
        answer = parse(read(platform.log_url(app, lines=200, dyno=dyno.name)).splitlines())
        if answer is not None:
            return answer
        sleep(_PAUSE)
    raise Unverified(f"the one-off dyno {dyno.name} did not say where the schema is")
