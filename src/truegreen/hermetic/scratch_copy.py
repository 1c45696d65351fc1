"""A scratch database of one's own, asked of the server that holds the one at head.

SQLite is a file, which is copied; Postgres is asked over loopback. Only the asking is here: the
server is started and ended by whoever runs the suite (``truegreen.release.scratch_server``).
"""

from __future__ import annotations

SCHEME = "truegreen-copies://"  # truegreen-copies://TOKEN@127.0.0.1:PORT
_DEADLINE = 60.0  # seconds


def is_server(address: str) -> bool:
    return address.startswith(SCHEME)


def own_copy(address: str) -> str:
    """The URL of a new database, a copy of the one at head, with the scheme that Heroku gives it
    (``postgres://``), so that the service copes with it as it does there. Raises OSError."""
    import socket

    token, _, where = address.removeprefix(SCHEME).partition("@")
    host, _, port = where.partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_DEADLINE) as asking:
            asking.sendall(token.encode("ascii") + b"\n")
            said = b""
            while chunk := asking.recv(4096):
                said += chunk
    except OSError as error:
        raise ConnectionError(
            f"the temporary Postgres that {host}:{port} gave copies of is gone ({error}): it was "
            "killed, or whoever started it has ended; run the command again"
        ) from error
    url = said.decode("utf-8", "replace").strip()
    if not url.startswith("postgres://"):
        raise ConnectionError(f"no copy of the scratch database: {url or 'no answer'}")
    return url
