"""The report trailer: one line that survives what streams do to it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.release.report import Failure, Leak, Phase, Report
from truegreen.release.trailer import LIMIT, PREFIX, format_trailer, parse_trailer

SMOKE = Phase(
    "smoke",
    "fail",
    2.0,
    sealed=True,
    total=14,
    passed=0,
    failed=14,
    errors=0,
    skipped=0,
    failures=(Failure("tests/smoke/t.py::test_x", "assert 403 == 404", "direct_origin_blocked"),),
    leaks=(Leak("FLAG_ENFORCE_CF_ORIGIN", "raptor/__init__.py", 31, True, 14),),
)
MIGRATE = Phase("migrate", "pass", 1.2, from_revision="0044", to_revision="0046", heads=("0046",))
PREFLIGHT = Phase("preflight", "pass", 0.1)
REPORT = Report(True, 13, "f" * 40, "v4", "2026-06-21T19:35:00Z", (PREFLIGHT, MIGRATE, SMOKE))


def test_a_report_comes_back_as_it_was() -> None:
    assert parse_trailer(format_trailer(REPORT)) == REPORT


def test_the_json_keys_are_the_contract() -> None:
    data = json.loads(format_trailer(REPORT).removeprefix(PREFIX))
    assert list(data) == ["complete", "exit", "commit", "release", "started_at", "phases"]
    preflight, migrate, smoke = data["phases"]
    assert preflight == {"name": "preflight", "status": "pass", "seconds": 0.1, "problems": []}
    assert migrate == {
        "name": "migrate",
        "status": "pass",
        "seconds": 1.2,
        "from": "0044",
        "to": "0046",
        "heads": ["0046"],
    }
    assert smoke["leaks"] == [
        {
            "variable": "FLAG_ENFORCE_CF_ORIGIN",
            "file": "raptor/__init__.py",
            "line": 31,
            "present": True,
            "count": 14,
        }
    ]
    assert smoke["failures"][0]["body"] == "direct_origin_blocked"


def test_the_last_whole_line_wins_over_a_truncated_one() -> None:
    earlier = format_trailer(Report(False, None, None, None, "2026-06-21T19:35:00Z", (PREFLIGHT,)))
    later = format_trailer(REPORT)
    for cut in (len(PREFIX), len(PREFIX) + 1, len(later) // 2, len(later) - 1):
        found = parse_trailer(f"begin\n{earlier}\nnoise\n{later[:cut]}")
        assert found is not None
        assert not found.complete


@pytest.mark.parametrize(
    "text",
    [
        "noise\r\n{}\r\n",
        "2026-06-21T19:35:36+00:00 app[release.5]: {}\nmore noise\n",
        "{}",
        "unfinished line without newline {}\n",
        "{}\ntruegreen-report/1 not json\ntruegreen-report/1 {{}}\ntruegreen-report/1 [1]",
    ],
)
def test_noise_around_it_does_not_hide_it(text: str) -> None:
    assert parse_trailer(text.format(format_trailer(REPORT))) == REPORT


@pytest.mark.parametrize(
    "change",
    [
        {"complete": "yes"},
        {"exit": True},
        {"phases": {}},
        {"phases": [{"name": "smoke", "status": "unknown", "seconds": 1}]},
        {"phases": [{"status": "pass", "seconds": 1}]},
        {"phases": [{"name": "smoke", "status": "pass", "seconds": 1, "total": "14"}]},
        {"started_at": None},
    ],
)
def test_what_has_not_the_contracts_shape_is_no_report(change: dict[str, object]) -> None:
    data = json.loads(format_trailer(REPORT).removeprefix(PREFIX)) | change
    assert parse_trailer(PREFIX + json.dumps(data)) is None


def test_no_trailer_is_none() -> None:
    assert parse_trailer("") is None
    assert parse_trailer("nothing\nof the kind\n") is None


def test_a_huge_report_stays_one_short_line_and_says_so() -> None:
    failures = tuple(Failure(f"t{n}" * 200, "é\n" * 5000, "b" * 5000) for n in range(2000))
    leaks = tuple(Leak(f"V{n}" * 100, "f" * 5000, n, False) for n in range(2000))
    huge = Phase("smoke", "fail", 1.0, ("p" * 100_000,), total=2000, failures=failures, leaks=leaks)
    line = format_trailer(Report(True, 13, None, None, "2026-06-21T19:35:00Z", (huge,)))
    assert len(line.encode()) < LIMIT
    assert "\n" not in line
    phase = (parse_trailer(line) or REPORT).phases[0]
    assert phase.truncated
    assert phase.total == 2000
    assert phase.failures


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_the_line(message: str, before: str, variable: str) -> None:
    phase = Phase(
        "smoke",
        "fail",
        1.0,
        (message,),
        failures=(Failure(message, message, before),),
        leaks=(Leak(variable, before, 1, False),),
    )
    report = Report(True, 13, None, None, "2026-06-21T19:35:00Z", (phase,))
    line = format_trailer(report)
    assert len(line.splitlines()) == 1
    assert parse_trailer(f"{before}\n{line}\n") == report
