"""``truegreen flags``: exit codes, documents, and what is said when nobody answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import truegreen
from truegreen.cli import root
from truegreen.cli.exits import run
from truegreen.errors import PlatformUnreachable

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"
CONFIG = """
[service]
name = "shop"
[env.production]
app = "shop-prod"
[flags.FLAG_GUARD]
owner = "web"
[flags.FLAG_OLD]
expires = 2020-01-01
[flags.FLAG_DSN]
type = "url"
secret = true
"""


class Platform:
    """Config vars by app, as a target and its client in one."""

    def __init__(self, apps: Mapping[str, dict[str, str]]) -> None:
        self.apps = apps

    def client(self) -> Platform:
        return self

    def __enter__(self) -> Platform:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def config_vars(self, app: str) -> dict[str, str]:
        return self.apps[app]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    (tmp_path / "truegreen.toml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    variables: dict[str, dict[str, str]] = {"shop-prod": {}, "shop-staging": {}}
    monkeypatch.setattr("truegreen.ship.target.find_target", lambda *_, **__: Platform(variables))
    return variables


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(root, ["flags", *arguments])
    told = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out, told.err


def document(text: str, schema: str) -> Any:
    found = json.loads(text)
    jsonschema.validate(found, json.loads((SCHEMAS / schema).read_text()))
    return found


def test_explain_of_an_app(service: Path, apps: Any, capsys: Any) -> None:
    (service / "truegreen.toml").write_text(CONFIG.replace("2020", "2099"))
    apps["shop-prod"].update(FLAG_GUARD="1", FLAG_DSN="https://k:hush@example.com", OTHER="hush")
    code, out, _ = call(capsys, "explain", str(service), "--json")
    found = document(out, "flags-explain.json")
    assert (code, found["app"], found["holds"]) == (0, "shop-prod", True)
    states = {one["name"]: one["state"] for one in found["flags"]}
    assert states == {"FLAG_GUARD": "on", "FLAG_OLD": "absent", "FLAG_DSN": "set"}
    assert "life of a process" in found["constant"]
    code, text, _ = call(capsys, "explain", str(service))
    assert code == 0
    assert "FLAG_OLD    off         absent  off         -      2099-01-01" in text
    assert "hush" not in out + text
    assert call(capsys, "explain", str(service), "--quiet") == (0, "", "")


def test_bytes_that_are_no_text_are_still_one_document(
    service: Path, capsys: Any, apps: Any
) -> None:
    apps["shop-prod"]["FLAG_\udc80"] = "\udcff"
    _, out, _ = call(capsys, "explain", str(service), "--json")
    assert out.encode()
    assert document(out, "flags-explain.json")["other_problems"][0]["variable"] == "FLAG_\udc80"


def test_explain_exits_1_for_each_kind_of_problem(service: Path, apps: Any, capsys: Any) -> None:
    (service / "truegreen.toml").write_text(CONFIG.replace("2020", "2099"))
    for variables, says in (
        ({"FLAG_GUARD": "maybe"}, "or unset it); no process starts with it"),
        ({"FLAG_GAURD": "1"}, "did you mean FLAG_GUARD?"),
    ):
        apps["shop-prod"] = variables
        code, out, _ = call(capsys, "explain", str(service))
        assert code == 1
        assert says in out
        assert call(capsys, "explain", str(service), "--app", "shop-staging")[0] == 0
        assert document(call(capsys, "explain", str(service), "--json")[1], "flags-explain.json")


def test_stale_names_what_has_expired(service: Path, apps: Any, capsys: Any) -> None:
    code, out, _ = call(capsys, "stale", str(service))
    assert code == 1
    assert "FLAG_OLD: expired on 2020-01-01 (nobody named), absent (default off)" in out
    found = document(call(capsys, "stale", str(service), "--json")[1], "flags-explain.json")
    assert [one["name"] for one in found["flags"]] == ["FLAG_OLD"]
    (service / "truegreen.toml").write_text(CONFIG.replace("2020", "2099"))
    code, out, _ = call(capsys, "stale", str(service))
    assert (code, out) == (0, "no flag of shop-prod has expired\n")


def test_diff_compares_two_apps(service: Path, apps: Any, capsys: Any) -> None:
    assert call(capsys, "diff", "shop-staging", str(service))[0] == 0
    apps["shop-prod"]["FLAG_GUARD"] = "1"
    apps["shop-staging"]["FLAG_GUARD"] = "0"
    code, out, _ = call(capsys, "diff", "shop-staging", str(service), "--json")
    found = document(out, "flags-diff.json")
    assert (code, found["apps"]) == (1, ["shop-prod", "shop-staging"])
    assert {"name": "FLAG_GUARD", "difference": "value", "one": "on", "other": "off"} in found[
        "flags"
    ]
    assert call(capsys, "diff", "shop-prod", str(service))[0] == 0


def test_here_asks_this_process_and_no_platform(
    service: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FLAG_OLD", "FLAG_DSN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLAG_GUARD", "maybe")
    code, out, _ = call(capsys, "explain", str(service), "--here")
    assert code == 1
    assert "flags of this process" in out
    assert call(capsys, "explain", str(service), "--here", "--app", "x")[0] == 2


def test_a_folder_without_a_configuration_is_not_said_to_be_in_order(
    service: Path, apps: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (service / "elsewhere").mkdir()
    for verb in (["explain"], ["stale"], ["diff", "shop-staging"]):
        code, out, err = call(capsys, *verb, str(service / "elsewhere"))
        assert (code, out) == (2, "")
        assert "elsewhere has no truegreen.toml" in err
    (service / "truegreen.toml").write_text(CONFIG.split("[flags")[0])
    assert call(capsys, "explain", str(service))[0] == 0


def test_no_answer_is_exit_3_and_a_bad_configuration_2(
    service: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise PlatformUnreachable("nobody there")

    monkeypatch.setattr("truegreen.ship.target.find_target", away)
    for verb in (["explain"], ["stale"], ["diff", "x"]):
        assert call(capsys, *verb, str(service))[0] == 3
    (service / "truegreen.toml").write_text("[flags.FLAG_A]\ntype = 'url'\ndefault = 'x'\n")
    assert call(capsys, "explain", str(service), "--here")[0] == 2
    (service / "truegreen.toml").write_text("[flags.FLAG_A]\ntype = 'x'\n")
    assert call(capsys, "explain", str(service), "--here")[0] == 2
