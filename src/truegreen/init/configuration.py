"""The first truegreen.toml of a service: what was found, and where; nothing that was not. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from truegreen.init.facts import Facts, Variable


def _toml_text(value: str) -> str:
    """A TOML basic string: a JSON text is one, when its characters stand for themselves."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def configuration(facts: Facts) -> str:
    """The text of truegreen.toml."""
    return "\n".join(_lines(facts)) + "\n"


def environments(facts: Facts) -> dict[str, str]:
    """Name of the environment → name of the app. Without a remote the app is called as the
    service."""
    return dict(facts.apps) or {"production": facts.name}


def _lines(facts: Facts) -> Iterator[str]:
    found = environments(facts)
    yield "# What TrueGreen knows of this service, as `truegreen init` found it. All keys stand in"
    yield "# docs/truegreen.toml of TrueGreen. No secret stands here: env:NAME, file:PATH, vault:…"
    yield ""
    yield "[service]"
    yield f"name = {_toml_text(facts.name)}"
    yield f"default_env = {_toml_text(next(iter(found)))}"
    for name, app in found.items():
        yield ""
        yield f"[env.{name}]"
        said = "from the git remote" if facts.apps else "no git remote names one: correct it"
        yield f"app = {_toml_text(app)} # {said}"
        yield 'platform = "heroku" # embedded: the whole pipeline on this machine'
    yield ""
    yield "[health] # what is asked, N times in a row, which commit answers"
    if facts.health:
        yield f"path = {_toml_text(_path(facts.health))}"
    else:
        yield 'path = "/health" # not found in the source: see truegreen.health'
    yield ""
    yield from _release(facts)
    yield ""
    yield from _smoke(facts)
    if facts.required:
        yield ""
        yield "[config] # without these nothing is released"
        yield "required = ["
        for one in facts.required:
            yield f"  {_toml_text(one.name)}, # {_place(one)} has no default for it"
        yield "]"
    for one in facts.flags:
        yield ""
        yield f"[flags.{one.name}] # {_place(one)}"
        yield 'type = "str" # not found out: bool, int, choice … refuse what is wrong'
    yield ""
    yield "[incidents]"
    yield 'path = "docs/incidents"'
    if facts.repository:
        yield f"# issues = {_toml_text(facts.repository)} # GitHub issues in step with actions"


def _release(facts: Facts) -> Iterator[str]:
    yield "[release]"
    if facts.manage:
        yield 'migrate = "none" # Django migrates by itself: the Procfile says so'
    elif facts.flask_migrate:
        yield 'migrate = "none" # Flask-Migrate does: the Procfile says so'
    elif facts.alembic_ini:
        yield 'migrate = "alembic"'
        yield f"alembic_ini = {_toml_text(facts.alembic_ini)}"
    else:
        yield 'migrate = "none" # no alembic.ini was found'


def _smoke(facts: Facts) -> Iterator[str]:
    yield "[smoke] # run sealed: the suite sees only what is pinned or let through"
    if facts.smoke:
        yield f"paths = [{', '.join(map(_toml_text, facts.smoke))}]"
        yield "# What it reads and nobody pinned is a leak: truegreen hermetic prove lists them."
        yield "# [smoke.env]"
    else:
        yield "paths = [] # none was found: a handful of tests in tests/smoke that must always hold"


def _place(one: Variable) -> str:
    return "".join(char if char.isprintable() else "?" for char in f"{one.file}:{one.line}")


def _path(route: str) -> str:
    return route if route.startswith("/") else f"/{route}"
