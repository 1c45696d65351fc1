"""The table of lines by which a cause is recognised. Data only; quoting.py applies it.

A signature is written from the text that the program in question prints, which its comment names;
it must not match a line that merely talks about the thing.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Where = Literal["build", "release", "log"]


class Signature(NamedTuple):
    """``pattern`` is searched in each line of the texts of ``where``; its named groups fill
    ``sentence``. ``checks``: the checks that this explains; one of them must not have passed."""

    name: str
    where: tuple[Where, ...]
    pattern: re.Pattern[str]
    sentence: str
    next_step: str
    checks: tuple[str, ...]


_RELEASE = ("release.command", "release.report")
_BOOT = ("code.dynos", "health.edge", "code.served")


def _signature(
    name: str,
    where: tuple[Where, ...],
    pattern: str,
    sentence: str,
    next_step: str,
    checks: tuple[str, ...] = (*_RELEASE, *_BOOT),
) -> Signature:
    return Signature(name, where, re.compile(pattern), sentence, next_step, checks)


SIGNATURES: tuple[Signature, ...] = (
    # alembic/script/revision.py, MultipleHeads
    _signature(
        "alembic-multiple-heads",
        ("release", "log"),
        r"Multiple head revisions are present",
        "The migrations have more than one head, so Alembic does not know where to go.",
        "alembic merge heads, commit, ship again; nothing was migrated",
    ),
    # alembic/script/base.py, ResolutionError
    _signature(
        "alembic-unknown-revision",
        ("release", "log"),
        r"Can't locate revision identified by '(?P<revision>[^']{1,64})'",
        "The database is at revision {revision}, which the code that ran does not have.",
        "ship code that has this revision; a rollback's release command must pass a newer schema",
    ),
    # alembic/command.py
    _signature(
        "alembic-not-at-head",
        ("release", "log"),
        r"Target database is not up to date",
        "The database is not at the head of the migrations.",
        "run alembic upgrade head in the release command, before what needs it",
    ),
    # PostgreSQL errcodes: lock_not_available 55P03; SQLite: SQLITE_BUSY
    _signature(
        "lock-timeout",
        ("release", "log"),
        r"canceling statement due to lock timeout|\bLockNotAvailable\b"
        r"|OperationalError\S* database is locked",
        "A migration could not get its lock in time.",
        "end what holds the lock (pg_stat_activity), then: truegreen retry",
    ),
    _signature(
        "statement-timeout",
        ("release", "log"),
        r"canceling statement due to statement timeout",
        "A statement took longer than statement_timeout allows.",
        "make the step smaller, or give the migration's own connection more time",
    ),
    # libpq: "connection to server at … failed", "could not translate host name"
    _signature(
        "database-unreachable",
        ("release", "log"),
        r"connection to server (?:at|on socket) .{1,200} failed|could not translate host name"
        r"|could not connect to server",
        "The database could not be reached.",
        "look at the database's own status, then: truegreen retry",
    ),
    # PostgreSQL 42P01 undefined_table, 42703 undefined_column; SQLite's own words
    _signature(
        "schema-object-missing",
        ("release", "log"),
        r'(?:relation|column) "(?P<object>[^"]{1,128})" (?:of relation .{1,130} )?does not exist'
        r"|no such (?:table|column): (?P<lite>[\w.]{1,128})",
        "The code needs {object}, which the database does not have.",
        "ship the migration that adds it before the code that reads it",
    ),
    _signature(
        "import-error",
        ("build", "release", "log"),
        r"\bModuleNotFoundError: No module named '(?P<module>[^']+)'",
        "The slug has no module {module}.",
        "add it to the requirements, or mend the import; then ship again",
    ),
    _signature(
        "import-error",
        ("build", "release", "log"),
        r"ImportError: cannot import name '(?P<module>[^']+)' from '(?P<origin>[^']+)'",
        "{origin} has no {module} in this slug.",
        "pin the version that has it, or mend the import; then ship again",
    ),
    _signature(
        "syntax-error",
        ("build", "release", "log"),
        r"\b(?:SyntaxError|IndentationError|TabError): (?P<why>.{1,120})",
        "Python could not read a file of the slug: {why}.",
        "mind the platform's Python version (.python-version), mend it, ship again",
    ),
    # bash and dash
    _signature(
        "program-not-found",
        ("release", "log"),
        r"(?:ba|da)?sh: (?:line )?(?:\d+: )?(?P<program>[\w./-]{1,80}): (?:command )?not found",
        "The slug has no program {program}.",
        "put the package that brings it into the requirements, or mend the Procfile",
    ),
    # https://devcenter.heroku.com/articles/error-codes
    _signature(
        "port-not-bound",
        ("log",),
        r"Error R10 \(Boot timeout\)",
        "A web dyno did not bind $PORT within 60 seconds.",
        "bind 0.0.0.0:$PORT, and do slow work after that",
        _BOOT,
    ),
    _signature(
        "memory-quota",
        ("log", "release"),
        r"Error (?P<code>R14 \(Memory quota exceeded\)|R15 \(Memory quota vastly exceeded\))",
        "A dyno used more memory than it has: {code}.",
        "fewer workers (WEB_CONCURRENCY), or a larger dyno; then restart",
    ),
    _signature(
        "disk-full",
        ("build", "release", "log"),
        r"No space left on device|DiskFull\b",
        "A disk is full.",
        "free or add space, then: truegreen retry",
    ),
    # pip and uv
    _signature(
        "requirement-not-found",
        ("build",),
        r"No matching distribution found for (?P<package>[\w.\[\]=<>!~,-]{1,120})"
        r"|Because (?P<uvpackage>[\w.-]{1,80}) was not found in the package registry"
        r"|Because (?:there (?:is|are) no versions? of|only) .{1,200}"
        r"\byou require (?P<uvrequired>[\w.\[\]=<>!~,-]{1,119}[\w\]])",
        "The package index does not have {package}.",
        "mend the requirement; nothing was released",
        ("build.succeeded",),
    ),
)
