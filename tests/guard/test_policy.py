"""The guard's decision, as a function of mode, path and headers."""

import pytest

from truegreen.guard import GuardError, GuardPolicy
from truegreen.secret import Secret

KEY = "x-origin-secret"
ENFORCE = GuardPolicy("enforce", [Secret("right")])
FORGED = {"cf-connecting-ip": "203.0.113.9"}


@pytest.mark.parametrize(
    ("headers", "allowed", "reason"),
    [
        ({KEY: "right"}, True, "admitted"),
        ({}, False, "secret_missing"),
        ({KEY: ""}, False, "secret_missing"),
        (FORGED, False, "secret_missing"),
        ({KEY: "wrong"}, False, "secret_mismatch"),
        ({KEY: "Right"}, False, "secret_mismatch"),
        ({KEY: "right\u20ac"}, False, "secret_mismatch"),
        ({KEY: "right,right"}, False, "secret_duplicated"),
        ({KEY: "wrong,right"}, False, "secret_duplicated"),
    ],
)
def test_only_the_secret_lets_a_request_in(
    headers: dict[str, str], allowed: bool, reason: str
) -> None:
    decision = ENFORCE.decide("/", headers)
    assert (decision.allowed, decision.reason) == (allowed, reason)


def test_both_secrets_are_taken_while_rotating() -> None:
    policy = GuardPolicy("enforce", [Secret("new"), Secret("old")])
    assert policy.decide("/", {KEY: "new"}).allowed
    assert policy.decide("/", {KEY: "old"}).allowed
    assert not policy.decide("/", {KEY: "older"}).allowed


def test_a_latin_1_secret_is_compared_by_its_bytes() -> None:
    policy = GuardPolicy("enforce", [Secret("clé")])
    assert policy.decide("/", {KEY: "clé".encode("latin-1").decode("latin-1")}).allowed


def test_report_refuses_nothing_and_says_what_it_would_refuse() -> None:
    policy = GuardPolicy("report", [Secret("right")])
    decision = policy.decide("/", {})
    assert decision.allowed
    assert not decision.passed
    assert decision.reason == "secret_missing"
    assert GuardPolicy("report").decide("/", {KEY: "x"}).reason == "secret_unset"


def test_off_lets_everything_in() -> None:
    assert GuardPolicy("off").decide("/", {}) == (True, "guard_off", True)


@pytest.mark.parametrize("path", ["/health/", "/healthz", "//health", "/HEALTH", "/x/../health"])
def test_only_the_exact_path_is_exempt(path: str) -> None:
    policy = GuardPolicy("enforce", [Secret("right")], exempt={"/health"})
    assert policy.decide("/health", {}).reason == "exempt"
    assert not policy.decide(path, {}).allowed


def test_presence_alone_is_fooled_by_a_forged_header() -> None:
    that_day = GuardPolicy("enforce", checks=("presence_unsafe",))
    assert that_day.decide("/", FORGED).allowed
    assert that_day.decide("/", {}).reason == "connecting_ip_missing"
    both = GuardPolicy("enforce", [Secret("right")], checks=("presence_unsafe", "secret"))
    assert not both.decide("/", FORGED).allowed
    assert both.decide("/", FORGED | {KEY: "right"}).allowed


@pytest.mark.parametrize(
    ("mode", "secrets", "named"),
    [
        ("enforce", [], "without a secret"),
        ("Enforce", ["right"], "not known"),
        ("enforce", ["a", "b", "c"], "3 secrets"),
        ("enforce", [""], "empty"),
        ("enforce", ["with,comma"], "comma"),
        ("enforce", ["blank "], "blanks"),
        ("enforce", ["line\nbreak"], "control"),
        ("enforce", ["€uro"], "no header carries"),
    ],
)
def test_a_guard_that_could_not_guard_does_not_start(
    mode: str, secrets: list[str], named: str
) -> None:
    with pytest.raises(GuardError, match=named) as caught:
        GuardPolicy(mode, [Secret(one) for one in secrets])
    assert not any(one and one in str(caught.value) for one in secrets if len(one) > 3)


def test_a_policy_without_any_check_does_not_start() -> None:
    for checks in ((), ("secret", "vibes")):
        with pytest.raises(GuardError):
            GuardPolicy("enforce", [Secret("right")], checks=checks)


def test_the_environment_gives_both_secrets() -> None:
    environ = {"ORIGIN_SECRET": "new", "ORIGIN_SECRET_PREVIOUS": "old"}
    policy = GuardPolicy.from_environ(environ, mode="enforce")
    assert policy.decide("/", {KEY: "old"}).allowed
    with pytest.raises(GuardError, match="without a secret"):
        GuardPolicy.from_environ({"ORIGIN_SECRET": ""}, mode="enforce")


def test_the_policy_never_shows_its_secret() -> None:
    assert "right" not in repr(ENFORCE)
