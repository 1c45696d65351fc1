"""docs/incidents.md: its commands can be typed, its YAML is read, its tables are the code's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from truegreen.cli import root
from truegreen.incidents.document import parse
from truegreen.incidents.document import values as v
from truegreen.incidents.document.fields import ACTION, INCIDENT
from truegreen.incidents.document.prose import heading_key


@pytest.fixture(scope="module")
def page(request: pytest.FixtureRequest) -> str:
    return (request.config.rootpath / "docs" / "incidents.md").read_text(encoding="utf-8")


def test_every_command_can_be_typed(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drill.json").write_text("{}")
    typed = re.findall(r"^\$ (truegreen .*?)\s*(?:#.*)?$", page, re.MULTILINE)
    assert len(typed) >= 12
    for line in typed:
        words = shlex.split(line)[1:]
        command: click.Command = root
        context = click.Context(root)
        while isinstance(command, click.Group):
            found = command.get_command(context, words.pop(0))
            assert found is not None, line
            command = found
        command.make_context(command.name, words, parent=context)  # parses, and does not run


def test_the_yaml_of_the_page_is_read_without_a_reservation(page: str) -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    document = parse(f"---\n{block}---\n")
    assert document.notes == ()
    (action,) = document.incident.actions
    assert action.required
    assert action.proof is not None
    assert action.proof.timeout == 120.0
    told = set(re.findall(r"^  (?:- |  )(\w+):", block, re.MULTILINE))
    assert told <= {one.key for one in ACTION}


def test_the_table_of_fields_is_complete(page: str) -> None:
    table = page.split("## The fields")[1].split("\n\nSections")[0]
    keys = {
        key
        for row in re.findall(r"^\| (`.*?) \|", table, re.M)
        for key in re.findall(r"`(\w+)`", row)
    }
    assert keys == {one.key for one in INCIDENT}
    for status in v.STATUSES:
        assert f"`{status}`" in table


def test_every_choice_stands_on_the_page(page: str) -> None:
    for choice in (*v.KINDS, *v.STRENGTHS, *v.WHEN):
        assert choice in page


def test_the_headings_of_the_page_are_known(page: str) -> None:
    listed = page.split("Sections, by these headings or what people usually call them:")[1]
    names = " ".join(listed.split(". A review")[0].split()).split(", ")
    assert len(names) == 12
    assert all(heading_key(name) for name in names)
