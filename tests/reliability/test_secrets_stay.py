"""The API token is in no output, no ledger, no engine, no command line and no child's environment,
wherever it came from, and however the run ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from fake_vault import VAULT_TOKEN, fake_vault
from simulated_platform import TOKEN, Server, Times
from simulated_world import CONFIG

# Stands before the real git on PATH, and notes what every child of ours could see of the token.
_GIT = """#!/bin/sh
{ echo "$@"; env; cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' '; } >> "$GIT_SEEN"
exec "$GIT_REAL" "$@"
"""


def run(
    root: Path,
    server: Server,
    reference: str,
    environ: Mapping[str, str],
    verb: tuple[str, ...] = ("ship", "--json"),
) -> tuple[int, str, str]:
    """``truegreen VERB``: exit status, all that it said, and all that its children saw."""
    text = CONFIG + f'[env.production]\napp = "app"\nplatform = "{server.base}"\n'
    (root / "truegreen.toml").write_text(text + (f'token = "{reference}"\n' if reference else ""))
    (root / ".gitignore").write_text(".truegreen\n")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRUEGREEN", "HEROKU"))}
    bin_, seen = root.parent / "bin", root.parent / "seen"
    bin_.mkdir(exist_ok=True)
    (bin_ / "git").write_text(_GIT)
    (bin_ / "git").chmod(0o755)
    base = {
        **kept, "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(root.parent),
        "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com",
        "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com",
    }  # fmt: skip
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=root, env=base, check=True)
    watched = {
        "PATH": f"{bin_}:{os.environ['PATH']}", "GIT_SEEN": str(seen),
        "GIT_REAL": str(shutil.which("git")),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", *verb], cwd=root,
        env={**base, **watched, **environ}, capture_output=True, text=True, timeout=150,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, seen.read_text(errors="replace")


@pytest.mark.parametrize("source", ["env", "own variable", "file", "vault"])
@pytest.mark.parametrize("token", [TOKEN, "wr0ng-t0ken"], ids=["right", "wrong"])
def test_the_token_stays_where_it_is(tmp_path: Path, source: str, token: str) -> None:
    root = tmp_path / "service"
    root.mkdir()
    file = tmp_path / "token"
    file.write_text(token + "\n")
    times = Times(0.05, 0.05, 0.02)
    secrets = {"secret/prod": {"token": token}}
    with Server(times=times) as server, fake_vault(secrets) as vault:
        how: dict[str, tuple[str, dict[str, str]]] = {
            "env": ("", {"HEROKU_API_KEY": token}),
            "own variable": ("env:MY_TOKEN", {"MY_TOKEN": token}),
            "file": (f"file:{file}", {}),
            "vault": (
                "vault:secret/prod#token",
                {"VAULT_ADDR": vault, "VAULT_TOKEN": VAULT_TOKEN},
            ),
        }
        code, said, seen = run(root, server, *how[source])
    assert code == (0 if token == TOKEN else 2), said
    state = b"".join(
        path.read_bytes() for path in (root / ".truegreen").rglob("*") if path.is_file()
    )
    assert b"SQLite format 3" in state
    for secret in (token, VAULT_TOKEN):
        assert secret not in said
        assert secret not in seen
        assert secret.encode() not in state
    assert "rev-parse" in seen


@pytest.mark.parametrize(
    "verb", ["gate scan", "gate freeze", "action list", "scan --since HEAD", "rehearse", "verify"]
)
def test_no_other_verb_that_starts_programs_gives_it_to_them(tmp_path: Path, verb: str) -> None:
    root = tmp_path / "service"
    root.mkdir()
    with Server(times=Times(0.05, 0.05, 0.02)) as server:
        environ = {"HEROKU_API_KEY": TOKEN, "MY_TOKEN": "0ther-t0ken"}
        _, said, seen = run(root, server, "env:MY_TOKEN", environ, tuple(verb.split()))
    assert "Traceback" not in said
    assert seen, "no program was started"
    for secret in environ.values():
        assert secret not in said
        assert secret not in seen
