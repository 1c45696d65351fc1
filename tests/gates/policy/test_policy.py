"""Conditions over the facts of a run: hold, deny, unknown; errors with line and column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.config import load_config
from truegreen.errors import ConfigError
from truegreen.gates.policy import ask, needs
from truegreen.gates.policy.expression import paths_in
from truegreen.gates.question import Question
from truegreen.gates.result import Finding, GateResult
from truegreen.gates.run import run_gates
from truegreen.gates.serving import Past, Serving
from truegreen.model import Status

FRIDAY = datetime(2026, 12, 4, 15, 30, tzinfo=UTC)
HEAD = "[service]\nname = 'raptor'\nlabels = ['payments']\n[policy]\nzone = 'Europe/Berlin'\n"


def answer(
    folder: Path,
    *conditions: str,
    now: datetime = FRIDAY,
    gates: tuple[GateResult, ...] = (),
    more: str = "",
    **facts: Any,
) -> GateResult:
    text = HEAD + more
    for index, one in enumerate(conditions):
        text += f"[[policy.condition]]\nname = 'c{index}'\nholds = '''{one}'''\n"
    (folder / "truegreen.toml").write_text(text)
    return ask(Question(load_config(folder), now=now, **facts), gates)


def gate(name: str, status: Status) -> GateResult:
    return GateResult(name, status, "because", FRIDAY, findings=(Finding("k", "w", "t"),))


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("now.weekday == 'Fri' && now.hour == 16 && now.minute == 30", Status.PASS),
        ("now.weekday != 'Fri'", Status.FAIL),
        ("now.date == '2026-12-04' && now.time < '17:00'", Status.PASS),
        ("now.at < timestamp('2026-12-05T00:00:00Z')", Status.PASS),
        ("environment == 'production' && app == 'raptor' && service == 'raptor'", Status.PASS),
        ("'payments' in labels", Status.PASS),
        ("gates.scan.status == 'pass'", Status.PASS),
        ("gates.scan.open && !gates.smoke.open", Status.PASS),
        ("gates.smoke.findings.size() == 0", Status.FAIL),
        ("gates.actions.open", Status.FAIL),
        ("wave.nothing > 3", Status.UNKNOWN),
        ("nothing.at.all", Status.FAIL),
        ("now.nothing == 1", Status.FAIL),
        ("now.hour + 1", Status.FAIL),
        ("now.hour == '16'", Status.FAIL),
        ("now.hour > '16'", Status.FAIL),
        ("1 / 0 == 1", Status.FAIL),
        ("foo(now.hour)", Status.FAIL),
        ("'x'.matches('(')", Status.FAIL),
        ("true || wave.nothing", Status.PASS),
        ("null", Status.FAIL),
    ],
)
def test_only_true_holds(tmp_path: Path, condition: str, status: Status) -> None:
    gates = (gate("scan", Status.PASS), gate("smoke", Status.UNKNOWN))
    assert answer(tmp_path, condition, gates=gates).status is status


def test_a_missing_field_denies_and_is_named(tmp_path: Path) -> None:
    result = answer(tmp_path, "last.verdict == 'green'")
    assert result.status is Status.FAIL
    assert "there is no last.verdict, and a field that is missing denies" in result.reason
    assert "known: app, commit, environment" in answer(tmp_path, "waves.size() > 1").reason


def test_a_fact_that_could_not_be_found_out_is_unknown_and_says_why(tmp_path: Path) -> None:
    away = Serving(None, None, False, "no answer from the platform")
    result = answer(tmp_path, "serving.version > 3", read_serving=lambda: away)
    assert result.status is Status.UNKNOWN
    assert "serving is not known: no answer from the platform" in result.reason
    both = answer(tmp_path, "serving.version > 3", "1 == 2", read_serving=lambda: away)
    assert both.status is Status.FAIL  # a no is a no, whatever else is not known


def test_the_last_run_is_a_fact(tmp_path: Path) -> None:
    past = Past((10.0,), "green", "c" * 40, FRIDAY - timedelta(minutes=90))
    condition = "last.verdict == 'green' && last.minutes_ago == 90"
    assert answer(tmp_path, condition, read_past=lambda: past).open
    assert answer(tmp_path, "last.runs == 0 || last.verdict == 'green'").open


def test_only_facts_that_are_named_are_read(tmp_path: Path) -> None:
    def never() -> Any:
        raise AssertionError("nobody named it")

    assert answer(tmp_path, "now.hour == 16", read_serving=never, read_past=never).open


def test_a_condition_of_another_environment_is_not_asked(tmp_path: Path) -> None:
    result = answer(tmp_path, "1 == 2'''\nenvironments = ['staging']\nreason = '''x")
    assert result.open
    assert result.reason == "no policy conditions are configured for this"


def test_a_dry_run_tells_and_opens(tmp_path: Path) -> None:
    result = answer(tmp_path, "1 == 2", more="mode = 'report'\n")
    assert result.open
    assert "dry run" in result.reason
    assert [(one.where, one.blocks) for one in result.findings] == [("c0", False)]


def test_the_explanation_shows_each_condition_with_the_values_it_used(tmp_path: Path) -> None:
    result = answer(
        tmp_path,
        "now.weekday in ['Mon', 'now.hour'] || now.hour < 12 || gates.scan.nothing",
        gates=(gate("scan", Status.PASS),),
    )
    told = "\n".join(result.explained)
    assert "denies  c0: now.weekday in" in told
    assert 'now.weekday = "Fri"' in told
    assert "now.hour = 16" in told
    assert "gates.scan.nothing = (missing)" in told
    (condition,) = result.detail["conditions"]
    assert condition["used"]["now.hour"] == "16"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("holds = 'now.hour ='\n", "truegreen.toml:8: policy.condition[0].holds: column 19"),
        ('holds = "1 +"\n', "truegreen.toml:8: policy.condition[0].holds: column 13"),
        ("holds = '''\n1 == 1 &&\n  2 $ 3'''\n", "truegreen.toml:10: policy.condition[0].holds: "
         "column 5"),
        ("holds = '''1 == 1 &&\n  2 $ 3'''\n", "truegreen.toml:9: policy.condition[0].holds: "
         "column 5"),
    ],
)  # fmt: skip
def test_an_expression_that_is_none_is_named_with_line_and_column(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "truegreen.toml").write_text(HEAD + "[[policy.condition]]\nname = 'late'\n" + text)
    lines = (tmp_path / "truegreen.toml").read_text().splitlines()
    with pytest.raises(ConfigError) as caught:
        ask(Question(load_config(tmp_path), now=FRIDAY), ())
    assert says in str(caught.value)
    assert caught.value.line is not None
    assert caught.value.line <= len(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[policy.condition]]\nname = 'x'\n", "policy.condition[0].holds: is missing"),
        ("[[policy.condition]]\nholds = 'true'\n", "policy.condition[0].name: is missing"),
        ("[[policy.condition]]\nname='x'\nhold='true'\n", "policy.condition[0].hold"),
        (
            "[[policy.condition]]\nname='x'\nholds='true'\n" * 2,
            "policy.condition[1].name: 'x' is there twice",
        ),
        ("[policy]\nmode = 'dry'\n", "policy.mode: 'dry' is not known"),
        (f"[[policy.condition]]\nname='x'\nholds='{'1' * 1001}'\n", "longer than 1000"),
    ],
)
def test_a_policy_that_is_written_wrong_is_named_by_file_line_and_key(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "truegreen.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert says in str(caught.value)
    assert caught.value.line is not None


def test_the_gates_that_a_condition_names_are_asked_with_it(tmp_path: Path) -> None:
    (tmp_path / "truegreen.toml").write_text(
        "[[policy.condition]]\nname='x'\nholds='''gates.freeze.open && gates[\"nope\"].open'''\n"
    )
    config = load_config(tmp_path)
    assert tuple(needs(config)) == ("freeze", "nope")
    results = run_gates(["policy"], Question(config, now=FRIDAY))
    assert [one.name for one in results] == ["freeze", "policy"]
    assert "there is no gates.nope" not in results[0].reason
    assert results[1].status is Status.FAIL


@given(st.text(max_size=60))
def test_the_names_in_any_text_are_found_without_an_error(text: str) -> None:
    assert all(path for path in paths_in(text))


def test_names_in_strings_are_no_names() -> None:
    assert paths_in('now.hour > 3 && x == \'app.name\' && y != "a\\"b.c"') == (
        "now.hour",
        "x",
        "y",
    )
