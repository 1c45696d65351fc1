"""The registry: absent is not off, pins do not ask, and a bad start names everything."""

import copy
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from truegreen.config import FlagDeclaration
from truegreen.errors import ConfigError
from truegreen.flags import FlagError, Flags, FlagValues, Origin, pin

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
    assert absent.origin("FLAG_GUARD") == Origin("default", False, None, False)
    assert off.origin("FLAG_GUARD") == Origin("env", True, "off", False)
    assert "FLAG_GUARD=off (absent, default)" in repr(absent)
    assert "FLAG_GUARD=off (env)" in repr(off)


def test_an_empty_text_is_given_and_is_no_boolean() -> None:
    with pytest.raises(FlagError, match="FLAG_GUARD: '' is not a boolean"):
        FLAGS.read({"FLAG_GUARD": ""})


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


def test_only_what_begins_with_the_prefix_is_refused_and_in_order() -> None:
    environ = {"FLAG_Z": "1", "MY_FLAG_X": "1", "FLAG_A": "\x1b[2J"}
    found = FLAGS.problems(environ)
    assert [one.variable for one in found] == ["FLAG_A", "FLAG_Z"]
    assert found[0].value == r"\x1b[2J"


def test_what_has_two_sources_is_refused_once() -> None:
    for given in ({"config": {"FLAG_NEW": True}}, {"overrides": {"FLAG_NEW": True}}):
        with pytest.raises(FlagError) as caught:
            FLAGS.read({"FLAG_NEW": "1"}, **given)
        assert len(caught.value.problems) == 1


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
    assert values.origin("FLAG_GUARD") == Origin("pin", True, None, False)


@pytest.mark.parametrize(
    "pin",
    [{"FLAG_GUARD": 1}, {"FLAG_LIMIT": True}, {"FLAG_COLOUR": "red"}, {"FLAG_NEW": True}],
)
def test_a_pin_of_the_wrong_type_or_name_is_refused(pin: dict[str, bool | int | str]) -> None:
    with pytest.raises(FlagError, match="pinned"):
        FLAGS.read({}, overrides=pin)
    with pytest.raises(FlagError, match="configured"):
        FLAGS.read({}, config=pin)


def test_the_sources_rank_pin_config_environment_file_default(tmp_path: Path) -> None:
    file = tmp_path / "flags.toml"
    file.write_text("FLAG_LIMIT = 1\n")
    flags = Flags("FLAG_", FLAGS.declared, file)
    environ, config = {"FLAG_LIMIT": "2"}, {"FLAG_LIMIT": 3}
    found = [
        FLAGS.read({}),
        flags.read({}),
        flags.read(environ),
        flags.read(environ, config=config),
        flags.read(environ, config=config, overrides={"FLAG_LIMIT": 4}),
    ]
    assert [values["FLAG_LIMIT"] for values in found] == [3, 1, 2, 3, 4]
    assert [values.origin("FLAG_LIMIT") for values in found] == [
        Origin("default", False, None, 3),
        Origin("file", True, "1", 3),
        Origin("env", True, "2", 3),
        Origin("config", True, None, 3),
        Origin("pin", True, None, 3),
    ]


def test_what_is_handed_in_outranks_the_pin_around_it() -> None:
    with pin(FLAG_LIMIT=5):
        values = FLAGS.read({}, overrides={"FLAG_LIMIT": 4})
    assert values["FLAG_LIMIT"] == 4


def test_a_pin_of_somebody_elses_flag_is_not_this_services() -> None:
    Flags("", {"OTHER": FlagDeclaration("OTHER")})
    with pin(OTHER=True):
        for flags in (FLAGS, Flags("", {"MINE": FlagDeclaration("MINE")})):
            assert "OTHER" not in flags.read({})


# CPython 3.11 and 3.13 (how deep it prints), and 3.14 (how deep tomllib reads).
DEEP = "FLAG_GUARD: a (dict|value of .*) is no bool|more than the allowed 1000 parts"
HEX = "0x" + "f" * 5_000  # an int that Python does not print


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FLAG_LIMIT = true", "FLAG_LIMIT: True is no int"),
        ("FLAG_LIMIT = 1\nFLAG_LIMIT = 2", "cannot be read: Cannot overwrite"),
        ("\ufeffFLAG_LIMIT = 1", "Invalid statement .*save it as UTF-8 without a byte order mark"),
        ("FLAG_LIMIT = " + "9" * 31, "more than 30 digits is no int"),
        ("FLAG_LIMIT = -" + "9" * 31, "more than 30 digits is no int"),
        (f"FLAG_LIMIT = {HEX}", "more than 30 digits is no int"),
        (f"FLAG_RATE = {HEX}", "more than 30 digits is no float"),
        (f"FLAG_COLOUR = [{HEX}]", "FLAG_COLOUR: a list is no choice"),
        (f"FLAG_NEW = {HEX}", "FLAG_NEW: is in the file and not declared"),
        ("FLAG_GUARD = " + "[" * 3_000, "cannot be read: maximum recursion depth"),
        ("FLAG_GUARD" + ".a" * 3_000 + " = 1", DEEP),
        ("[FLAG_GUARD]", "FLAG_GUARD: {} is no bool"),
        ("FLAG_SITE = ''", "FLAG_SITE: a value of 0 characters is not a URL"),
        ('FLAG_GUARD = "yes"', "FLAG_GUARD: 'yes' is no bool"),
        ("FLAG_NEW = 1", "FLAG_NEW: is in the file and not declared"),
        ("FLAG_LIMIT =", "cannot be read"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_of_flags_is_read_as_strictly(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "flags.toml"
    if text is not None:
        file.write_text(text)
    more = {
        "FLAG_RATE": FlagDeclaration("FLAG_RATE", type="float", default=0.5),
        "FLAG_SITE": FlagDeclaration("FLAG_SITE", type="url", default="http://h"),
    }
    with pytest.raises(FlagError, match=says):
        Flags("FLAG_", {**FLAGS.declared, **more}, file).read({})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flags.toml").write_bytes("FLAG_LIMIT = 1".encode("utf-16"))
    for file in (tmp_path / "flags.toml", tmp_path):
        with pytest.raises(FlagError, match="cannot be read"):
            Flags("FLAG_", FLAGS.declared, file).read({})


def test_texts_in_a_file_go_by_the_grammar_where_toml_has_no_such_type(tmp_path: Path) -> None:
    file = tmp_path / "flags.toml"
    file.write_text('FLAG_WAIT = "1m"\nFLAG_HOSTS = ["a", "b"]\n')
    declared = {
        "FLAG_WAIT": FlagDeclaration("FLAG_WAIT", type="duration", default=1.0),
        "FLAG_HOSTS": FlagDeclaration("FLAG_HOSTS", type="list", default=()),
    }
    values = Flags("FLAG_", declared, file).read({})
    assert (values["FLAG_WAIT"], values["FLAG_HOSTS"]) == (60.0, ("a", "b"))
    file.write_text('FLAG_HOSTS = "a, b"\n')
    assert Flags("FLAG_", declared, file).read({})["FLAG_HOSTS"] == ("a", "b")
    for text in ({"FLAG_WAIT": "1m"}, {"FLAG_HOSTS": "a, b"}):  # code has such types
        with pytest.raises(FlagError, match="is configured"):
            Flags("FLAG_", declared, None).read({}, config=text)


OPEN = Flags("FLAG_", {"FLAG_NEW_LOOK": FlagDeclaration("FLAG_NEW_LOOK", fail="open")})


def test_a_flag_that_fails_open_goes_on_with_its_default_and_says_so() -> None:
    values = OPEN.read({"FLAG_NEW_LOOK": "maybe"})
    origin = values.origin("FLAG_NEW_LOOK")
    assert values["FLAG_NEW_LOOK"] is False
    assert (origin.source, origin.present, origin.raw) == ("default", True, "maybe")
    assert origin.problem == "'maybe' is not a boolean"
    assert "env, unparseable" not in repr(values)
    assert "unparseable" in repr(values)
    assert [one.variable for one in OPEN.problems({"FLAG_NEW_LOOK": "maybe"})] == ["FLAG_NEW_LOOK"]


def test_a_flag_fails_open_for_the_file_too(tmp_path: Path) -> None:
    file = tmp_path / "flags.toml"
    file.write_text("FLAG_NEW_LOOK = 1")
    origin = Flags("FLAG_", OPEN.declared, file).read({}).origin("FLAG_NEW_LOOK")
    assert (origin.source, origin.raw, origin.problem) == ("default", "1", "1 is no bool")


def test_failing_open_is_for_the_machines_texts_and_not_for_wrong_code() -> None:
    for given in ({"config": {"FLAG_NEW_LOOK": 1}}, {"overrides": {"FLAG_NEW_LOOK": "yes"}}):
        with pytest.raises(FlagError):
            OPEN.read({}, **given)


def test_a_secret_flag_is_nowhere_shown() -> None:
    flags = Flags("", {"DSN": FlagDeclaration("DSN", type="url", default="", secret=True)})
    good = flags.read({"DSN": "https://key:hush@example.com/1"})
    assert "hush" not in repr(good)
    text = Flags("", {"KEY": FlagDeclaration("KEY", type="str", default="", secret=True)})
    for shown in (text.read({"KEY": "hush"}), text.survey({"KEY": "hush"})[0]):
        assert "KEY=[redacted] (env)" in repr(shown)
        assert "KEY=[redacted] (env)" in repr(pickle.loads(pickle.dumps(shown)))
    assert "hush" not in repr(good.origin("DSN")) + repr(text.read({"KEY": "hush"}).origin("KEY"))
    assert good["DSN"] == "https://key:hush@example.com/1"
    number = Flags("", {"PIN": FlagDeclaration("PIN", type="int", default=0, secret=True)})
    with pytest.raises(FlagError) as caught:
        number.read({"PIN": "hush"})
    assert "hush" not in str(caught.value) + repr(caught.value.problems)


def test_a_url_is_shown_without_its_user_and_password() -> None:
    flags = Flags("", {"HOOK": FlagDeclaration("HOOK", type="url", default="https://h/x")})
    assert "HOOK='https://h/x' (absent, default)" in repr(flags.read({}))
    shown = repr(flags.read({"HOOK": "https://k:hush@at@h/x"}))
    assert "HOOK=https://[redacted]@h/x (env)" in shown


def test_a_long_value_in_the_wrong_variable_is_not_repeated() -> None:
    (problem,) = FLAGS.problems({"FLAG_GUARD": "sk_live_0123456789abcdef"})
    assert "sk_live" not in str(problem) + repr(problem)
    with pytest.raises(FlagError) as caught:
        FLAGS.read({}, config={"FLAG_NEW": "sk_live_0123456789abcdef"})
    assert "sk_live" not in repr(caught.value.problems)


def test_a_default_that_does_not_fit_is_refused_with_the_declaration() -> None:
    bad = {"FLAG_URL": FlagDeclaration("FLAG_URL", type="url", default="not a url")}
    with pytest.raises(FlagError, match=r"in \[flags\.FLAG_URL\]"):
        Flags("FLAG_", bad)


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
        del values["FLAG_GUARD"]
    with pytest.raises(TypeError):
        values |= {"FLAG_GUARD": True}
    for change in (
        values.clear,
        values.popitem,
        lambda: values.pop("FLAG_GUARD"),
        lambda: values.setdefault("FLAG_NEW", True),
        lambda: values.update(FLAG_GUARD=True),
    ):
        with pytest.raises(TypeError, match="constant for a process"):
            change()
    assert values == {"FLAG_GUARD": False, "FLAG_LIMIT": 3, "FLAG_COLOUR": "blue"}


def test_what_values_and_declarations_were_made_of_is_not_them() -> None:
    given, origins = {"FLAG_A": True}, {"FLAG_A": Origin("env", True, "1", False)}
    values = FlagValues(given, origins)
    declared = {"FLAG_A": FlagDeclaration("FLAG_A")}
    flags = Flags("FLAG_", declared)
    given.clear()
    origins.clear()
    declared.clear()
    with pin():  # reads take another way
        assert values["FLAG_A"] is True
    assert values.origin("FLAG_A").source == "env"
    assert flags.read({"FLAG_A": "1"})["FLAG_A"] is True
    with pytest.raises(TypeError):
        flags.declared["FLAG_B"] = FlagDeclaration("FLAG_B")  # type: ignore[index]


def test_values_survive_copying_and_pickling() -> None:
    values = FLAGS.read({"FLAG_LIMIT": "9"})
    for again in (copy.deepcopy(values), pickle.loads(pickle.dumps(values))):
        assert again == values
        assert again.origin("FLAG_LIMIT") == Origin("env", True, "9", 3)


def test_without_a_prefix_nothing_counts_as_undeclared() -> None:
    assert Flags("", {}).problems({"PATH": "/bin"}) == ()


def test_the_registry_comes_from_the_services_configuration(tmp_path: Path) -> None:
    text = '[flags]\nprefix = "F_"\nfile = "f.toml"\n[flags.F_A]\n[flags.F_B]\n'
    (tmp_path / "truegreen.toml").write_text(text)
    (tmp_path / "f.toml").write_text("F_B = true\n")
    assert Flags.load(tmp_path).read({"F_A": "yes"}) == {"F_A": True, "F_B": True}


@pytest.mark.parametrize("there", ["", ".", "pyproject.toml"])
def test_a_folder_without_declarations_does_not_declare_nothing(tmp_path: Path, there: str) -> None:
    """Started in another folder, a service would only miss its flags when it reads one."""
    if there == "pyproject.toml":
        (tmp_path / there).write_text("[project]\nname = 'x'\n")
    with pytest.raises(ConfigError, match=r"has no truegreen\.toml, where flags are declared"):
        Flags.load(tmp_path / "nowhere" if there == "" else tmp_path)
