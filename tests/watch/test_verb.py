"""``truegreen watch`` from outside, against an API over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

import truegreen
from truegreen.cli.watch import command

SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "watch.json"
TOKEN = "a-t0ken-that-nobody-must-see"
AT = "2026-06-21T19:32:00Z"
RELEASE = {
    "id": "r1", "version": 1, "status": "succeeded", "current": True, "slug": None,
    "output_stream_url": None, "description": "", "created_at": AT, "user": None,
}  # fmt: skip
ANSWERS = {
    "/apps": [{"id": "1", "name": "app-a", "released_at": AT}, {"id": "2", "name": "app-b"}],
    "releases": [RELEASE],
    "config-vars": {},
    "formation": [],
    "dynos": [],
}


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path, ANSWERS.get(self.path.rpartition("/")[2]))
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", '"1"')
        self.send_header("RateLimit-Remaining", "4000")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        return


@contextmanager
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def watch(folder: Path, *options: str) -> Result:
    with api() as url:
        (folder / "truegreen.toml").write_text(
            f'[service]\nname = "a"\n[env.production]\napp = "app-a"\nplatform = "{url}"\n'
        )
        (folder / "token").write_text(TOKEN)
        environ = {"TRUEGREEN_API_TOKEN": TOKEN, "TRUEGREEN_DATABASE_URL": ""}
        return CliRunner().invoke(command, [str(folder), *options], env=environ)


def test_all_apps_are_watched_and_the_document_fits_its_schema(tmp_path: Path) -> None:
    result = watch(tmp_path, "--all", "--for", "0.6", "--json")
    assert result.exception is None, result.output
    told = json.loads(result.stdout)
    jsonschema.validate(told, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert (told["apps"], told["looks"], told["pressure"]["watches"]) == (2, 2, 1)
    kept = b"".join(
        file.read_bytes()
        for file in (tmp_path / ".truegreen").iterdir()
        if file.name.startswith("watch")
    )
    assert b"bucket" in kept
    assert TOKEN.encode() not in kept


@pytest.mark.parametrize("options", [("--hints", "0"), ("--hints-secret", "env:X")])
def test_webhooks_need_a_port_and_a_secret(tmp_path: Path, options: tuple[str, ...]) -> None:
    result = watch(tmp_path, *options)
    assert "both --hints and --hints-secret" in str(result.exception)
