"""A one-off dyno is asked where the schema is when nobody else says, and only where it may be."""

from __future__ import annotations

import pytest

from truegreen.model import Status, Verdict
from truegreen.verify.probe import HttpAnswer
from truegreen.verify.schema_dyno import command_for, parse

from .scene import NEW, PREFLIGHT, SMOKE, Scene, report

AT_HEAD = """\
2026-06-21T19:35:00.000000+00:00 app[run.1]: truegreen-schema current
2026-06-21T19:35:00.000000+00:00 app[run.1]: 0046 (head)
2026-06-21T19:35:00.000000+00:00 app[run.1]: truegreen-schema heads
2026-06-21T19:35:00.000000+00:00 app[run.1]: 0046 (head)
2026-06-21T19:35:00.000000+00:00 app[run.1]: truegreen-schema done
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AT_HEAD, ("0046", ("0046",))),
        (AT_HEAD.replace("0046 (head)", "0044", 1), ("0044", ("0046",))),
        (AT_HEAD.replace("app[run.1]: 0046 (head)\n", "app[run.1]:\n", 1), (None, ("0046",))),
        (AT_HEAD.replace("schema done", "schema doing"), None),
        (AT_HEAD.replace(": 0046 (head)", ": 0046 (head) (mergepoint)"), ("0046", ("0046",))),
        ("Traceback (most recent call last):\n", None),
        ("", None),
    ],
)
def test_its_output_is_read_only_when_it_is_whole(text: str, expected: object) -> None:
    assert parse(text.splitlines()) == expected


def test_the_command_reads_and_its_file_cannot_break_out() -> None:
    command = command_for("conf/a b.ini; rm -rf /")
    assert "'conf/a b.ini; rm -rf /'" in command
    assert "upgrade" not in command


@pytest.fixture
def silent(scene: Scene) -> Scene:
    """Neither health nor the report says where the schema is."""
    scene.output = report(PREFLIGHT, SMOKE)
    body = f'{{"status": "ok", "commit": "{NEW}"}}'.encode()
    scene.edge = lambda nth: HttpAnswer("http://e.localhost:2/health", 200, {}, body)
    return scene


def test_without_permission_it_is_unknown_and_no_dyno_is_started(silent: Scene) -> None:
    assert silent.verify().verdict is Verdict.UNVERIFIED
    assert "run" not in silent.asked


def test_with_permission_the_dyno_s_answer_counts(silent: Scene) -> None:
    silent.change(schema_dyno="alembic.ini")
    silent.log = AT_HEAD
    verification = silent.verify()
    assert verification.verdict is Verdict.GREEN, verification.sentence
    assert silent.asked.count("run") == 1
    found = verification.situation.of("schema.head")
    assert found is not None
    assert found.source == "one-off dyno (alembic)"


def test_a_dyno_that_says_nothing_is_unknown_after_its_time(silent: Scene) -> None:
    silent.change(schema_dyno="alembic.ini")
    silent.log = "still starting\n"
    found = silent.verify().situation.of("schema.head")
    assert found is not None
    assert found.status is Status.UNKNOWN
    assert "did not say" in found.observed


def test_it_is_not_asked_when_health_says(scene: Scene) -> None:
    scene.change(schema_dyno="alembic.ini")
    assert scene.verify().verdict is Verdict.GREEN
    assert "run" not in scene.asked
