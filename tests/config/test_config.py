"""The configuration: defaults, strictness, and errors that name file, key, value and fix."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from truegreen.config import FlagDeclaration, load_config
from truegreen.config.model import FLAG_TYPES
from truegreen.errors import ConfigError
from truegreen.flags import Flags


def write(root: Path, text: str, name: str = "truegreen.toml") -> Path:
    (root / name).write_text(text, encoding="utf-8")
    return root


def test_without_a_file_there_are_defaults_named_after_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "My_Service"
    root.mkdir()
    config = load_config(root)
    assert config.file is None
    assert config.environments["production"].app == "my-service"
    assert config.smoke.seal is True


def test_pyproject_is_read_when_there_is_no_file_of_our_own(tmp_path: Path) -> None:
    write(tmp_path, '[tool.truegreen.service]\nname = "other"\n', "pyproject.toml")
    assert load_config(tmp_path).name == "other"


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("", "", "is empty"),
        ("[service\n", "", "not valid TOML"),
        ("x = " + "[" * 3_000, "", "not valid TOML: maximum recursion"),
        ("x = " + "9" * 5_000, "", "not valid TOML: Exceeds the limit"),
        ("\ufeff[service]\n", "", "save it as UTF-8 without a byte order mark"),
        ('"a\\u001b[2Jb" = 1\n', "a\x1b[2Jb", r"a\x1b[2Jb: is not a known key"),
        ('[flags."A\\nB"]\nx = 1\n', "flags.A\nB", r"flags.A\nB: "),
        ('[service]\nnmae = "x"\n', "service.nmae", "did you mean service.name"),
        ('[servce]\nname = "x"\n', "servce", "did you mean service"),
        ("[service]\nname = 3\n", "service.name", "a string"),
        ("service = 3\n", "service", "not a table"),
        ("[smoke]\nseal = 1\n", "smoke.seal", "true or false"),
        ("[smoke]\ntimeout = true\n", "smoke.timeout", "seconds"),
        ("[smoke]\ntimeout = -1\n", "smoke.timeout", "out of range"),
        ("[smoke]\npaths = ['a', 1]\n", "smoke.paths", "list of strings"),
        ("[smoke]\nleaks = 'ignore'\n", "smoke.leaks", "fail, warn, record"),
        ("[smoke.env]\nX = 1\n", "smoke.env.X", "a string"),
        ("[smoke.env]\n'1X' = 'a'\n", "smoke.env.1X", "variable's name"),
        ("[health]\nsamples = 0\n", "health.samples", "at least 1"),
        ("[health]\npath = 'health'\n", "health.path", "begin it with /"),
        ("[env.a]\napp = 'NO'\n[service]\ndefault_env = 'a'", "env.a.app", "not an app name"),
        ("[env.a]\napp = 'abc'\n", "service.default_env", "not among"),
        ("[env.production]\nplatform = 'aws'\n", "env.production.platform", "embedded, heroku"),
        ("[flags.FLAG_A]\ntype = 'yes'\n", "flags.FLAG_A.type", "not known"),
        ("[flags.FLAG_A]\ndefault = 'on'\n", "flags.FLAG_A.default", "does not fit"),
        ("[flags.FLAG_A]\ntype = 'int'\ndefault = true\n", "flags.FLAG_A.default", "does not fit"),
        ("[flags.FLAG_A]\ntype = 'duration'\ndefault = '5s'\n", "flags.FLAG_A.default", "seconds"),
        ("[flags.FLAG_A]\ntype = 'duration'\ndefault = -1\n", "flags.FLAG_A.default", "from 0"),
        ("[flags.FLAG_A]\ntype = 'float'\ndefault = inf\n", "flags.FLAG_A.default", "out of range"),
        (
            f"[flags.FLAG_A]\ntype = 'float'\ndefault = 0x{'f' * 5_000}\n",
            "flags.FLAG_A.default",
            "out of range",
        ),
        ("[flags.FLAG_A]\ntype = 'list'\ndefault = 'a'\n", "flags.FLAG_A.default", "a list"),
        (
            "[flags.FLAG_A]\ntype = 'list'\nchoices = ['a']\ndefault = ['b']\n",
            "flags.FLAG_A.default",
            "among its choices",
        ),
        ("[flags.FLAG_A]\nchoices = ['a']\n", "flags.FLAG_A.choices", "means nothing"),
        ("[flags.FLAG_A]\ntype = 'enum'\n", "flags.FLAG_A.choices", "missing"),
        ("[flags.FLAG_A]\nfail = 'maybe'\n", "flags.FLAG_A.fail", "closed, open"),
        ("[flags.FLAG_A]\nexpires = '2027-01-31'\n", "flags.FLAG_A.expires", "not a day"),
        ("[flags.FLAG_A]\nexpiry = 2027-01-31\n", "flags.FLAG_A.expiry", "expires"),
        ("[health]\ntoken = 'hush'\n", "health.token", "not a reference"),
        (
            "[flags.FLAG_A]\ntype = 'choice'\nchoices = ['a']\ndefault = 'b'\n",
            "flags.FLAG_A.default",
            "among its choices",
        ),
        ("[[freeze.window]]\nname = 'x'\nstart = 'soon'\n", "freeze.window[0].start", "local date"),
        (
            "[[freeze.window]]\nname='x'\nstart=2026-01-02T00:00:00\nend=2026-01-01T00:00:00\n",
            "freeze.window[0].end",
            "not after",
        ),
        ("[scan]\nip = 'some'\n", "scan.ip", "off, public, all"),
        ("[scan]\nsupressions = 'x'\n", "scan.supressions", "did you mean scan.suppressions"),
    ],
)
def test_what_is_wrong_is_named_with_its_fix(
    tmp_path: Path, text: str, key: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=r"truegreen\.toml") as caught:
        load_config(write(tmp_path, text))
    assert caught.value.key == key
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "truegreen.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path)


def test_the_documented_example_is_read_whole(request: pytest.FixtureRequest) -> None:
    import tomllib

    from truegreen.config import parse_config

    path = request.config.rootpath / "docs" / "truegreen.toml"
    config = parse_config(
        tomllib.loads(path.read_text(encoding="utf-8")), file=path, root=path.parent
    )
    assert config.freeze.windows
    assert config.scan.exclude
    assert set(FLAG_TYPES) == {f.type for f in config.flags.declared.values()}
    assert Flags.from_config(config.flags).declared["FLAG_ENFORCE_CF_ORIGIN"].fail == "closed"


def test_the_rest_of_a_flags_declaration_is_read(tmp_path: Path) -> None:
    text = (
        '[flags]\nfile = "flags.toml"\n[flags.FLAG_A]\ntype = "enum"\nchoices = ["a", "b"]\n'
        'default = "b"\nfail = "open"\nowner = "web"\nexpires = 2027-01-31\nsecret = true\n'
    )
    flags = load_config(write(tmp_path, text)).flags
    assert flags.file == tmp_path / "flags.toml"
    assert flags.declared["FLAG_A"] == FlagDeclaration(
        "FLAG_A", "choice", "b", ("a", "b"), "", "open", "web", date(2027, 1, 31), True
    )
