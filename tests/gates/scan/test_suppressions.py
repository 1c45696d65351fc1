"""The suppressions file: what it takes, what it refuses, how it is written."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from truegreen.errors import ConfigError, UsageError
from truegreen.gates.scan.suppressions import (
    Marker,
    Suppression,
    add,
    load,
    new_key,
    parse,
)
from truegreen.secret import Secret

KEY = "0f" * 32
GOOD = f"""# ours
key = "{KEY}"

[[suppress]]
fingerprint = "{"ab" * 12}"
reason = "our imprint"
owner = "jo"
expires = 2027-01-31
"""


def entry(mark: str, reason: str = "known") -> Suppression:
    return Suppression(mark, reason, "jo", date(2027, 1, 31), "email", "a.txt")


def test_a_file_is_read() -> None:
    read = parse(GOOD, "f")
    assert read.key == Secret(KEY)
    assert read.entries["ab" * 12].expires == date(2027, 1, 31)
    assert KEY not in repr(read)


@pytest.mark.parametrize(
    ("change", "file", "key", "says"),
    [
        ((KEY, "short"), "f", "key", "not a key"),
        ((f'key = "{KEY}"', ""), "f", "key", "missing"),
        (("reason", "reasn"), "f:4", "suppress[0].reason", "missing"),
        (('owner = "jo"', ""), "f:4", "suppress[0].owner", "missing"),
        (("2027-01-31", '"soon"'), "f:4", "suppress[0].expires", "not a day"),
        (("expires = 2027-01-31", ""), "f:4", "suppress[0].expires", "not a day"),
        (("abab", "xyxy"), "f:4", "suppress[0].fingerprint", "is not one"),
        (("[[suppress]]", "[[supress]]"), "f", "supress", "did you mean suppress"),
        (("owner =", "ownr = 1\nowner ="), "f:4", "suppress[0].ownr", "did you mean"),
        (("2027", "2027x"), "f", "", "TOML"),
    ],
)
def test_a_broken_file_names_file_line_and_key(
    change: tuple[str, str], file: str, key: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse(GOOD.replace(*change), "f")
    assert caught.value.file == file
    assert caught.value.key == key


def test_an_entry_that_is_there_twice_is_refused() -> None:
    second = GOOD[GOOD.index("[[suppress]]") :]
    with pytest.raises(ConfigError, match="twice") as caught:
        parse(GOOD + "\n" + second, "f")
    assert caught.value.file == "f:10"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path))):
        load(tmp_path / "s.toml")


def test_no_file_is_no_suppressions_and_a_folder_is_an_error(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") is None
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_what_people_wrote_stays_and_what_is_there_is_not_added_again(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(GOOD)
    assert add(file, Secret(KEY), [entry("ab" * 12), entry("cd" * 12), entry("cd" * 12)]) == 1
    assert file.read_text().startswith(GOOD)
    assert set(parse(file.read_text(), "f").entries) == {"ab" * 12, "cd" * 12}


def test_any_reason_can_be_written(tmp_path: Path) -> None:
    reason = 'a "quoted" \\ back\nslash, \x7f, \x1b[2J and é'
    file = tmp_path / "s.toml"
    add(file, new_key(), [entry("ab" * 12, reason)])
    (read,) = parse(file.read_text(encoding="utf-8"), "f").entries.values()
    assert read.reason == reason


def test_a_file_with_another_key_is_not_written_into(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(GOOD)
    with pytest.raises(UsageError, match="changed in the meantime"):
        add(file, new_key(), [entry("cd" * 12)])
    assert file.read_text() == GOOD


def test_a_file_that_cannot_be_written_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises((UsageError, ConfigError)):
        add(tmp_path / "folder" / "s.toml", new_key(), [entry("ab" * 12)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


def test_a_fingerprint_is_the_keys_the_kinds_and_the_values() -> None:
    mark = Marker(Secret(KEY))
    value = Secret("jo@corp.de")
    assert mark("email", value) == Marker(Secret(KEY))("email", value)
    others = {
        mark("phone", value),
        mark("email", Secret("jane@corp.de")),
        Marker(new_key())("email", value),
    }
    assert mark("email", value) not in others
    assert len(others) == 3
    assert re.fullmatch("[0-9a-f]{24}", mark("email", Secret("\ud800")))
