"""The walkthrough: steps in order, progress a person."""

from __future__ import annotations

from datetime import UTC, datetime

from flask.testing import FlaskClient
from raptor.beta.walkthrough import STEPS, next_step, report

NAMES = [step.name for step in STEPS]
DAY = datetime(2026, 6, 21, 19, 35, tzinfo=UTC)


def step(name: str) -> str:
    return f"/beta/walkthrough/steps/{name}"


def test_steps_are_taken_in_order_to_the_end(client: FlaskClient, sign_in) -> None:
    ada = sign_in()
    assert client.get("/beta/walkthrough", headers=ada).get_json()["next"] == NAMES[0]

    for done, name in enumerate(NAMES, start=1):
        response = client.post(step(name), headers=ada)
        assert response.status_code == 201
        assert response.get_json()["completed"] == done

    body = client.get("/beta/walkthrough", headers=ada).get_json()
    assert (body["completed"], body["total"], body["next"]) == (len(NAMES), len(NAMES), None)
    assert all(one["completed_at"].endswith("+00:00") for one in body["steps"])


def test_a_step_is_not_taken_before_the_one_that_comes_first(client: FlaskClient, sign_in) -> None:
    ada = sign_in()
    response = client.post(step(NAMES[1]), headers=ada)
    assert (response.status_code, response.get_json()) == (
        409,
        {"error": "another_step_comes_first", "next": NAMES[0]},
    )
    assert client.get("/beta/walkthrough", headers=ada).get_json()["completed"] == 0


def test_a_step_done_again_changes_nothing(client: FlaskClient, sign_in) -> None:
    ada = sign_in()
    first = client.post(step(NAMES[0]), headers=ada)
    again = client.post(step(NAMES[0]), headers=ada)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()


def test_progress_is_a_persons_own(client: FlaskClient, sign_in) -> None:
    ada, grace = sign_in("ada@example.com"), sign_in("grace@example.com")
    client.post(step(NAMES[0]), headers=ada)
    assert client.get("/beta/walkthrough", headers=grace).get_json()["completed"] == 0


def test_a_step_that_does_not_exist_is_named_as_such(client: FlaskClient, sign_in) -> None:
    response = client.post(step("jump"), headers=sign_in())
    assert (response.status_code, response.get_json()) == (
        404,
        {"error": "no_such_step", "steps": NAMES},
    )


def test_a_step_that_was_put_in_later_is_next_for_those_who_had_passed() -> None:
    done = {name: DAY for name in NAMES if name != NAMES[1]}
    following = next_step(done)
    assert following is not None
    assert following.name == NAMES[1]


def test_progress_in_a_step_that_is_gone_is_not_counted() -> None:
    body = report({"a-step-of-old": DAY, NAMES[0]: DAY})
    assert (body["completed"], body["next"]) == (1, NAMES[1])
