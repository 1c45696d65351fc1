"""The guard's decision, as a function of mode, path and headers."""

import pytest

from truegreen.guard import HEROKU, GuardError, GuardPolicy, Ranges, Tally, reasons
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
    assert policy.decide("/health", {KEY: "right"}).reason == "admitted"
    assert not policy.decide(path, {}).allowed


@pytest.mark.parametrize("mode", ["off", "report", "enforce"])
@pytest.mark.parametrize("path", ["/", "/health"])
@pytest.mark.parametrize("reason", [one for one in reasons.REASONS if one != reasons.EXEMPT])
def test_what_an_adapter_concludes_is_what_is_decided(mode: str, path: str, reason: str) -> None:
    seen: list[tuple[str, bool]] = []
    tally = Tally(observe=lambda *told: seen.append(told), clock=lambda: 7.0)
    policy = GuardPolicy(mode, [Secret("right")], exempt={"/health"}, tally=tally)
    allowed, counted = policy.settle(reason, path)
    assert policy.conclude(reason, path, None) == allowed
    assert (policy.tally.counts, seen) == ({counted: 1}, [(counted, allowed)])
    assert policy.last_refused_at == (None if allowed else 7.0)
    assert policy.tally.refusals == (counted not in reasons.LET_IN)


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


@pytest.mark.parametrize("header", ["", "-", "X Secret", "X-Secret:", "X-Gr\xf6\xdfe", "X\nY"])
def test_a_header_that_cannot_be_one_does_not_start(header: str) -> None:
    with pytest.raises(GuardError, match="no header's name"):
        GuardPolicy("enforce", [Secret("right")], header)


def test_a_policy_without_any_check_does_not_start() -> None:
    for checks in ((), ("secret", "vibes")):
        with pytest.raises(GuardError):
            GuardPolicy("enforce", [Secret("right")], checks=checks)


def test_the_environment_gives_both_secrets() -> None:
    environ = {"ORIGIN_SECRET": "the-new-one", "ORIGIN_SECRET_PREVIOUS": "the-old-one"}
    policy = GuardPolicy.from_environ(environ, mode="enforce")
    assert policy.decide("/", {KEY: "the-old-one"}).allowed
    with pytest.raises(GuardError, match="without a secret"):
        GuardPolicy.from_environ({"ORIGIN_SECRET": ""}, mode="enforce")
    assert GuardPolicy.from_environ({"ORIGIN_SECRET": "no,secret"}, mode="off").mode == "off"


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize("name", ["ORIGIN_SECRET", "ORIGIN_SECRET_PREVIOUS"])
@pytest.mark.parametrize(
    "placeholder", ["1", "true", "secret", "s" * 7, "geh\xebim-long", "\udcff" * 9]
)
def test_a_placeholder_is_no_secret(mode: str, name: str, placeholder: str) -> None:
    environ = {"ORIGIN_SECRET": "long-enough", name: placeholder}
    says = "less than 8 characters" if placeholder.isascii() else "characters beyond ASCII"
    with pytest.raises(GuardError, match=f"{name} has {says}") as caught:
        GuardPolicy.from_environ(environ, mode=mode)
    assert f"{placeholder!r}" not in str(caught.value)


class Bouncer:
    def reason(self, token: str | None) -> str:
        return "" if token == "good" else "access_missing"


EVERYTHING = {
    "header": "X-Ours", "exempt": {"/health"}, "ranges": Ranges(["104.16.0.0/13"]),
    "profile": HEROKU, "workers": {"ours.example"}, "access": Bouncer(), "tally": Tally(),
    "client_header": "X-Visitor",
    "checks": ["access", "presence_unsafe", "worker", "ranges", "secret"],
}  # fmt: skip


def test_the_environment_gives_no_more_than_the_secrets() -> None:
    policy = GuardPolicy.from_environ({"ORIGIN_SECRET": "x" * 9}, mode="report", **EVERYTHING)  # type: ignore[arg-type]
    assert policy.checks == ("secret", "ranges", "worker", "access", "presence_unsafe")
    assert (policy.header, policy.exempt, policy.profile) == ("X-Ours", {"/health"}, HEROKU)
    assert (policy.ranges, policy.tally) == (EVERYTHING["ranges"], EVERYTHING["tally"])
    request = {"x-ours": "x" * 9, "x-forwarded-for": "104.16.0.1", "cf-worker": "ours.example",
               "cf-access-jwt-assertion": "good", "x-visitor": "203.0.113.9"}  # fmt: skip
    assert policy.decide("/", request).reason == "admitted"
    for name, reason in zip(
        policy.headers,
        ("secret_missing", "connecting_ip_missing", "address_missing", None, "access_missing"),
        strict=True,
    ):
        without = {key: value for key, value in request.items() if key != name}
        assert policy.decide("/", without).reason == (reason or "admitted")
    assert policy.decide("/", request | {"cf-worker": "theirs"}).reason == "worker_refused"


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({}, (KEY, "cf-connecting-ip")),
        ({"header": "X-Ours", "client_header": ""}, ("x-ours",)),
        ({"client_header": "", "checks": ["presence_unsafe"]}, (KEY, "cf-connecting-ip")),
        ({"ranges": Ranges(["::/0"], client_header="Who"), "profile": HEROKU},
         (KEY, "who", "x-forwarded-for")),
        ({"workers": ()}, (KEY, "cf-connecting-ip", "cf-worker")),
        ({"access": Bouncer()}, (KEY, "cf-connecting-ip", "cf-access-jwt-assertion")),
    ],
)  # fmt: skip
def test_a_policy_names_the_headers_it_looks_at(
    settings: dict[str, object], headers: tuple[str, ...]
) -> None:
    assert GuardPolicy("enforce", [Secret("right")], **settings).headers == headers  # type: ignore[arg-type]


def test_the_edges_word_on_its_visitor_counts_where_the_edge_was_proved() -> None:
    for mode, checks, believes in (
        ("enforce", ["secret"], True),
        ("report", ["secret"], True),
        ("off", ["secret"], False),
        ("enforce", ["presence_unsafe"], False),
    ):
        assert GuardPolicy(mode, [Secret("right")], checks=checks).believes is believes
    assert not GuardPolicy("enforce", checks=["access"], access=Bouncer()).believes
    listed = {"ranges": EVERYTHING["ranges"], "profile": HEROKU}
    assert GuardPolicy("enforce", checks=["ranges"], **listed).believes  # type: ignore[arg-type]


def test_the_policy_never_shows_its_secret() -> None:
    assert "right" not in repr(ENFORCE)
