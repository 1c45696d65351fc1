"""The bare git repositories that apps are pushed to: where they are, how they are set up, and the
environment and arguments that git gets for one request.

No HTTP and no builds live here. A repository is named after the app's id, so that a renamed app
keeps its own and a new app of an old name does not inherit one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from truegreen.embedded import git_hook
from truegreen.embedded.environment import SYSTEM_PATH
from truegreen.errors import UsageError

SERVICES = ("git-upload-pack", "git-receive-pack")
_CONFIG = {
    "http.receivepack": "true",
    "http.getanyfile": "false",  # the dumb protocol: nothing needs it
    "gc.autoDetach": "false",  # a detached gc would outlive the platform
    "maintenance.autoDetach": "false",
    "receive.advertisePushOptions": "false",
    "transfer.fsckObjects": "false",  # what git itself accepts by default, Heroku accepts
    "safe.directory": "*",
}


class GitRepositories:
    """``folder``: where they are; ``max_push``: bytes that one push may bring."""

    def __init__(self, folder: Path, max_push: int) -> None:
        self.folder = folder
        self._max_push = max_push
        self._making = threading.Lock()

    def path(self, app_id: str) -> Path:
        return self.folder / f"{app_id}.git"

    def ensure(self, app_id: str) -> Path:
        """The app's repository; made when it is not there. Blocking (some 10 ms the first time).

        Raises UsageError when this machine has no git, or it cannot make a repository.
        """
        git = shutil.which("git", path=search_path())
        if git is None:
            raise UsageError("git push needs git on the platform's machine", hint="install git")
        with self._making:  # two first requests at once: one makes it, the other finds it
            return self._made(app_id, git)

    def _made(self, app_id: str, git: str) -> Path:
        repository = self.path(app_id)
        if not (repository / "HEAD").is_file():
            self.folder.mkdir(exist_ok=True)
            made = subprocess.run(
                [git, "init", "--bare", "--quiet", "--initial-branch=main", str(repository)],
                env=self.base_env(), capture_output=True, text=True, check=False,
            )  # fmt: skip
            if made.returncode != 0:
                raise UsageError(f"git cannot make {repository}: {made.stderr.strip()}")
        self._write_hook(repository / "hooks" / "pre-receive")
        return repository

    def _write_hook(self, file: Path) -> None:
        """Anew when it differs: the Python or the place of this package may have changed."""
        command = shlex.join([sys.executable, "-I", "-S", str(Path(git_hook.__file__).resolve())])
        text = f"#!/bin/sh\nexec {command}\n"
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            return
        file.parent.mkdir(exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o700)
        fresh.replace(file)

    def remove(self, app_id: str) -> None:
        shutil.rmtree(self.path(app_id), ignore_errors=True)

    def base_env(self) -> dict[str, str]:
        """What git gets: our settings and nothing of the machine's or the operator's."""
        settings = {**_CONFIG, "receive.maxInputSize": str(self._max_push)}
        env = {
            "PATH": search_path(),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        for number, (name, value) in enumerate(settings.items()):
            env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return env

    def cgi_env(
        self, app_id: str, rest: str, method: str, query: str, headers: Mapping[str, str]
    ) -> dict[str, str]:
        """``git http-backend``'s environment for one request (RFC 3875, git-http-backend(1)).

        ``headers``: the request's, by lower-case name.
        """
        env = self.base_env() | {
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{app_id}.git/{rest}",
            "REQUEST_METHOD": method,
            "QUERY_STRING": query,
            "REMOTE_USER": "operator",
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "GATEWAY_INTERFACE": "CGI/1.1",
        }
        for header, name in (
            ("content-type", "CONTENT_TYPE"),
            ("content-length", "CONTENT_LENGTH"),
            ("content-encoding", "HTTP_CONTENT_ENCODING"),
            ("git-protocol", "GIT_PROTOCOL"),
        ):
            if header in headers:
                env[name] = headers[header]
        return env


def search_path() -> str:
    return os.environ.get("PATH") or SYSTEM_PATH
