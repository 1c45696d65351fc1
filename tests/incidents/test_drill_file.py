"""Drill files: what is read of them, and what is said of those that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truegreen.config import load_config
from truegreen.embedded.faults import EdgeChallenge
from truegreen.errors import ConfigError, UsageError
from truegreen.incidents.drills import Plan, choose, drills, names
from truegreen.incidents.drills.drill_file import parse_plan, read_plan
from truegreen.incidents.drills.plan import Then
from truegreen.incidents.drills.shelf import as_json
from truegreen.incidents.drills.skeleton import begin


def told(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "title": "it breaks",
        "check": "health.edge",
        "fault": [{"do": "inject", "kind": "edge-challenge", "status": 200}],
    }
    return {**base, **changes}


def plan(**changes: Any) -> Plan:
    return parse_plan(told(**changes), name="x-y", file="x-y.toml")


def test_a_small_file_is_a_drill_with_defaults() -> None:
    small = plan()
    assert (small.ask, small.status, small.verdict, small.service) == (
        "ship", "fail", "red", "tiny"
    )  # fmt: skip
    assert [step.do for step in small.before] == ["ship"]
    assert small.faults == (EdgeChallenge(status=200),)
    assert not small.alone


def test_a_fault_of_the_whole_platform_makes_a_drill_run_alone() -> None:
    assert plan(fault=[{"do": "inject", "kind": "stream-cut", "size": 3}]).alone


def test_a_refusal_is_what_rollback_and_forward_say() -> None:
    assert plan(check="forward").verdict == "refused"
    assert plan(check="rollback.schema", ask="rollback").status == "refused"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chek": "x"}, "did you mean check?"),
        ({"check": "health.egde"}, "did you mean health.edge?"),
        ({"check": ""}, "is missing"),
        ({"title": 3}, "is a number"),
        ({"status": "maybe"}, "is not known"),
        ({"status": "refused"}, "nothing that health.edge says"),
        ({"check": "forward", "status": "fail"}, "nothing that forward says"),
        ({"also": ["code.served", "code.dyno"]}, "did you mean code.dynos?"),
        ({"also": "code.served"}, "a list of strings"),
        ({"within": -1}, "out of range"),
        ({"since": "then"}, "is not known"),
        ({"ask": "pray"}, "is not known"),
        ({"sentence": "{ap} broke"}, "knows no {ap}"),
        ({"sentence": "{app broke"}, "is no template"),
        ({"service": "../elsewhere"}, "is no service"),
        ({"then": {"second": 3}}, "did you mean then.seconds?"),
        ({"fault": []}, "is missing"),
        ({"fault": [{"do": "injekt"}]}, "did you mean inject?"),
        ({"fault": [{"do": "inject", "kind": "edge-chalenge"}]}, "did you mean edge-challenge?"),
        ({"fault": [{"do": "inject", "kind": "edge-challenge", "status": 404}]}, "404"),
        ({"fault": [{"do": "inject", "kind": "dyno-crash", "after": "soon"}]}, "is no float"),
        ({"fault": [{"do": "inject", "kind": "dyno-crash", "afer": 3}]}, "did you mean"),
        ({"fault": [{"do": "edit", "file": "app.py", "by": "x"}]}, "replace: is missing"),
        ({"fault": [{"do": "write", "file": "/etc/passwd", "text": "x"}]}, "no file of the"),
        ({"fault": [{"do": "write", "file": "../x", "text": "x"}]}, "no file of the"),
        ({"fault": [{"do": "write", "file": ".git/config", "text": "x"}]}, "no file of the"),
        ({"fault": [{"do": "set", "config": {}}]}, "sets nothing"),
        ({"fault": [{"do": "set", "config": {"A": 1}}]}, "is a number"),
        ({"fault": [{"do": "ship", "file": "x"}]}, "is not a known key"),
        ({"fault": {"do": "ship"}}, "is a table"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        plan(**change)
    assert says in str(raised.value)
    assert "x-y.toml" in str(raised.value)


def _text(text: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(text, encoding="utf-8") and None


@pytest.mark.parametrize(
    ("name", "write", "says"),
    [
        ("a-drill.toml", _text(""), "is empty"),
        ("a-drill.toml", _text("title = "), "is not valid TOML"),
        ("a-drill.toml", _text("#" * 300_000), "more than 256 KiB"),
        ("a-drill.toml", lambda path: path.write_bytes(b'title = "\xff"') and None, "not UTF-8"),
        ("a-drill.toml", lambda path: path.mkdir(), "cannot be read"),
        ("A drill.toml", _text("x = 1"), "is not named as a drill is"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, write: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / name
    write(path)
    with pytest.raises(ConfigError, match=says):
        read_plan(path)


def test_at_least_fifteen_drills_are_shipped_and_each_says_what_it_proves() -> None:
    found = drills(None)
    assert len(found) >= 15
    for drill in found.values():
        if isinstance(drill, Plan):
            assert drill.proves, drill.name
            assert drill.sentence, drill.name
    assert names(None) == frozenset(found)


def service(tmp_path: Path) -> Path:
    (tmp_path / "truegreen.toml").write_text('[service]\nname = "shop"\n', encoding="utf-8")
    (tmp_path / "Procfile").write_text("web: python app.py\n", encoding="utf-8")
    return tmp_path


def test_a_new_drill_is_a_drill_of_the_service_that_stands_beside_its_incidents(
    tmp_path: Path,
) -> None:
    config = load_config(service(tmp_path))
    assert begin(config, "checkout-fails") == "docs/incidents/drills/checkout-fails.toml"
    found = drills(config)["checkout-fails"]
    assert isinstance(found, Plan)
    assert found.check == "release.command"
    assert as_json(found)["source"].endswith("checkout-fails.toml")
    assert "checkout-fails" in names(config)
    with pytest.raises(UsageError, match="already, in docs/incidents"):
        begin(config, "checkout-fails")
    with pytest.raises(UsageError, match="already, in TrueGreen"):
        begin(config, "green-then-crash")
    with pytest.raises(UsageError, match="no name of a drill"):
        begin(config, "../green")


def test_a_drill_of_the_service_may_ship_the_service_itself(tmp_path: Path) -> None:
    root = service(tmp_path)
    assert parse_plan(told(service="."), name="x-y", file="f", root=root).service == "."
    with pytest.raises(ConfigError, match="no Procfile"):
        parse_plan(told(service="docs"), name="x-y", file="f", root=root)
    with pytest.raises(ConfigError, match="is no service"):
        parse_plan(told(service="../x"), name="x-y", file="f", root=root)


def test_the_gap_then_is_what_the_review_says_unless_the_drill_says_it(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    config = load_config(service(tmp_path))
    folder = tmp_path / "docs" / "incidents" / "drills"
    folder.mkdir(parents=True)
    review = "2026-06-21-release-smoke-cf-origin-guard.md"
    reviews = request.config.rootpath / "examples" / "raptor" / "docs" / "incidents"
    (folder.parent / review).write_bytes((reviews / review).read_bytes())
    text = 'title = "x"\ncheck = "code.served"\nincident = "{}"\n{}[[fault]]\ndo = "push"\n'
    said = '[then]\nseconds = 5\ntold = "me"\n'
    for name, incident, then in (
        ("of-the-review", "2026-06-21", ""),
        ("of-its-own", "2026-06-21", said),
        ("of-no-review", "2020-01-01", ""),
    ):
        (folder / f"{name}.toml").write_text(text.format(incident, then), encoding="utf-8")
    found = drills(config)
    told = {name: found[name].then for name in found if name.startswith("of-")}  # type: ignore[union-attr]
    assert told["of-its-own"] == Then(5.0, "me")
    assert told["of-no-review"] == Then()
    assert told["of-the-review"].seconds == 60.0


def test_two_drills_of_one_name_are_refused(tmp_path: Path) -> None:
    config = load_config(service(tmp_path))
    folder = tmp_path / "docs" / "incidents" / "drills"
    folder.mkdir(parents=True)
    (folder / "green-then-crash.toml").write_text('title = "x"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="has the name of a shipped drill"):
        drills(config)


def test_an_unknown_drill_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        choose(drills(None), ("green-than-crash",))
    assert raised.value.hint == "did you mean green-then-crash?"
    twice = choose(drills(None), ("green-then-crash", "green-then-crash"))
    assert len(twice) == 1
