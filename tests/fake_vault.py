"""A Vault that knows one thing: the key-value store, version 2, over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VAULT_TOKEN = "hvs.the-vaults-own-t0ken"


@contextmanager
def fake_vault(secrets: Mapping[str, Mapping[str, Any]], *, raw: bytes = b"", status: int = 200)\
        -> Iterator[str]:  # fmt: skip
    """The address of a Vault with ``secrets`` by ``mount/path``. ``raw``: its answer to all."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            mount, _, path = self.path.removeprefix("/v1/").partition("/data/")
            found = secrets.get(f"{mount}/{path.partition('?')[0]}")
            if raw:
                self.answer(status, raw)
            elif self.headers.get("X-Vault-Token") != VAULT_TOKEN:
                self.answer(403, {"errors": ["permission denied"]})
            elif found is None:
                self.answer(404, {"errors": []})
            else:
                metadata = {"version": 1, "deletion_time": ""}
                self.answer(200, {"data": {"data": dict(found), "metadata": metadata}})

        def answer(self, code: int, told: Any) -> None:
            data = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            if 300 <= code < 400:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
