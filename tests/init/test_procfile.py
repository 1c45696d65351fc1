"""Of a Procfile only the release command is edited, and only when it is understood."""

from __future__ import annotations

import pytest

from truegreen.init.facts import Application, Facts
from truegreen.init.procfile import edited, web_command

PLAIN = Facts("shop")
MIGRATE = Facts("shop", application=Application("flask", "a.py", "a", "app"), flask_migrate=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("web: x\n", "release: truegreen release\nweb: x\n"),
        ("web: x\r\n", "release: truegreen release\r\nweb: x\r\n"),
        ("", "release: truegreen release\n"),
        ("release: alembic upgrade head", "release: truegreen release"),
        ("release: alembic upgrade head || true\n", "release: truegreen release\n"),
        ("release: a; b\n", "release: a && b && truegreen release\n"),
        ("release: a && truegreen release\n", "release: a && truegreen release\n"),
        ("release:\nweb: x\n", "release: truegreen release\nweb: x\n"),
        ("release: a\r\nweb: x\r\n", "release: a && truegreen release\r\nweb: x\r\n"),
    ],
)
def test_the_release_command_is_truegreens_and_the_rest_stays(before: str, after: str) -> None:
    assert edited(before, PLAIN).text == after
    assert edited(after, PLAIN).text == after


@pytest.mark.parametrize("command", ["a | b", "sh -c 'x; y'", "a || b", "a > log", "$(x)", "a &"])
def test_what_is_more_than_commands_one_after_the_other_is_left_to_a_person(command: str) -> None:
    found = edited(f"release: {command}\n", PLAIN)
    assert found.text is None
    assert "&& truegreen release" in found.told


def test_flask_migrate_does_the_migrations_of_its_own() -> None:
    found = edited("web: x\n", MIGRATE).text
    assert found == "release: flask --app a:app db upgrade && truegreen release\nweb: x\n"


def test_a_factory_is_called_by_the_server() -> None:
    flask = Facts("shop", application=Application("flask", "a.py", "a", "make", True))
    assert web_command(flask).endswith(' "a:make()"')
    fast = Facts("shop", application=Application("fastapi", "a.py", "a", "make", True))
    assert "a:make --factory" in web_command(fast)
