"""How texts become flag values."""

import pytest

from truegreen.flags.grammar import Unparseable, parse


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


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("-12", -12), ("007", 7)])
def test_whole_numbers_are_read(text: str, value: int) -> None:
    assert parse("int", text) == value


@pytest.mark.parametrize("text", ["", "1.0", "1_000", "--1", "٣", "0x1", " 1", "9" * 5000])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(Unparseable, match="is not a whole number"):
        parse("int", text)


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
