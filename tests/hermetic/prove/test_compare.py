"""Which difference is a variable's fault, and which is luck, order or nothing."""

from truegreen.hermetic.prove.compare import (
    Change,
    Outcome,
    differing,
    judge,
    leaks_of,
    not_run,
    printable,
)
from truegreen.hermetic.prove.orders import Order, parse_order
from truegreen.hermetic.prove.plan import Line, Subject

PASSED, FAILED = Outcome("passed"), Outcome("failed", "assert 403 == 404")


def test_only_the_state_is_compared() -> None:
    before = {"a": FAILED, "b": PASSED}
    assert differing(before, {"a": Outcome("failed", "else"), "b": FAILED}, ("a", "b")) == ("b",)


def test_a_test_that_was_not_run_differs_from_nothing_and_is_told() -> None:
    before = {"a": PASSED, "b": PASSED}
    assert differing(before, {"a": PASSED}, ("a", "b")) == ()
    assert not_run({"a": PASSED}, ("a", "b")) == ("b",)


def test_a_difference_that_repeats_beside_a_steady_control_is_proven() -> None:
    judged = judge(("a",), {"a": PASSED}, {"a": PASSED}, {"a": FAILED})
    assert (judged.proven, judged.flaky) == (("a",), ())


def test_a_difference_that_does_not_repeat_is_blamed_on_nothing() -> None:
    judged = judge(("a",), {"a": PASSED}, {"a": PASSED}, {"a": PASSED})
    assert (judged.proven, judged.flaky) == ((), ("a",))


def test_a_test_that_fails_in_the_control_too_depends_on_its_neighbours() -> None:
    for control in ({"a": FAILED}, {}):
        judged = judge(("a",), {"a": PASSED}, control, {"a": FAILED})
        assert (judged.proven, judged.flaky) == ((), ("a",))


def test_a_leak_has_its_variable_line_tests_and_both_outcomes() -> None:
    subject = Subject("FLAG_X", (Line("app.py", 3), Line("b.py", 9)), ("a",), at_import=False)
    change = Change("FLAG_X", "1", "a", PASSED, FAILED)
    (leak,) = leaks_of([subject], [change])
    assert leak.as_json() == {
        "variable": "FLAG_X",
        "file": "app.py",
        "line": 3,
        "lines": [{"file": "app.py", "line": 3}, {"file": "b.py", "line": 9}],
        "tests": ["a"],
        "outcomes": [
            {
                "test": "a",
                "value": "1",
                "unchanged": "passed",
                "changed": "failed",
                "message": "assert 403 == 404",
            }
        ],
    }


def test_flaky_tests_make_no_leak() -> None:
    subject = Subject("FLAG_X", (Line("app.py", 3),), ("a",), at_import=False)
    assert leaks_of([subject], [Change("FLAG_X", "1", "a", PASSED, FAILED)], {"a"}) == ()


def test_a_value_that_is_not_utf8_travels_unharmed_and_prints_escaped() -> None:
    order = Order(1, {"X": "caf\udce9", "Y": None}, ("t",), "/f", 1.0)
    assert parse_order(order.line().rstrip(b"\n")) == order
    assert printable("caf\udce9") == "caf\\udce9"
    assert printable(None) is None
