"""The attack matrix past the edge, behind both of Heroku's routers; the way through the edge."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from truegreen.embedded.router import RouterVersion
from truegreen.guard.attacks import Attack, matrix, must_be_refused
from truegreen.guard.selftest.exchange import Answer, Request
from truegreen.guard.selftest.urls import UrlDriver

from .apps import HEADER, HEALTH
from .front import HOST, NETWORKS, Front, in_front
from .servers import SECRET, Server, listening, running

ATTACKS = [
    attack
    for attack in matrix(HEADER, secret=SECRET, exempt=[HEALTH])
    if not attack.through_the_edge
    # Waitress makes the exempt path itself of this one: see test_servers.py.
    and attack.name != "exempt_doubled_slash/health"
    and attack.server != "credulous"  # under the real one in test_servers.py
]
SECRETS = {"GUARD_CHECKS": "secret"}
RANGES = {"GUARD_CHECKS": "ranges", "GUARD_NETWORKS": NETWORKS}
LEGACY = {"GUARD_PROFILE": "heroku-legacy"}


def got_through(driver: UrlDriver, attacks: list[Attack]) -> dict[str, Answer]:
    found = {}
    for attack in attacks:
        answer = driver.send(Request(attack.method, attack.target, attack.headers))
        refused = answer.says == "direct_origin_blocked" or not answer.body
        if answer.status != 403 or not refused:
            found[attack.name] = answer
    return found


def way(version: str, server: str, app: str, environ: dict[str, str]) -> object:
    name = f"{version}-{server}-{app}-{environ['GUARD_CHECKS']}"
    mark = pytest.mark.xdist_group(f"guard-{name}")
    return pytest.param((version, server, app, environ), id=name, marks=mark)


@pytest.fixture(
    scope="module",
    params=[
        way(*one)
        for one in (
            ("2.0", "gunicorn", "flask", SECRETS),
            ("legacy", "gunicorn", "flask", SECRETS | LEGACY),
            ("2.0", "waitress", "wsgi", RANGES),
            ("2.0", "uvicorn", "starlette", RANGES),
            ("legacy", "uvicorn", "fastapi", RANGES | LEGACY),
            ("legacy", "waitress", "django_wsgi", SECRETS | LEGACY),
        )
    ],
)
def front(request: pytest.FixtureRequest) -> Iterator[tuple[Front, str]]:
    version, server, app, environ = request.param
    with running(server, app, environ) as driver, in_front(version, SECRET, driver.port) as made:
        yield made, environ["GUARD_CHECKS"]


def test_nothing_gets_past_the_guard_beside_the_edge(front: tuple[Front, str]) -> None:
    made, checks = front
    caught = [attack for attack in ATTACKS if must_be_refused(attack, [checks])]
    assert len(caught) > 60
    assert got_through(made.past_the_edge, caught) == {}


def test_everything_gets_in_through_the_edge_for_it_overwrites_what_was_forged(
    front: tuple[Front, str],
) -> None:
    made, _ = front
    for attack in ATTACKS:
        if attack.method == "GET" and attack.name != "websocket_upgrade":
            answer = made.through_the_edge.send(Request("GET", attack.target, attack.headers))
            assert answer.status == 200, (attack, answer)
            if attack.name not in ("secret_underscored", "secret_prefixed"):  # other headers
                assert json.loads(answer.body)["secret_seen"] is False, attack


@pytest.mark.parametrize(("version", "through"), [("2.0", False), ("legacy", True)])
def test_ranges_alone_in_wsgi_are_fooled_where_router_2_was_declared_and_legacy_is_there(
    version: RouterVersion, through: bool
) -> None:
    """What the matrix says of a second X-Forwarded-For line is true: it is why that is refused."""
    fooled = [attack.name for attack in ATTACKS if attack.legacy_join] if through else []
    with running("waitress", "wsgi", RANGES) as driver, in_front(version, "-", driver.port) as made:
        assert sorted(got_through(made.past_the_edge, ATTACKS)) == sorted(fooled)


def test_ranges_alone_in_wsgi_behind_the_legacy_router_do_not_start() -> None:
    with listening() as made:
        process = Server("gunicorn", "flask", made, RANGES | LEGACY | {"ORIGIN_SECRET": SECRET})
        status, said = process.ended()
    assert status not in (0, -15)
    assert "ranges alone behind heroku-legacy can be forged" in said


@pytest.mark.parametrize(
    ("mode", "stops", "expected"),
    [("enforce", False, 0), ("report", False, 1), ("enforce", True, 3)],
    ids=["holds", "report", "origin away"],
)
def test_the_selftest_asks_a_pair_of_urls(
    mode: str, stops: bool, expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    from truegreen.cli.guard_selftest import command

    with (
        running("gunicorn", "flask", {"GUARD_MODE": mode}) as driver,
        in_front("2.0", SECRET, driver.port) as made,
    ):
        made.dynos = [] if stops else made.dynos
        edge = f"http://{HOST}:{made.edge_port}"
        origin = f"http://{HOST}:{made.router_port}"
        options = ["--edge", edge, "--origin", origin, "--exempt", HEALTH, "--json"]
        code = command.main(options, standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert (code, bool(document["through"])) == (expected, expected == 1), document
    assert "own_zone" in document["skipped"]


def test_a_rule_that_does_not_set_the_secret_leaves_the_selftest_without_a_control(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from truegreen.cli.guard_selftest import command

    with (
        running("gunicorn", "flask") as driver,
        in_front("2.0", "another-secret", driver.port) as made,
    ):
        edge = f"http://{HOST}:{made.edge_port}"
        origin = f"http://{HOST}:{made.router_port}"
        code = command.main(["--edge", edge, "--origin", origin], standalone_mode=False)
    assert code == 3
    assert "legitimate (edge)" in capsys.readouterr().out
