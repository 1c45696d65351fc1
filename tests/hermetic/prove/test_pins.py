"""Pins are written into the file as text: everything else stays, and nothing half is left."""

import tomllib
from pathlib import Path

import pytest

from truegreen.errors import ConfigError, UsageError
from truegreen.hermetic.prove.pins import with_pins, write_pins

TEXT = """\
[smoke]  # the suite
paths = ["tests"]

[smoke.env]  # pins
# why A is off
A = "0"

# about flags
[flags]
prefix = "FLAG_"
"""


def test_pins_come_after_the_last_and_every_comment_stays() -> None:
    after = with_pins(TEXT, {"C": "x", "B": ""})
    assert after == TEXT.replace('A = "0"\n', 'A = "0"\nB = ""\nC = "x"\n')


def test_a_pin_that_is_there_stays_as_it_is() -> None:
    assert with_pins(TEXT, {"A": "1"}) == TEXT


@pytest.mark.parametrize("before", ["", '[smoke]\npaths = ["t"]', "[smoke.env]", "[smoke.env]\n"])
def test_the_table_is_made_where_there_is_none(before: str) -> None:
    after = with_pins(before, {"A": "0"})
    assert tomllib.loads(after)["smoke"]["env"] == {"A": "0"}
    assert after.startswith(before)


@pytest.mark.parametrize("value", ['a"b\\c', "two\nlines\t", "\x00\x7f", "ü €", " "])
def test_every_text_comes_back_as_it_was(value: str) -> None:
    after = with_pins(TEXT, {"odd name.x": value})
    assert tomllib.loads(after)["smoke"]["env"] == {"A": "0", "odd name.x": value}


@pytest.mark.parametrize(
    "before", ['smoke.env.A = "0"\n', '[smoke]\nenv = {A = "0"}\n', 't = """\n[smoke.env]\n"""\n']
)
def test_a_table_that_lines_cannot_be_added_to_is_refused(before: str) -> None:
    with pytest.raises(ValueError, match=r"smoke\.env"):
        with_pins(before, {"B": "0"})


def test_what_is_not_utf8_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "truegreen.toml"
    file.write_text(TEXT)
    with pytest.raises(ConfigError):
        write_pins(file, {"B": "\udce9"})
    assert file.read_text() == TEXT
    assert list(tmp_path.iterdir()) == [file]


def test_the_file_keeps_its_mode_and_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "truegreen.toml"
    file.write_bytes(b'[smoke.env]\r\nA = "0"\r\n')
    file.chmod(0o640)
    write_pins(file, {"B": "1"})
    assert file.read_bytes() == b'[smoke.env]\r\nA = "0"\r\nB = "1"\r\n'
    assert file.stat().st_mode & 0o777 == 0o640


def test_only_a_truegreen_toml_is_written_to(tmp_path: Path) -> None:
    for file in (None, tmp_path / "pyproject.toml"):
        with pytest.raises(UsageError):
            write_pins(file, {"B": "1"})
