"""Which actions there are, and the exact command line of each. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from truegreen.board.pages import fields
from truegreen.config import Config

_AGAIN = ("failed", "expired")  # what can be tried again, as ship/retry.py has it


@dataclass(frozen=True, slots=True)
class Action:
    """``arguments``: what stands after ``truegreen``. ``app``: "" for one of the whole service."""

    name: str
    title: str
    told: str
    app: str
    arguments: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command line, as a shell would take it."""
        return shlex.join(["truegreen", *self.arguments])

    @property
    def address(self) -> str:
        """Of the page that asks whether it is meant."""
        query = f"?{urlencode({'app': self.app})}" if self.app else ""
        return f"/actions/{self.name}{query}"


def of_app(config: Config, page: Mapping[str, Any]) -> tuple[Action, ...]:
    """The actions for an app, given its page's document. None for an app that is in no environment
    of the configuration: nothing says on which platform it is."""
    app = fields.text(page, "app")
    names = [name for name, one in config.environments.items() if one.app == app and app]
    if not names:
        return ()
    where = (str(config.root), "--env", names[0])
    commit = fields.text(fields.table(page, "last"), "commit")
    released = fields.table(page, "released")
    version, status = fields.text(released, "version"), fields.text(released, "status")
    found = [
        Action(
            "verify",
            "Verify again",
            f"Asks again what is true of {app}, and changes nothing there.",
            app,
            ("verify", *where, *(("--commit", commit) if commit else ())),
        )
    ]
    if version and status in _AGAIN:
        found.append(
            Action(
                "retry",
                f"Try {version} again",
                f"Releases what {version} was once more to {app}, as a new release, and verifies"
                " it. Nothing is built.",
                app,
                ("retry", *where, "--release", version),
            )
        )
    found.append(
        Action(
            "rollback",
            "Roll back",
            f"Takes {app} back to the newest earlier release of other code, if its code can live"
            " with the schema; refused otherwise. The database is not taken back.",
            app,
            ("rollback", *where),
        )
    )
    return tuple(found)


def of_service(config: Config) -> tuple[Action, ...]:
    """The actions that are about no app."""
    if not (config.notify.webhook or config.notify.apprise):
        return ()
    return (
        Action(
            "notify-test",
            "Send a test message",
            "Sends everybody in [notify] a message that says that it is a test.",
            "",
            ("notify", "test", str(config.root)),
        ),
    )
