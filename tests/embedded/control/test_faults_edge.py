"""The edge's further settings as faults, and what `verify` makes of what it then sees."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from truegreen.embedded import faults
from truegreen.errors import UsageError
from truegreen.verify.probe import Prober

pytestmark = pytest.mark.platform
WEB = """
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"commit": os.environ["COMMIT"], "headers": found}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
address = (os.environ["HOST"], int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def client(shared: Any) -> Any:
    shared.post("/apps", {"name": "shop"})
    shared.patch("/apps/shop/config-vars", {"ORIGIN_SECRET": "s3cret", "COMMIT": "old"})
    shared.deploy("shop", {**shared.APP, "app.py": WEB})
    shared.up("shop", 3)
    return shared


def ask(client: Any, **headers: str) -> Any:
    return client.http.get(client.info.edge, headers={"Host": "shop.localhost", **headers})


def probed(client: Any) -> Any:
    with httpx.Client(trust_env=False) as http:
        return Prober(http).get(client.info.edge, {"Host": "shop.localhost"})


def test_a_challenge_page_is_one_to_verify_too(client: Any) -> None:
    with faults.injected(faults.EdgeChallenge(app="shop"), platform=client.info):
        answer = probed(client)
        assert (answer.status, answer.interstitial) == (403, "challenge page")
        assert answer.headers["server"] == "cloudflare"
        assert client.ask(client.info.router, "shop")  # the origin itself is not behind it
    assert probed(client).interstitial == ""


def test_a_challenge_page_with_200_says_only_in_its_body_what_it_is(client: Any) -> None:
    with faults.injected(faults.EdgeChallenge(app="shop", status=200), platform=client.info):
        answer = probed(client)
    assert (answer.status, answer.interstitial) == (200, "challenge page")
    assert "cf-mitigated" not in answer.headers
    with pytest.raises(UsageError, match="404"):
        faults.EdgeChallenge(status=404)


def test_a_login_page_is_one_to_verify_too(client: Any) -> None:
    with faults.injected(faults.EdgeLogin(app="shop"), platform=client.info):
        answer = probed(client)
    assert (answer.status, answer.interstitial) == (302, "login page")


def test_a_cached_get_tells_the_old_commit_after_the_new_one_serves(client: Any) -> None:
    with faults.injected(faults.EdgeCached(app="shop"), platform=client.info):
        first = ask(client)
        assert (first.headers["CF-Cache-Status"], first.json()["commit"]) == ("MISS", "old")
        client.patch("/apps/shop/config-vars", {"COMMIT": "new"})
        client.eventually(lambda: "new" in client.ask(client.info.router, "shop"))
        cached = ask(client, **{"Cache-Control": "no-cache"})
        assert (cached.headers["CF-Cache-Status"], cached.json()["commit"]) == ("HIT", "old")
        assert int(cached.headers["Age"]) >= 0
        assert probed(client).commit == "old"
    fresh = ask(client)
    assert (fresh.headers["CF-Cache-Status"], fresh.json()["commit"]) == ("DYNAMIC", "new")
    with faults.injected(faults.EdgeCached(app="shop"), platform=client.info):
        emptied = ask(client)
        assert (emptied.headers["CF-Cache-Status"], emptied.json()["commit"]) == ("MISS", "new")


def test_hidden_visitors_leave_no_address_but_the_edges(client: Any) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "True-Client-IP": "203.0.113.9"}
    with faults.injected(faults.EdgeHidesVisitor(app="shop"), platform=client.info):
        seen = ask(client, **forged).json()["headers"]
    assert "cf-connecting-ip" not in seen
    assert "203.0.113.9" not in str(seen)
    assert seen["x-origin-secret"] == "s3cret"


def test_another_zone_sets_no_secret_and_lets_a_forged_one_pass(client: Any) -> None:
    with faults.injected(faults.EdgeOtherZone(app="shop"), platform=client.info):
        seen = ask(client).json()["headers"]
        assert "x-origin-secret" not in seen
        assert seen["cf-connecting-ip"] == "127.0.0.1"
        forged = ask(client, **{"X-Origin-Secret": "guess"}).json()["headers"]
        assert forged["x-origin-secret"] == "guess"
    assert ask(client).json()["headers"]["x-origin-secret"] == "s3cret"


def test_the_edge_of_another_app_is_left_alone(client: Any) -> None:
    with faults.injected(faults.EdgeChallenge(app="other"), platform=client.info):
        assert ask(client).status_code == 200
