"""Every verb: help with an example, a line in the docs, and errors as the contract has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest
from click.testing import CliRunner

from truegreen.cli import VERBS, LazyVerbs, root
from truegreen.errors import UsageError

GROUP = LazyVerbs()


class Refusing(BaseHTTPRequestHandler):
    """A Platform API to which no token is good enough."""

    def do_GET(self) -> None:
        self.send_error(401)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is the verb's."""


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = CliRunner().invoke(root, [verb, "--help"])
    assert done.exit_code == 0, done.output
    assert f"truegreen {verb}" in done.output.split("Usage:", 1)[1].split("\n", 1)[1]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_stands_in_the_docs(verb: str, request: pytest.FixtureRequest) -> None:
    page = (request.config.rootpath / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert f"| `{verb}" in page


def test_help_lists_every_verb_and_imports_none_of_them() -> None:
    show = (
        "import sys; from truegreen.cli import main; sys.argv = ['truegreen', '--help']\n"
        "try: main()\n"
        "except SystemExit: print(sorted(m for m in sys.modules if m.startswith('truegreen.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", show], capture_output=True, text=True, timeout=60, check=True
    )
    *listed, modules = done.stdout.splitlines()
    for verb, line in VERBS.items():
        assert any(text.split() == [verb, *line.split()] for text in listed), verb
    assert modules == "['truegreen.cli', 'truegreen.cli.exits', 'truegreen.errors']"


@pytest.fixture
def refusing() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as api:
        thread = Thread(target=api.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{api.server_port}"
        api.shutdown()
        thread.join()


TOKEN = {**os.environ, "TRUEGREEN_API_TOKEN": "token"}


def test_verify_imports_what_it_asks_with_and_no_more(tmp_path: Path, refusing: str) -> None:
    """Each of these takes between one and sixty milliseconds, of the hundred and fifty it may."""
    show = (
        "import io, sys\n"
        "from truegreen.cli import main\n"
        "sys.argv = 'truegreen verify --json --release v1 --app shop --platform'.split()\n"
        f"sys.argv.append('{refusing}')\n"
        "real, sys.stdout = sys.stdout, io.StringIO()\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, *sys.modules, file=real)"
    )
    done = subprocess.run(
        [sys.executable, "-c", show], cwd=tmp_path, env=TOKEN,
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    code, *modules = done.stdout.split()
    assert (code, "httpcore" in modules) == ("3", True), "it did ask, and found nothing out"
    spared = ("asyncio", "rich", "pygments", "truegreen.embedded", "truegreen.gates",
              "truegreen.github", "truegreen.outputs.sarif", "truegreen.outputs.junit")  # fmt: skip
    assert [one for one in modules if one.startswith(spared)] == []


def test_verify_tells_its_verdict_where_it_cannot_be_recorded(
    tmp_path: Path, refusing: str
) -> None:
    (tmp_path / ".truegreen").write_text("a file where the ledger's folder should be")
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "verify", "--json", "--release", "v1", "--app", "shop",
         "--platform", refusing],
        cwd=tmp_path, env=TOKEN, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (3, "unverified"), done.stderr
    assert "this verdict is not recorded" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == [".truegreen"]


@pytest.mark.parametrize(
    "code",
    [
        "from truegreen.light_httpx import httpx\nassert 'rich' not in sys.modules",
        "import httpx as before\nfrom truegreen.light_httpx import httpx\nassert before is httpx",
    ],
    ids=["the first to import it", "somebody had it before"],
)
def test_httpx_without_its_command_line_is_httpx_all_the_same(code: str) -> None:
    used = "import httpx._main\nprint(httpx._main.main.name, httpx.Client().timeout.read)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{used}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stderr, done.stdout) == ("", "main 5.0\n")


def test_every_verb_is_a_command() -> None:
    context = click.Context(click.Command("truegreen"))
    for verb in VERBS:
        assert isinstance(GROUP.get_command(context, verb), click.Command)


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "truegreen", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-verb"],
        ["ship", "--no-such-option"],
        ["ship", "no-such-folder"],
        ["ship", "--allow-rewind", " "],
        ["rollback", "--anyway", ""],
        ["verify", "--release", "latest"],
        ["verify", "--env", "nowhere"],
        ["drill", "run"],
        ["drill", "run", "no-such-drill"],
        ["ledger", "list"],
        ["releases", "--platform", "ftp://example.com"],
    ],
)
def test_usage_errors_exit_2_with_a_sentence_and_nothing_on_standard_output(
    arguments: list[str], tmp_path: Path
) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_token_goes_to_no_plain_http_host_but_loopback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "releases", "--platform", "http://example.com"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin", "HEROKU_API_KEY": "very-secret"},
    )  # fmt: skip
    assert done.returncode == 2
    assert "very-secret" not in done.stderr


@pytest.mark.parametrize(
    "line",
    ["verify --commit", "verify --app", "verify --release", "verify --after", "verify --env",
     "verify --platform", "ship --env", "ship --enqueue --repository", "retry --release",
     "rollback --to", "watch --app", "releases --app", "gate --commit"],
)  # fmt: skip
def test_a_variable_that_is_not_set_is_no_name(tmp_path: Path, line: str) -> None:
    """``verify --commit "$SHA"`` was green of whatever serves, ``ship --env "$ENV"`` production."""
    verb, *options = line.split()
    folder = [] if verb == "gate" else [str(tmp_path)]
    for empty in ("", " "):
        with pytest.raises(UsageError, match=f"{options[-1]} is empty"):
            root.main([verb, *folder, *options, empty], standalone_mode=False)
