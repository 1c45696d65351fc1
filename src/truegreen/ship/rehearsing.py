"""The rehearsal as the smoke gate asks for it: made where the target can be asked, else said not to
have been. Changes nothing at the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from truegreen.config import Config, Environment
from truegreen.errors import Interrupted, TrueGreenError
from truegreen.gates.rehearsed import Rehearsed
from truegreen.ship.progress import Nobody
from truegreen.ship.source import full_commit, read_source
from truegreen.ship.target import find_target

if TYPE_CHECKING:
    from truegreen.gates.serving import Serving


def read_rehearsal(
    config: Config, environment: Environment, platform: str | None, commit: str, serving: Serving
) -> Rehearsed:
    """A rehearsal of ``commit``'s release to ``environment``. Never raises for what the world does.

    Not made where the target cannot be asked (no token, away), or where nothing serves: then there
    are no config vars to rehearse with.
    """
    if not serving.known or serving.commit is None:
        return Rehearsed(None, why=serving.why or "nothing serves there yet")
    try:
        target = find_target(config, environment, platform, start=False)
        source = read_source(config.root)._replace(commit=full_commit(config.root, commit))
    except TrueGreenError as error:
        return Rehearsed(None, why=error.message)
    from truegreen.ship.rehearse import rehearse

    try:
        done = rehearse(config, source, target, Nobody())
    except Interrupted:
        raise
    except TrueGreenError as error:
        return Rehearsed("unverified", error.message)
    return Rehearsed(str(done.verdict), str(done.document["sentence"]))
