"""What ``verify`` asks about where no configuration says it: from options, else the environment.

Pure but for a look at whether this checkout has an embedded platform. A configuration outranks the
variables: they are not read where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from truegreen.errors import UsageError

APP_VARIABLES = ("TRUEGREEN_APP", "HEROKU_APP")  # the latter is what Heroku's CLI reads
COMMIT_VARIABLES = ("TRUEGREEN_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA")
_TOKENS = ("TRUEGREEN_API_TOKEN", "HEROKU_API_KEY")


class Wish(NamedTuple):
    """None: as with a configuration (the folder's name, its HEAD, the embedded platform)."""

    app: str | None
    commit: str | None
    platform: str | None


def wished(given: Wish, variable: Callable[[str], str], root: Path) -> Wish:
    """``given`` (what the command line says), filled up from the variables of the environment.

    The platform is ``TRUEGREEN_PLATFORM``, else ``HEROKU_HOST`` where that is an address, else
    Heroku where there is an API token and this checkout has no embedded platform. UsageError when
    the app would have to be guessed from a folder's name at a platform that is not our own, and for
    a ``HEROKU_HOST`` that is a bare name: where a token goes is not guessed.
    """
    own = variable("TRUEGREEN_PLATFORM_DATA") or _top(root) / ".truegreen" / "platform"
    ours = Path(own).is_dir()
    platform = given.platform or variable("TRUEGREEN_PLATFORM") or None
    if platform is None and (host := variable("HEROKU_HOST")):
        if not host.startswith(("http://", "https://")) and host != "heroku.com":
            raise UsageError(
                f"HEROKU_HOST={host!r} is no address", hint="name the API: --platform https://…"
            )
        platform = "heroku" if host == "heroku.com" else host
    if platform is None and not ours and any(variable(name) for name in _TOKENS):
        platform = "heroku"
    app = given.app or _first(APP_VARIABLES, variable)
    if app is None and platform not in (None, "embedded"):
        raise UsageError("no configuration names the app", hint="--app NAME, or TRUEGREEN_APP=NAME")
    in_git = (_top(root) / ".git").exists()
    commit = given.commit or variable("TRUEGREEN_COMMIT") or None
    if commit is None and not in_git:
        commit = _first(COMMIT_VARIABLES, variable)
    return Wish(app, commit, platform)


def _first(names: tuple[str, ...], variable: Callable[[str], str]) -> str | None:
    return next((value for name in names if (value := variable(name))), None)


def _top(root: Path) -> Path:
    return next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
