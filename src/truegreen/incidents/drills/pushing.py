"""``git push`` to the platform, as the workflow of that day did it: what git says, and no more."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

from truegreen.errors import Unverified
from truegreen.heroku import HerokuClient
from truegreen.secret import Secret

_TIMEOUT = 120.0  # seconds
UP_TO_DATE = "Everything up-to-date"


def push(client: HerokuClient, token: Secret, app: str, repository: Path) -> str:
    """Pushes HEAD to the app's git: ``accepted``, ``up to date`` or ``rejected``.

    git exits 0 for both of the first two, whatever became of the release. Raises Unverified when
    there is nowhere to push to, or no end of it.
    """
    url = client.app(app).git_url
    if not url:
        raise Unverified(f"{app} has no git repository to push to")
    basic = base64.b64encode(f":{token.reveal()}".encode()).decode()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        # in the environment: a process list shows arguments
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
    }
    try:
        done = subprocess.run(
            ["git", "push", "--force", url, "HEAD:refs/heads/main"],
            cwd=repository,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unverified(f"git push to {app} did not end in {_TIMEOUT:.0f} s") from error
    if done.returncode:
        return "rejected"
    return "up to date" if UP_TO_DATE in done.stdout + done.stderr else "accepted"
