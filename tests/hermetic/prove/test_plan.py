"""What is tried: the values, the cases, and how they are put together."""

from dataclasses import replace

from truegreen.config import FlagDeclaration
from truegreen.hermetic.prove.plan import (
    ALONE_UP_TO,
    Case,
    Line,
    Subject,
    adverse_values,
    parts,
    single_cases,
    together,
    too_many,
    witnesses,
)

LINE = (Line("app.py", 3),)


def subject(name: str, *tests: str, at_import: bool = False) -> Subject:
    return Subject(name, LINE, tests, at_import)


def test_an_undeclared_variable_gets_what_commonly_breaks_things() -> None:
    assert adverse_values("X", None, None, {}) == ("1", "0", "", "garbage")
    assert adverse_values("X", "1", None, {}) == (None, "0", "", "garbage")


def test_the_platforms_real_value_comes_first_and_once() -> None:
    assert adverse_values("X", None, None, {"X": "0", "Y": "2"}) == ("0", "1", "", "garbage")
    assert adverse_values("X", "real", None, {"X": "real"})[0] is None


def test_a_declared_flag_gets_values_of_its_type() -> None:
    def of(**settings: object) -> tuple[str | None, ...]:
        return adverse_values("F", None, FlagDeclaration("F", **settings), {})  # type: ignore[arg-type]

    assert of(type="bool") == ("1", "0")
    assert of(type="choice", choices=("a", "b")) == ("a", "b")
    assert "-1" in of(type="int")
    assert of(type="str") == ("", "garbage")


def test_what_is_read_at_import_is_tried_cold_on_every_test() -> None:
    subjects = (subject("EARLY", at_import=True), subject("LATE", "t2"))
    cases = single_cases(subjects, {"EARLY": ("1",), "LATE": ("1", "0")}, ("t1", "t2"))
    assert cases == (
        Case({"EARLY": "1"}, ("t1", "t2"), cold=True),
        Case({"LATE": "1"}, ("t2",), cold=False),
        Case({"LATE": "0"}, ("t2",), cold=False),
    )


def test_together_gives_each_variable_one_value_a_case_and_keeps_cold_apart() -> None:
    cases = (
        Case({"A": "1"}, ("t1",), cold=False),
        Case({"A": "0"}, ("t1",), cold=False),
        Case({"B": "1"}, ("t1", "t2"), cold=False),
        Case({"C": "1"}, ("t1", "t2"), cold=True),
    )
    assert together(cases) == (
        Case({"A": "1", "B": "1"}, ("t1", "t2"), cold=False),
        Case({"A": "0"}, ("t1",), cold=False),
        Case({"C": "1"}, ("t1", "t2"), cold=True),
    )


def test_each_case_runs_alone_until_that_costs_too_much() -> None:
    few = Case({"A": "1"}, tuple(f"t{n}" for n in range(ALONE_UP_TO)), cold=False)
    assert not too_many([few])
    assert too_many([few, Case({"A": "0"}, ("t0",), cold=False)])


def test_witnesses_are_spread_over_the_suite() -> None:
    assert witnesses(subject("A", "t1", "t2")) == ("t1", "t2")
    assert witnesses(subject("A", *(f"t{n}" for n in range(101)))) == ("t0", "t50", "t100")


def test_a_long_case_is_cut_where_processors_are_idle_and_a_short_or_cold_one_is_not() -> None:
    tests = tuple(f"t{n}" for n in range(101))
    long = Case({"A": "1"}, tests, cold=False)
    pieces = parts(long, 2)
    assert [len(one.tests) for one in pieces] == [50, 51]
    assert pieces[0].tests + pieces[1].tests == tests
    assert all(one.values == {"A": "1"} for one in pieces)
    for whole in (replace(long, cold=True), replace(long, tests=tests[:99])):
        assert parts(whole, 2) == (whole,)
    assert parts(long, 0) == (long,)
