"""What the guard's benchmark measures with: requests as a server makes them, and the race itself.

Every call gets a request of its own, of fresh strings, made outside the timed part, in batches
small enough to be in the processor's cache still: a server has just made its request, too.
"""

from __future__ import annotations

import gc
import ipaddress
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from truegreen.guard.ranges import edges

ROUNDS, BATCHES, CALLS = 31, 15, 20
SECRET = "5f0c" * 16  # as long as `openssl rand -hex 32` makes it
TEXTS: list[str] = json.loads((edges() / "cloudflare.json").read_text())["networks"]
NETWORKS = [ipaddress.ip_network(one) for one in TEXTS]
V4 = [one for one in NETWORKS if one.version == 4]

Request = dict[str, Any]
Call = Callable[[Any], Any]
Make = Callable[[], list[Any]]
Race = dict[str, tuple[Call, Make]]


def in_edge() -> str:
    """An address of Cloudflare's, every v4 network as likely as another."""
    network = random.choice(V4)
    return str(network[random.randrange(network.num_addresses)])


def visitor() -> str:
    return str(ipaddress.IPv4Address(random.randrange(1 << 24, 223 << 24)))


def requests(make: Callable[..., Request], who: str, secret: str | None = SECRET) -> Make:
    """``who`` asks: "returning" (50 visitors), "new" (no visitor twice, by 200 addresses of the
    edge, about what one sees of it) or "new edge" (no address of either twice)."""
    ways = [in_edge() for _ in range(200)]
    known = [(visitor(), random.choice(ways)) for _ in range(50)]

    def made() -> list[Request]:
        if who == "new":
            return [make(visitor(), fresh(random.choice(ways)), secret) for _ in range(CALLS)]
        if who == "new edge":
            return [make(visitor(), in_edge(), secret) for _ in range(CALLS)]
        return [make(*random.choice(known), secret) for _ in range(CALLS)]

    return made


def environ(client: str, edge: str, secret: str | None) -> Request:
    """A WSGI environ as gunicorn makes it behind Heroku and Cloudflare."""
    made = {
        "wsgi.errors": sys.stderr, "wsgi.version": (1, 0), "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False, "SERVER_SOFTWARE": "gunicorn",
        "wsgi.input": None, "REQUEST_METHOD": "GET", "QUERY_STRING": "", "RAW_URI": "/api/v1/x",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "api.example.com", "HTTP_ACCEPT": "*/*",
        "HTTP_USER_AGENT": "Mozilla/5.0", "HTTP_ACCEPT_ENCODING": "gzip, br", "HTTP_CDN_LOOP": "cf",
        "HTTP_CF_IPCOUNTRY": "DE", "HTTP_CF_RAY": "8a1-FRA", "HTTP_CF_VISITOR": "{}",
        "HTTP_CF_CONNECTING_IP": fresh(client), "HTTP_X_FORWARDED_FOR": f"{client}, {edge}",
        "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_PORT": "443",
        "HTTP_X_REQUEST_ID": "0", "HTTP_X_REQUEST_START": "1", "HTTP_VIA": "1.1 heroku-router",
        "wsgi.url_scheme": "https", "REMOTE_ADDR": "10.1.2.3", "REMOTE_PORT": "4711",
        "SERVER_NAME": "0.0.0.0", "SERVER_PORT": "80", "PATH_INFO": "/api/v1/x", "SCRIPT_NAME": "",
    }  # fmt: skip
    if secret is not None:
        made["HTTP_X_ORIGIN_SECRET"] = fresh(secret)
    return made


def scope(client: str, edge: str, secret: str | None) -> Request:
    """The same request as uvicorn makes it: 16 headers, their names and values fresh bytes."""
    headers = [
        (key[5:].lower().replace("_", "-").encode(), str(value).encode())
        for key, value in environ(client, edge, secret).items()
        if key.startswith("HTTP_")
    ]
    return {
        "type": "http", "asgi": {}, "http_version": "1.1", "server": ("0.0.0.0", 80),
        "client": ("10.1.2.3", 4711), "scheme": "https", "method": "GET", "root_path": "",
        "path": "/api/v1/x", "raw_path": b"/api/v1/x", "query_string": b"", "headers": headers,
    }  # fmt: skip


def fresh(text: str) -> str:
    """The same text as another object, whose hash nobody has computed yet."""
    return text.encode().decode()


def race(subjects: Race) -> dict[str, list[float]]:
    """Nanoseconds a call, by round: the median of its batches. In a round the subjects take turns,
    another one first in each."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    names = list(subjects)
    for turn in range(ROUNDS):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            call, make = subjects[name]
            batches = []
            for _ in range(BATCHES):
                made = make()
                gc.disable()
                began = time.perf_counter_ns()
                for one in made:
                    call(one)
                batches.append((time.perf_counter_ns() - began) / len(made))
                gc.enable()
            found[name].append(statistics.median(batches))
    return found


def added(rounds: list[float], base: list[float]) -> float:
    """Microseconds that a subject adds to what it wraps, each in its best round."""
    return (min(rounds) - min(base)) / 1e3


def usually_added(rounds: list[float], base: list[float]) -> float:
    """The same in the rounds' median."""
    return (statistics.median(rounds) - statistics.median(base)) / 1e3


def hundred_additions(_request: Request) -> None:
    """A loop that everybody can run: how fast this machine is, in these rounds."""
    total = 0
    for number in range(100):
        total += number


def start_response(status: str, headers: list[tuple[str, str]]) -> None: ...


def no_op(_environ: Request, _start_response: Any) -> list[bytes]:
    return []


async def no_op_asgi(scope: Any, receive: Any, send: Any) -> None: ...


async def passes_on(scope: Any, receive: Any, send: Any) -> None:
    """What any middleware costs that is a coroutine."""
    return await no_op_asgi(scope, receive, send)


async def looks_at_headers(scope: Any, receive: Any, send: Any) -> None:
    """The least that a middleware does that must find two headers, and know that none is twice."""
    for name, _value in scope["headers"]:
        if name in (b"x-origin-secret", b"x-forwarded-for"):
            continue
    return await no_op_asgi(scope, receive, send)


async def swallow(message: Any) -> None: ...


def wsgi(app: Any) -> Call:
    return lambda request: app(request, start_response)


def asgi(app: Any) -> Call:
    def call(request: Any) -> None:
        try:
            app(request, None, swallow).send(None)
        except StopIteration:
            return

    return call
