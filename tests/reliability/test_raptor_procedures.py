"""Raptor's deploy SOP and runbook: what they tell somebody to type at night works.

Every ``truegreen`` command of both pages is run, against the embedded platform in Heroku's place.
``heroku`` is held against what tests/conformance runs with the real one; ``gh`` cannot be run here.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_service import Tiny

from truegreen.ship.stage import commit, copy_service

pytestmark = [pytest.mark.platform, pytest.mark.xdist_group("raptor"), pytest.mark.timeout(300)]
OPS = Path("examples") / "raptor" / "docs" / "ops"
PAGES = (OPS / "deploy-sop.md", OPS / "runbooks" / "raptor.md")
# Nothing is red here, so there is nothing to draft; and these name what only a reader can fill in.
OTHER_EXIT = {"truegreen incident draft": 2}


@pytest.fixture(scope="module")
def text(request: pytest.FixtureRequest) -> str:
    pages = [(request.config.rootpath / page).read_text(encoding="utf-8") for page in PAGES]
    return "\n".join(pages)


def typed(text: str, program: str) -> list[str]:
    """Every command of ``program``: lines of code blocks, and code in running text."""
    blocks = "\n".join(re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))
    lines = [line.split(" #")[0].strip() for line in blocks.splitlines()] + inline
    found = [line.strip() for line in lines if line.startswith(f"{program} ")]
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def shipped(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Tiny]:
    """Raptor in a repository's subfolder, as the pages have it; on production and staging."""
    service = Tiny(tmp_path_factory.mktemp("procedures"))
    service.root = service.root.parent / "repository"
    raptor = service.root / "examples" / "raptor"
    raptor.parent.mkdir(parents=True)
    copy_service(request.config.rootpath / "examples" / "raptor", raptor)
    shutil.rmtree(raptor / ".git")
    service.git("init", "--quiet")
    commit(service.root, "raptor")
    try:
        for environment in ("production", "staging"):
            done = service.run("ship", "examples/raptor", "--env", environment, "--json")
            assert done.code == 0, (done.out, done.err)
        yield service
    finally:
        service.stop()


def test_every_truegreen_command_of_both_pages_runs(shipped: Tiny, text: str) -> None:
    versions = shipped.run("releases", "examples/raptor", "--json").document
    current = next(one for one in versions if one["current"])
    filled = {
        "vN": f"v{current['version']}",
        "SHA": shipped.git("rev-parse", "HEAD"),
    }
    listed = typed(text, "truegreen")
    assert len(listed) >= 15, listed
    for command in listed:
        words = [filled.get(word, word) for word in shlex.split(command)]
        if "heroku" in words:  # --platform heroku: here the embedded one stands in its place
            at = words.index("heroku")
            del words[at - 1 : at + 1]
        below = "examples/raptor" not in words
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=shipped.root / "examples" / "raptor" if below else shipped.root,
            env=shipped.env,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        wanted = OTHER_EXIT.get(command, 0)
        assert done.returncode == wanted, (command, done.returncode, done.stdout, done.stderr)


def test_every_heroku_command_is_one_that_the_real_cli_was_seen_doing(
    text: str, request: pytest.FixtureRequest
) -> None:
    seen = (request.config.rootpath / "tests" / "conformance" / "test_heroku_cli.py").read_text()
    listed = typed(text, "heroku")
    assert {"releases", "releases:output", "config:set", "config:unset", "run"} <= {
        command.split()[1] for command in listed
    }
    for command in listed:
        assert f'"{command.split()[1]}"' in seen, command


def test_a_person_is_added_and_gets_another_token(
    text: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    root = request.config.rootpath / "examples" / "raptor"
    environment = {
        **os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'r.sqlite3'}", "ORIGIN_SECRET": "x",
    }  # fmt: skip

    def python(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=root, env=environment, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    python("alembic", "upgrade", "head")
    commands = [one for one in typed(text, "heroku") if one.startswith("heroku run flask ")]
    assert len(commands) == 2
    tokens = [python(*shlex.split(one)[2:]) for one in commands]
    assert all(len(token) >= 20 for token in tokens)
    assert tokens[0] != tokens[1]


def test_what_gh_is_asked_for_is_what_the_facts_name(text: str) -> None:
    """gh cannot be run here; that its exit is not used and the run is named is what matters."""
    assert "gh run view RUN --json status,conclusion" in text
    assert not re.search(r"gh run watch.*--exit-status", text)
