"""Raptor, the API service. `create_app` puts it together; each part has a module of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from raptor import errors, origin_guard, people, routes
from raptor.beta import nda, walkthrough
from raptor.db import connect
from raptor.health import make_health
from raptor.settings import Settings
from truegreen.health.flask import init_app as serve_health

__all__ = ["create_app"]


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The application.

    ``config`` overrides the machine's environment, key by key: ``DATABASE`` (a URL, or the path of
    a SQLite file), ``ORIGIN_SECRET``, ``HEALTH_TOKEN``, ``NDA_TEXTS`` (a folder) and every flag by
    its name, e.g. ``"FLAG_BETA_NDA_ACK": True``. **A key that is absent falls back to the
    environment**: an app that is built in a test on a production dyno gets production's flags,
    unless the test pins them.

    Raises SettingsError, or truegreen's FlagError or GuardError, which name every variable that is
    wrong: an app never starts half-configured.
    """
    settings = Settings.read(config or {})
    app = Flask(__name__)
    app.config.from_mapping({"TESTING": bool((config or {}).get("TESTING", False))})
    app.extensions["raptor"] = connect(settings)

    errors.init_app(app)
    app.register_blueprint(routes.open_to_all)
    app.register_blueprint(routes.signed_in)
    # A closed part of the API is not there at all: 404 for every path and method in it, decided
    # before sign-in is looked at and before any of its tables is.
    if settings.flags["FLAG_BETA_NDA_ACK"]:
        app.register_blueprint(nda.blueprint)
    if settings.flags["FLAG_BETA_WALKTHROUGH"]:
        app.register_blueprint(walkthrough.blueprint)
    app.cli.add_command(people.commands)
    serve_health(app, make_health(app.extensions["raptor"]))
    origin_guard.protect(app, settings.guard)  # last: it wraps everything above
    return app
