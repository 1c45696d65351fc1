"""Cloudflare Access tokens: what passes, what does not, keys that rotate and keys that are old."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from truegreen.errors import Unverified
from truegreen.guard import GuardError, GuardPolicy, access
from truegreen.guard.access import DAY, AccessVerifier
from truegreen.guard.access_keys import KeyRefresher

TEAM = "https://raxx.cloudflareaccess.com"
NOW = 1_770_000_000.0
KEYS = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048) for kid in "abz"}


def jwks(*kids: str) -> dict[str, Any]:
    return {
        "keys": [
            json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[kid].public_key()))
            | {"kid": kid, "alg": "RS256", "use": "sig"}
            for kid in kids
        ]
    }


def token(kid: str = "a", signer: str | None = None, drop: str = "", **claims: Any) -> str:
    payload = {"aud": ["app"], "iss": TEAM, "exp": NOW + 600, "nbf": NOW - 5, "iat": NOW - 5}
    payload |= claims
    payload.pop(drop, None)
    return jwt.encode(payload, KEYS[signer or kid], algorithm="RS256", headers={"kid": kid})


def verifier(*kids: str, **more: Any) -> tuple[AccessVerifier, list[float]]:
    now = [NOW]
    made = AccessVerifier(
        TEAM, ["app"], jwks(*kids) if kids else None, clock=lambda: now[0], **more
    )
    return made, now


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (token(), ""),
        (token(aud="app"), ""),
        (token(aud=["other", "app"]), ""),
        (None, "access_missing"),
        ("", "access_missing"),
        ("nonsense", "access_malformed"),
        ("a.b.c", "access_malformed"),
        ("\xff.\xff.\xff", "access_malformed"),
        ("x" * 20_000, "access_malformed"),
        (token("z"), "access_key_unknown"),
        (token("a", signer="z"), "access_signature"),
        (token(aud=["other"]), "access_audience"),
        (token(iss="https://evil.cloudflareaccess.com"), "access_issuer"),
        (token(exp=NOW - 31), "access_expired"),
        (token(nbf=NOW + 31), "access_expired"),
        (token(exp=NOW - 29), ""),  # clocks differ
        (token(drop="exp"), "access_malformed"),
        (token(drop="aud"), "access_malformed"),
        (token(drop="iss"), "access_malformed"),
        (jwt.encode({"aud": "app", "iss": TEAM, "exp": NOW + 9}, None, "none", {"kid": "a"}),
         "access_malformed"),
        (jwt.encode({"aud": "app", "iss": TEAM, "exp": NOW + 9}, "k" * 64, "HS256", {"kid": "a"}),
         "access_malformed"),
    ],
)  # fmt: skip
def test_only_a_token_of_the_team_for_the_application_passes(sent: str | None, reason: str) -> None:
    checked, _ = verifier("a")
    assert checked.reason(sent) == reason
    assert checked.reason(sent) == reason  # the second time from memory


def test_a_nested_bomb_is_a_refusal() -> None:
    bomb = base64.urlsafe_b64encode(b"[" * 12_000).decode().rstrip("=")
    checked, _ = verifier("a")
    assert checked.reason(f"{bomb[:15_000]}.e30.x") == "access_malformed"


def test_a_token_that_was_verified_once_still_expires() -> None:
    checked, now = verifier("a")
    sent = token()
    assert checked.reason(sent) == ""
    now[0] = NOW + 631
    assert checked.reason(sent) == "access_expired"


def test_the_key_before_a_rotation_stays_valid_for_seven_days() -> None:
    checked, now = verifier("a")
    old = token("a", exp=NOW + 90 * DAY)
    assert checked.reason(old) == ""
    checked.replace_keys(jwks("b"))
    assert checked.reason(old) == ""
    assert checked.reason(token("b")) == ""
    now[0] = NOW + 5 * DAY
    checked.replace_keys(jwks("b"))  # read again: the seven days do not start anew
    assert checked.reason(old) == ""
    now[0] = NOW + 7 * DAY + 1
    assert checked.reason(old) == "access_key_unknown"


def test_keys_are_believed_for_seven_days_unless_told_otherwise() -> None:
    checked, now = verifier("a")
    sent = token(exp=NOW + 90 * DAY)
    now[0] = NOW + 7 * DAY
    assert checked.reason(sent) == ""
    now[0] += 1
    assert checked.reason(sent) == "access_keys_stale"


def test_what_was_verified_is_remembered_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_KEPT", 3)
    checked, _ = verifier("a")
    for number in range(8):
        assert checked.reason(token(iat=NOW - number)) == ""
        assert len(checked._verified) <= 3


def test_keys_that_are_too_old_or_not_there_let_nobody_in() -> None:
    checked, now = verifier("a", max_age=DAY)
    sent = token(exp=NOW + 9 * DAY)
    assert checked.reason(sent) == ""
    now[0] = NOW + DAY + 1
    assert checked.reason(sent) == "access_keys_stale"
    assert checked.keys_age == DAY + 1
    empty, _ = verifier()
    assert empty.reason(sent) == "access_keys_stale"
    policy = GuardPolicy("enforce", checks=["access"], access=empty)
    assert not policy.decide("/", {"cf-access-jwt-assertion": sent}).allowed


ONE = jwks("b")["keys"][0]


@pytest.mark.parametrize(
    "document",
    [{}, {"keys": []}, {"keys": [{}, 3, {"kty": "RSA", "kid": "x"}]}, {"keys": 3}, [],
     {"keys": [ONE | {"alg": "RS512"}, ONE | {"kid": 3}, ONE | {"kty": "EC"}]},
     {"keys": [{name: ONE[name] for name in ("kty", "n", "e")}]}],
)  # fmt: skip
def test_a_document_without_keys_changes_nothing(document: Any) -> None:
    checked, _ = verifier("a")
    with pytest.raises(GuardError, match="no RSA key"):
        checked.replace_keys(document)
    assert checked.reason(token()) == ""


@pytest.mark.parametrize(
    ("team", "audiences"),
    [("raxx", ["app"]), ("http://raxx", ["app"]), (TEAM + "/", ["app"]), (TEAM, []), (TEAM, [""]),
     (TEAM, "app")],
)  # fmt: skip
def test_a_verifier_that_could_not_verify_does_not_start(team: str, audiences: Any) -> None:
    with pytest.raises(GuardError):
        AccessVerifier(team, audiences)


def test_refreshing_reads_the_teams_address_and_keeps_keys_when_it_fails() -> None:
    checked, _ = verifier("a")
    asked: list[str] = []
    answers: Iterator[str] = iter(["<html>", json.dumps(jwks("b"))])

    def fetch(url: str) -> str:
        asked.append(url)
        return next(answers)

    refresher = KeyRefresher(checked, fetch=fetch)
    with pytest.raises(Unverified):
        refresher.refresh()
    assert checked.reason(token("a")) == ""
    assert refresher.refresh() == ("b",)
    assert checked.reason(token("b")) == ""
    assert set(asked) == {f"{TEAM}/cdn-cgi/access/certs"}


@pytest.mark.parametrize("listened", [True, False])
def test_the_thread_tries_again_after_a_failure_and_ends(listened: bool) -> None:
    checked, _ = verifier()
    failures: list[Exception] = []
    answers: Iterator[str] = iter(["nonsense", "[" * 100_000, "", json.dumps(jwks("a"))])

    def fetch(_url: str) -> str:
        if answer := next(answers):
            return answer
        raise LookupError("of the caller's own")

    def failed(error: Exception) -> None:
        failures.append(error)
        raise error

    refresher = KeyRefresher(
        checked,
        retry=0.01,
        fetch=fetch,
        failed=failed if listened else None,
    )
    refresher.start()
    refresher.start()
    running = [one for one in threading.enumerate() if one.name == "truegreen-access"]
    until = time.monotonic() + 30
    while checked.keys_age is None and time.monotonic() < until:
        time.sleep(0.01)
    refresher.stop()
    assert [(one.daemon, one.is_alive()) for one in running] == [(True, False)]
    kinds = [Unverified, Unverified, LookupError]
    assert [type(one) for one in failures] == (kinds if listened else [])
    assert checked.reason(token("a")) == ""


def test_what_never_began_can_be_stopped() -> None:
    KeyRefresher(verifier()[0]).stop()
