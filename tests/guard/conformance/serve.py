"""Serves ``apps.NAME()`` on the listening socket that was handed down: serve.py SERVER NAME FD."""

import socket
import sys


def main(server: str, name: str, number: int) -> None:
    import apps

    listening = socket.socket(fileno=number)
    app = getattr(apps, name)()
    if server == "uvicorn":
        import uvicorn

        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
    else:
        import waitress

        # Waitress drops X-Forwarded-For unless told otherwise, and the check `ranges` then refuses.
        keeps = {"clear_untrusted_proxy_headers": False}
        waitress.serve(app, sockets=[listening], threads=4, ident=None, **keeps)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
