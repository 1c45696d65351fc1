"""How texts become flag values."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.config.model import FLAG_TYPES
from truegreen.flags.grammar import Unparseable, parse, take


@pytest.mark.parametrize("text", ["1", "true", "t", "yes", "y", "on", "TRUE", "On"])
def test_words_of_yes_are_true(text: str) -> None:
    assert parse("bool", text) is True


@pytest.mark.parametrize("text", ["0", "false", "f", "no", "n", "off", "OFF", "False"])
def test_words_of_no_are_false(text: str) -> None:
    assert parse("bool", text) is False


@pytest.mark.parametrize(
    "text", ["", " ", "maybe", "2", " 1", "1 ", "1\n", "enabled", "-1", "ＯＮ"]
)
def test_what_only_looks_like_a_boolean_is_refused(text: str) -> None:
    with pytest.raises(Unparseable, match="is not a boolean"):
        parse("bool", text)


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("-12", -12), ("007", 7), ("9" * 30, 10**30 - 1)]
)
def test_whole_numbers_are_read(text: str, value: int) -> None:
    assert parse("int", text) == value


@pytest.mark.parametrize(
    "text", ["", "1.0", "1_000", "--1", "٣", "0x1", " 1", "9" * 31, "9" * 5000]
)
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(Unparseable, match="is not a whole number"):
        parse("int", text)


@pytest.mark.parametrize(
    ("text", "value"), [("0.25", 0.25), ("-3", -3.0), ("1e3", 1000.0), ("2.5E-1", 0.25)]
)
def test_numbers_are_read(text: str, value: float) -> None:
    assert parse("float", text) == value


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "1e999", ".5", "5.", "1_0", "0x1p3", " 1", "1e", "1,5", "٣"]
)
def test_what_is_no_finite_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(Unparseable, match="is not a number"):
        parse("float", text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("250ms", 0.25), ("1.5h", 5400), ("0s", 0), ("1w2d", 777600)],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert parse("duration", text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "90", "s", "1m1h", "1h1h", "-1s", "1 h", "1hour", "1H", "1.s", "1h30", "1sm"]
)
def test_what_is_no_duration_with_units_is_refused(text: str) -> None:
    with pytest.raises(Unparseable, match="is not a duration"):
        parse("duration", text)


@pytest.mark.parametrize(
    "text", ["https://example.com/a?b=c", "redis://:pw@h:6379/0", "http://[::1]:8080"]
)
def test_a_url_is_kept_as_it_is(text: str) -> None:
    assert parse("url", text) == text


@pytest.mark.parametrize(
    "text",
    ["", "example.com", "//h/x", "https://", "http://h:port", "http://h:99999", "mailto:a@b",
     "http://h/a b", "http://h/\n", "http://[::1", "https://ex\u00e4mple.com"],
)  # fmt: skip
def test_what_is_no_url_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(Unparseable, match="is not a URL") as caught:
        parse("url", text)
    assert len(text) < 3 or text not in str(caught.value.args)


@pytest.mark.parametrize(
    ("text", "items"),
    [("", ()), ("a", ("a",)), ("a, b,c", ("a", "b", "c")), ("a b,c", ("a b", "c"))],
)
def test_lists_stand_between_commas(text: str, items: tuple[str, ...]) -> None:
    assert parse("list", text) == items


@pytest.mark.parametrize("text", [",", "a,", "a,,b", " "])
def test_a_list_with_an_empty_item_is_refused(text: str) -> None:
    with pytest.raises(Unparseable, match="empty item"):
        parse("list", text)


def test_the_items_of_a_list_with_choices_are_choices() -> None:
    assert parse("list", "eu,us", ("eu", "us")) == ("eu", "us")
    with pytest.raises(Unparseable, match="'mars' is not among"):
        parse("list", "eu,mars", ("eu", "us"))


@given(kind=st.sampled_from(FLAG_TYPES), text=st.text())
def test_any_text_is_a_value_that_fits_or_a_problem_with_a_fix(kind: str, text: str) -> None:
    try:
        value = parse(kind, text, ("a", "b") if kind == "choice" else ())
    except Unparseable as error:
        what, fix = error.args
        assert what
        assert fix
    else:
        again = take(kind, value, ("a", "b") if kind == "choice" else ())
        assert again == value
        assert type(again) is type(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("bool", 1), ("bool", "1"), ("int", True), ("int", 1.0), ("float", True), ("float", "1"),
     ("float", float("nan")), ("float", float("inf")), ("duration", -1.0), ("duration", "1s"),
     ("str", 1), ("str", None), ("choice", "c"), ("choice", 1), ("url", "x"), ("url", 1),
     ("list", "a"), ("list", [1]), ("list", {"a"})],
)  # fmt: skip
def test_a_python_value_of_another_type_is_refused(kind: str, value: object) -> None:
    with pytest.raises(Unparseable):
        take(kind, value, ("a", "b") if kind == "choice" else ())


def test_whole_numbers_and_lists_are_taken_where_nothing_is_lost() -> None:
    assert repr(take("float", 2)) == repr(take("duration", 2)) == "2.0"
    assert take("list", ["a"]) == ("a",)


def test_a_choice_is_taken_literally() -> None:
    assert parse("choice", "blue", ("blue", "green")) == "blue"
    with pytest.raises(Unparseable) as caught:
        parse("choice", "Blue", ("blue", "green"))
    assert caught.value.args[1] == "one of blue, green"


def test_an_empty_text_is_a_text() -> None:
    assert parse("str", "") == ""


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(Unparseable) as caught:
        parse("bool", "x" * 500)
    assert len(str(caught.value.args[0])) < 80


def test_booleans_are_read_in_one_place_of_the_tree(request: pytest.FixtureRequest) -> None:
    root = request.config.rootpath
    found = []
    for path in [*(root / "src").rglob("*.py"), *(root / "examples").rglob("raptor/**/*.py")]:
        texts = {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        if {"yes", "true"} <= texts or {"on", "true"} <= texts or "strtobool" in texts:
            found.append(path.name)
    assert found == ["grammar.py"]
