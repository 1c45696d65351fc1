"""``verify`` where nobody wrote a configuration: who says app, commit and platform."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from truegreen.errors import UsageError
from truegreen.ship.unconfigured import Wish, wished

NOTHING = Wish(None, None, None)


def of(**variables: str) -> Callable[[str], str]:
    return lambda name: variables.get(name, "")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, NOTHING),
        (
            {"HEROKU_API_KEY": "k", "HEROKU_APP": "shop", "GITHUB_SHA": "b" * 40},
            Wish("shop", "b" * 40, "heroku"),
        ),
        (
            {
                "TRUEGREEN_API_TOKEN": "k",
                "TRUEGREEN_APP": "ours",
                "HEROKU_APP": "theirs",
                "TRUEGREEN_COMMIT": "c" * 40,
                "GITHUB_SHA": "b" * 40,
                "TRUEGREEN_PLATFORM": "https://api.example.com",
                "HEROKU_HOST": "http://127.0.0.1:1",
            },
            Wish("ours", "c" * 40, "https://api.example.com"),
        ),
        ({"HEROKU_HOST": "http://127.0.0.1:1", "HEROKU_APP": "a"},
         Wish("a", None, "http://127.0.0.1:1")),
        ({"HEROKU_HOST": "heroku.com", "HEROKU_APP": "a"}, Wish("a", None, "heroku")),
    ],
)  # fmt: skip
def test_the_environment_says_what_no_configuration_does(
    tmp_path: Path, variables: dict[str, str], expected: Wish
) -> None:
    assert wished(NOTHING, of(**variables), tmp_path) == expected


def test_what_the_command_line_says_outranks_the_environment(tmp_path: Path) -> None:
    given = Wish("shop", "a" * 40, "embedded")
    variables = of(HEROKU_APP="other", GITHUB_SHA="b" * 40, TRUEGREEN_PLATFORM="heroku")
    assert wished(given, variables, tmp_path) == given


def test_a_checkouts_own_commit_and_platform_come_before_those_of_ci(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".truegreen" / "platform").mkdir(parents=True)
    variables = of(HEROKU_API_KEY="k", GITHUB_SHA="b" * 40)
    assert wished(NOTHING, variables, tmp_path / "services") == NOTHING


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"HEROKU_API_KEY": "k"}, "TRUEGREEN_APP"),  # a folder's name is no app of Heroku's
        ({"HEROKU_HOST": "heroku.example", "HEROKU_APP": "a"}, "--platform"),
    ],
)
def test_what_would_have_to_be_guessed_is_a_usage_error(
    tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    with pytest.raises(UsageError) as refused:
        wished(NOTHING, of(**variables), tmp_path)
    assert named in f"{refused.value.message} {refused.value.hint}"
