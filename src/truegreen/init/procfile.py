"""The Procfile's lines for a service: what stays of it, and what its release command becomes. Pure.

Format: https://devcenter.heroku.com/articles/procfile#procfile-format
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from truegreen.init.facts import Facts

RELEASE = "truegreen release"
_RELEASE_LINE = re.compile(r"^release:[ \t]*(?P<command>[^\r\n]*?)[ \t]*(?=\r?$)", re.MULTILINE)
_SIMPLE = re.compile(r"[\w./=:@%+,\- ]+\Z")
# What `truegreen release` does itself.
_OWN = re.compile(
    r"(?:python3? -m )?(?:alembic(?: -c \S+)? upgrade heads?|pytest\b.*|py\.test\b.*)\Z|true\Z"
)


class Edited(NamedTuple):
    """``text``: the new Procfile; None when a person has to do it. ``told``: why, or what is
    different."""

    text: str | None
    told: str = ""


def release_command(facts: Facts) -> str:
    """The release command of a service that has none."""
    if facts.manage:
        return f"python {shlex.quote(facts.manage)} migrate --noinput && {RELEASE}"
    if facts.flask_migrate:
        return f"flask --app {shlex.quote(_flask_app(facts))} db upgrade && {RELEASE}"
    return RELEASE


def web_command(facts: Facts) -> str:
    """What serves the application; "" when none was found."""
    app = facts.application
    if app is None:
        return ""
    folder = shlex.quote(app.folder)
    if app.framework == "fastapi":
        options = (f" --app-dir {folder}" if app.folder else "") + (
            " --factory" if app.factory else ""
        )
        return f"uvicorn {app.target}{options} --host ${{HOST:-0.0.0.0}} --port $PORT"
    option = f" --pythonpath {folder}" if app.folder else ""
    call = f'"{app.target}()"' if app.factory else app.target
    return f"gunicorn --bind ${{HOST:-0.0.0.0}}:$PORT{option} {call}"


def edited(text: str | None, facts: Facts) -> Edited:
    """The Procfile ``text`` (None: there is none) with TrueGreen's release command in it.

    Other process types are left as they are, byte for byte. A release command that calls TrueGreen
    already is kept; of another one the parts stay that TrueGreen does not do itself, joined with
    ``&&``; one that is not understood is left to a person.
    """
    line = f"release: {release_command(facts)}"
    if text is None:
        web = web_command(facts)
        if not web:
            return Edited(None, f"no application was found: write one, with the line {line!r}")
        return Edited(f"{line}\nweb: {web}\n")
    match = _RELEASE_LINE.search(text)
    if match is None:
        ending = "\r\n" if "\r\n" in text else "\n"
        return Edited(f"{line}{ending}{text}")
    command = match["command"]
    if RELEASE in command:
        return Edited(text)
    kept = _kept(command)
    if kept is None:
        told = f"release: {command!r} is not understood: end it with && {RELEASE}"
        return Edited(None, told)
    new = " && ".join((*kept, RELEASE))
    return Edited(f"{text[: match.start()]}release: {new}{text[match.end() :]}")


def _kept(command: str) -> tuple[str, ...] | None:
    """The parts of a release command that stay; None when it is more than simple commands."""
    parts = [part.strip() for part in re.split(r"&&|;|\|\|(?=\s*true\b)", command)]
    parts = [part for part in parts if part]
    if not all(_SIMPLE.match(part) for part in parts):
        return None
    return tuple(part for part in parts if not _OWN.match(part))


def _flask_app(facts: Facts) -> str:
    app = facts.application
    if app is None:
        return "app"
    return app.target
