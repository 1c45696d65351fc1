"""A webhook is a hint when it is genuine, and nothing else: it moves an app to the front."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
from pathlib import Path

import pytest

from truegreen.ledger import Ledger
from truegreen.secret import Secret
from truegreen.state import locate
from truegreen.watch.hints import LARGEST, SIGNATURE, delivery_of, genuine, listening
from truegreen.watch.run import look_on

from .platform import Apps, Clock

KEY = Secret("s3cret")
BODY = json.dumps({"resource": "release", "data": {"app": {"name": "a"}}}).encode()


def signed(body: bytes, key: str = "s3cret") -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def test_only_the_signature_of_this_body_under_this_secret_is_genuine() -> None:
    assert genuine(BODY, signed(BODY), KEY)
    for forged in ("", "ü", "====", signed(BODY, "other"), signed(BODY + b" "), signed(BODY)[:-4]):
        assert not genuine(BODY, forged, KEY)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (BODY, "a"),
        (b'{"resource": "app", "data": {"name": "b"}}', "b"),
        (b'{"resource": "build", "data": {"name": "b"}}', ""),
        (b'{"data": {"app": {"name": 5}}}', ""),
        (b"[]", ""),
        (b"", ""),
        (b"\xff", ""),
    ],
)
def test_a_delivery_names_its_app_or_nobody(body: bytes, name: str) -> None:
    assert delivery_of(body).app == name


def post(port: int, body: bytes, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/", body, {k.replace("_", "-"): v for k, v in headers.items()})
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_server_takes_genuine_deliveries_and_no_others() -> None:
    told: list[str] = []
    with listening(0, KEY, told.append) as port:
        assert post(port, BODY, **{SIGNATURE: signed(BODY)}) == 204
        assert post(port, BODY, **{SIGNATURE: signed(BODY, "other")}) == 401
        assert post(port, BODY) == 401
        assert post(port, b"", Content_Length=str(LARGEST + 1)) == 413
        assert post(port, b"", Content_Length="x") == 411
    assert told == ["a"]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_watch_takes_hints_while_it_runs(tmp_path: Path) -> None:
    clock, said, answers = Clock(), list[str](), list[int]()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if not answers:
            port = int(said[0].rpartition(":")[2].strip("/"))
            answers.append(post(port, BODY, **{SIGNATURE: signed(BODY)}))

    with Ledger.open(locate(tmp_path)) as ledger:
        look_on(
            Apps("a"), ["a"], ledger=ledger, seconds=5, every=2, calls_per_hour=3600,
            say=said.append, clock=clock, sleep=sleep, hints=(0, KEY),
        )  # fmt: skip
    assert answers == [204]
