"""The registry: absent is not off, pins do not ask, and a bad start names everything."""

import copy
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from truegreen.config import FlagDeclaration
from truegreen.flags import FlagError, Flags, Origin

FLAGS = Flags(
    "FLAG_",
    {
        "FLAG_GUARD": FlagDeclaration("FLAG_GUARD"),
        "FLAG_LIMIT": FlagDeclaration("FLAG_LIMIT", type="int", default=3),
        "FLAG_COLOUR": FlagDeclaration(
            "FLAG_COLOUR", type="choice", default="blue", choices=("blue", "green")
        ),
    },
)


def test_absent_is_known_apart_from_off() -> None:
    absent = FLAGS.read({})
    off = FLAGS.read({"FLAG_GUARD": "off"})
    assert absent["FLAG_GUARD"] is off["FLAG_GUARD"] is False
    assert absent.origin("FLAG_GUARD") == Origin("default", False, None)
    assert off.origin("FLAG_GUARD") == Origin("env", True, "off")


def test_every_bad_variable_is_named_with_value_and_fix() -> None:
    with pytest.raises(FlagError) as caught:
        FLAGS.read({"FLAG_GUARD": "maybe", "FLAG_LIMIT": "many", "FLAG_GAURD": "1", "OTHER": "x"})
    said = str(caught.value)
    assert {one.variable for one in caught.value.problems} == {
        "FLAG_GUARD",
        "FLAG_LIMIT",
        "FLAG_GAURD",
    }
    assert "'maybe' is not a boolean" in said
    assert "'many' is not a whole number" in said
    assert "did you mean FLAG_GUARD?" in said
    assert caught.value.exit_code == 2


def test_an_undeclared_variables_value_is_not_shown_where_it_could_be_a_secret() -> None:
    (problem,) = FLAGS.problems({"FLAG_API_KEY": "sk_live_0123456789"})
    assert "sk_live" not in str(problem) + problem.value


class Unaskable(Mapping[str, str]):
    """An environment in which FLAG_GUARD must not be looked at."""

    def __getitem__(self, key: str) -> str:
        assert key != "FLAG_GUARD"
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(["FLAG_GUARD"])

    def __len__(self) -> int:
        return 1


def test_a_pin_does_not_even_ask_the_environment() -> None:
    values = FLAGS.read(Unaskable(), overrides={"FLAG_GUARD": True})
    assert values["FLAG_GUARD"] is True
    assert values.origin("FLAG_GUARD") == Origin("pin", True, None)


@pytest.mark.parametrize(
    "pin",
    [{"FLAG_GUARD": 1}, {"FLAG_LIMIT": True}, {"FLAG_COLOUR": "red"}, {"FLAG_NEW": True}],
)
def test_a_pin_of_the_wrong_type_or_name_is_refused(pin: dict[str, bool | int | str]) -> None:
    with pytest.raises(FlagError, match="pinned"):
        FLAGS.read({}, overrides=pin)


def test_a_flag_that_was_never_declared_does_not_read_as_off() -> None:
    values = FLAGS.read({})
    for read in (lambda: values["FLAG_TYPO"], lambda: values.get("FLAG_TYPO", False)):
        with pytest.raises(FlagError, match="FLAG_TYPO"):
            read()
    with pytest.raises(FlagError):
        values.origin("FLAG_TYPO")
    assert "FLAG_TYPO" not in values


def test_values_cannot_be_changed_once_read() -> None:
    values = FLAGS.read({})
    with pytest.raises(TypeError):
        values["FLAG_GUARD"] = True
    with pytest.raises(TypeError):
        values.update(FLAG_GUARD=True)
    with pytest.raises(TypeError):
        values |= {"FLAG_GUARD": True}
    assert values["FLAG_GUARD"] is False


def test_values_survive_copying_and_pickling() -> None:
    values = FLAGS.read({"FLAG_LIMIT": "9"})
    for again in (copy.deepcopy(values), pickle.loads(pickle.dumps(values))):
        assert again == values
        assert again.origin("FLAG_LIMIT") == Origin("env", True, "9")


def test_without_a_prefix_nothing_counts_as_undeclared() -> None:
    assert Flags("", {}).problems({"PATH": "/bin"}) == ()


def test_the_registry_comes_from_the_services_configuration(tmp_path: Path) -> None:
    (tmp_path / "truegreen.toml").write_text('[flags]\nprefix = "F_"\n[flags.F_A]\n')
    assert Flags.load(tmp_path).read({"F_A": "yes"})["F_A"] is True
