"""Which requirements are looked for, and which are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from truegreen.gates.requirements import missing, names


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("flask", ["flask"]),
        ("flask~=3.1.3", ["flask"]),
        ("psycopg[binary] >= 3.2, <4  # a comment", ["psycopg"]),
        ("zope.interface==5", ["zope.interface"]),
        ("# flask", []),
        ("", []),
        ("-r other.txt", []),
        ("-e .", []),
        ("./wheels/x.whl", []),
        ("git+https://example.com/x.git", []),
        ("x @ https://example.com/x.whl", []),
        ("tomli>=1; python_version < '3.11'", []),
    ],
)
def test_names_in_requirement_lines(line: str, found: list[str]) -> None:
    assert list(names([line])) == found


def test_what_is_not_installed_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pytest\nno-such-package-a==1\n")
    (tmp_path / "pyproject.toml").write_text(
        "[project]\ndependencies = ['no-such-package-a', 'no_such_package_b>=2', 'click']\n"
    )
    assert missing(tmp_path) == ("no-such-package-a", "no_such_package_b")


def test_a_service_that_lists_nothing_misses_nothing(tmp_path: Path) -> None:
    assert missing(tmp_path) == ()
    (tmp_path / "pyproject.toml").write_text("not toml [")
    assert missing(tmp_path) == ()
