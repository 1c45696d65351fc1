"""Whatever is told, and however it is wrapped: no line of it is a command of GitHub Actions."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from truegreen.outputs.action_log import ActionLog, print_commands
from truegreen.outputs.formats import FORMATS, written
from truegreen.outputs.json_document import json_text
from truegreen.outputs.run_record import RunRecord
from truegreen.outputs.table import print_verification

from .records import check, record


def told_by(text: str) -> RunRecord:
    return record(document={"checks": [check("release.report", "fail", observed=text)]})


OWNED = "::add-mask::a"
UNSEEN = ("", " ", "\t", "\u00a0", "\u200b", "\ufeff", "\u00ad", "\ufe0f", "✔ ", "\x1b")


def obeyed(log: str) -> list[str]:
    """The lines that a runner would obey. .NET's StartsWith and IndexOf skip what is ignorable."""
    lines = re.split(r"\r\n|\r|\n", log)
    seen = [re.sub(r"[^\w!-~ ]", "", line).lstrip() for line in lines]
    return [line for line in seen if line.startswith("::") or "##[" in line]


def log() -> tuple[io.BytesIO, ActionLog]:
    kept = io.BytesIO()
    return kept, ActionLog(kept, encoding="utf-8", newline="\n", write_through=True)


@pytest.mark.parametrize("before", UNSEEN)
def test_no_line_begins_as_a_command(before: str) -> None:
    kept, stream = log()
    for text in (f"{before}{OWNED}\n", f"x\r{before}:{before.strip()}:error::b\n", "a ##[error]b"):
        stream.write(text)
    assert obeyed(kept.getvalue().decode()) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet=":# [a\n\r\t\u200b✘", max_size=6), max_size=6))
def test_in_whatever_pieces_it_is_written(pieces: list[str]) -> None:
    """Of ``##[`` a piece holds all, as everything that writes here writes whole lines."""
    kept, stream = log()
    for piece in pieces:
        stream.write(piece.replace("#", "."))
    stream.write("\n" + "".join(pieces))
    assert obeyed(kept.getvalue().decode()) == []


def test_what_is_no_command_is_left_as_it_is() -> None:
    told = "app: green\n  • tests/a.py::test_b failed\n2001:db8::1\n## [0.1]\nmärz: ✔ a::b\n"
    kept, stream = log()
    stream.write(told)
    assert kept.getvalue().decode() == told


def test_a_command_that_is_meant_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, stream = log()
    monkeypatch.setattr(sys, "stderr", stream)
    click.echo("::error::quoted", err=True)
    print_commands(["::error file=a::meant"], err=True)
    assert obeyed(kept.getvalue().decode()) == ["::error file=a::meant"]


def test_a_verification_in_a_table_is_none_wherever_its_text_is_wrapped() -> None:
    text = " ".join([OWNED, "##[error]b", "\n" + OWNED] * 12)
    finding = {"cause": "x", "sentence": text, "next_step": text,
               "quotes": [{"source": text, "line": 1, "text": text}]}  # fmt: skip
    hostile = record(
        document={
            "checks": [check("release.report", "fail", observed=text)],
            "sentence": text,
            "diagnosis": [finding],
        }
    )
    for width in range(30, 150, 7):
        kept, stream = log()
        print_verification(hostile.document, Console(file=stream, width=width, markup=False))
        assert obeyed(kept.getvalue().decode()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_that_goes_to_the_log_is_none_and_reads_back_as_the_same(name: str) -> None:
    text = f"\n{OWNED}\n  ::error::b ##[error]c"
    made = written(name, told_by(text))
    assert obeyed(made) == []
    if name == "json":
        assert json.loads(made)["checks"][0]["observed"] == text
    if name == "junit":
        assert OWNED in "".join(ET.fromstring(made).itertext())


def test_a_document_is_the_same_without_what_a_terminal_or_a_runner_obeys() -> None:
    document = {"a": "##[error]\x9b2J\ud800ü", "b": "\\##["}
    text = json_text(document)
    assert json.loads(text) == document
    assert "##[" not in text
    assert text.replace("\n", "").isprintable()
    assert "ü" in json_text({"a": "ü"})


def test_an_error_that_quotes_a_folders_name_is_no_command(tmp_path: Path) -> None:
    folder = f"{tmp_path}/a\n{OWNED}\n"
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "ship", folder],
        env={**os.environ, "GITHUB_ACTIONS": "true"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "add-mask" in done.stderr
    assert obeyed(done.stderr) == []
