"""docs/drills.md: its table is of every drill, its example is a drill, its keys are the keys."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from truegreen.incidents.drills import Plan, drills
from truegreen.incidents.drills.drill_file import WORDS, parse_plan
from truegreen.incidents.drills.plan import ASKS, MOMENTS, REFUSALS, SERVICES, STEPS

TOML = re.compile(r"^```toml\n# file: (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(request: pytest.FixtureRequest) -> str:
    return (request.config.rootpath / "docs" / "drills.md").read_text(encoding="utf-8")


def test_its_table_names_every_drill_and_who_reports_it(page: str) -> None:
    row = r"^\| `([a-z0-9-]+)` \| [^|]+ \| `([a-z._-]+)`[^|]*\| [^|]+ \| [^|]+ \|$"
    rows = dict(re.findall(row, page, re.MULTILINE))
    wanted = {
        name: drill.check if isinstance(drill, Plan) else drill.checks[0]
        for name, drill in drills(None).items()
    }
    assert rows == wanted


def test_its_example_is_a_drill(page: str) -> None:
    ((file, text),) = TOML.findall(page)
    plan = parse_plan(tomllib.loads(text), name=Path(file).stem, file=file)
    assert (plan.check, plan.then.seconds, plan.fault[0].config) == (
        "flags.config", 3600.0, {"FLAG_PAGE_SIZE": "ten thousand"}
    )  # fmt: skip


def test_it_names_every_step_question_moment_service_and_word(page: str) -> None:
    for word in (*STEPS, *ASKS, *MOMENTS, *REFUSALS, *SERVICES):
        assert f"`{word}`" in page, word
    for word in WORDS:
        assert f"`{{{word}}}`" in page, word
