"""From three services as they are to a deploy that is gated and verified, and nothing besides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

import truegreen
from truegreen.cli import root as command_line
from truegreen.config import load_config
from truegreen.doctor import examine
from truegreen.errors import UsageError

from .repositories import ALL, DJANGO, FASTAPI, FLASK, git, repository, snapshot, write

SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "init.json"
WORKFLOW = ".github/workflows/deploy-heroku.yml"
WRITTEN = {"Procfile", "truegreen.toml", "docs/incidents/README.md", WORKFLOW}


def init(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command_line, ["init", str(folder), *arguments])


def document(folder: Path, *arguments: str) -> dict[str, Any]:
    done = init(folder, "--json", *arguments)
    found: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(found, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("name", ALL)
def test_what_it_writes_is_read_and_has_no_finding_and_nothing_else_changes(
    tmp_path: Path, name: str
) -> None:
    root = repository(tmp_path / "shop", ALL[name])
    before = snapshot(root)
    done = init(root, "--yes")
    assert done.exit_code == 0, done.output
    after = snapshot(root)
    changed = {path for path in after if after[path] != before.get(path)}
    assert changed == WRITTEN
    assert set(before) <= set(after)
    found = examine(root)
    assert (found.findings, found.gaps) == ((), ())
    config = load_config(root)
    assert {one.name: one.app for one in config.environments.values()} == {
        "production": "shop-prod",
        "staging": "shop-stage",
    }
    assert b"hunter2" not in b"".join(after.values())
    for command in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(root / WORKFLOW)],
        ["zizmor", "--offline", "--persona", "auditor", str(root / WORKFLOW)],
    ):
        program = str(Path(sys.executable).parent / command[0])
        checked = subprocess.run([program, *command[1:]], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    again = document(root)
    assert again["changes"] == []
    assert again["left"] == []
    assert init(root).exit_code == 0
    assert snapshot(root) == after


def test_flask_and_alembic(tmp_path: Path) -> None:
    root = repository(tmp_path / "shop", FLASK)
    assert init(root, "--yes").exit_code == 0
    config = load_config(root)
    assert (config.release.migrate, config.release.alembic_ini) == ("alembic", "alembic.ini")
    assert config.smoke.paths == ("tests/smoke",)
    assert config.health.path == "/healthz"
    assert config.config_vars.required == ("DATABASE_URL",)
    assert list(config.flags.declared) == ["FLAG_NEW_CHECKOUT"]
    assert (root / "Procfile").read_text() == (
        "web: gunicorn 'shop:create_app()'\n"
        "release: ./bin/warm-cache && truegreen release\n"
        "worker: python -m shop.worker\n"
    )
    workflow = (root / WORKFLOW).read_text()
    assert "needs: [freeze, pii-scan, smoke, deploy, verify]" in workflow
    assert 'python-version-file: ".python-version"' in workflow
    assert workflow.count("-r requirements.txt") == 2


def test_django_migrates_by_itself(tmp_path: Path) -> None:
    root = repository(tmp_path / "shop", DJANGO)
    done = init(root, "--yes")
    assert (root / "Procfile").read_text() == (
        "release: python manage.py migrate --noinput && truegreen release\n"
        "web: gunicorn --bind ${HOST:-0.0.0.0}:$PORT site1.wsgi:application\n"
    )
    config = load_config(root)
    assert config.release.migrate == "none"
    assert config.health.path == "/health/"
    assert config.config_vars.required == ("SECRET_KEY",)
    assert "smoke" not in (root / WORKFLOW).read_text()
    assert "there is no smoke suite" in done.stderr


def test_fastapi_below_src(tmp_path: Path) -> None:
    root = repository(tmp_path / "shop", FASTAPI)
    assert init(root, "--yes").exit_code == 0
    assert (root / "Procfile").read_text() == (
        "release: truegreen release\n"
        "web: uvicorn shop.main:app --app-dir src --host ${HOST:-0.0.0.0} --port $PORT\n"
    )
    assert load_config(root).health.path == "/health"


def test_a_service_in_a_folder_has_its_workflow_at_the_top(tmp_path: Path) -> None:
    top = repository(tmp_path / "house", {f"apps/my shop/{k}": v for k, v in FLASK.items()})
    root = top / "apps" / "my shop"
    assert init(root, "--yes").exit_code == 0
    workflow = (top / ".github/workflows/deploy-heroku-my-shop.yml").read_text()
    assert 'SERVICE: "apps/my shop"' in workflow
    assert 'python-version-file: "apps/my shop/.python-version"' in workflow
    assert load_config(root).name == "my-shop"


def test_without_a_terminal_and_without_yes_it_shows_and_writes_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "shop", FLASK)
    before = snapshot(root)
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "init"],
        cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "truegreen init --yes writes it" in done.stderr
    assert "--- a/Procfile\n+++ b/Procfile\n" in done.stdout
    assert snapshot(root) == before
    assert not (root / ".truegreen").exists()


def test_the_diff_is_one_that_git_applies(tmp_path: Path) -> None:
    for name, files in ALL.items():
        root = repository(tmp_path / name / "shop", {**files, "Procfile": "web: x"})
        diff = init(root).stdout
        patch = tmp_path / f"{name}.patch"
        patch.write_text(diff)
        git(root, "apply", str(patch))
        applied = snapshot(root)
        git(root, "checkout", "-q", ".")
        git(root, "clean", "-qfd")
        assert init(root, "--yes").exit_code == 0
        assert snapshot(root) == applied


def test_what_is_there_with_other_content_is_left_and_it_says_what_to_add(tmp_path: Path) -> None:
    own = {
        **FLASK,
        "truegreen.toml": '[service]\nname = "shop"\n',
        WORKFLOW: "on: push\njobs: {}\n",
        "docs/incidents/README.md": "ours\n",
        "Procfile": 'release: sh -c "alembic upgrade head"\nweb: x\n',
    }
    root = repository(tmp_path / "shop", own)
    before = snapshot(root)
    found = document(root, "--yes")
    assert found["changes"] == []
    assert snapshot(root) == before
    left = {one["path"]: one for one in found["left"]}
    assert set(left) == WRITTEN
    assert "[release] migrate" in left["truegreen.toml"]["add"]
    assert "[service] name" not in left["truegreen.toml"]["add"]
    assert left["Procfile"]["add"] == "release: truegreen release"
    assert f"init --show {WORKFLOW}" in left[WORKFLOW]["add"]


def test_show_prints_what_a_file_would_say(tmp_path: Path) -> None:
    root = repository(tmp_path / "shop", {**FLASK, "truegreen.toml": "mine = 1\n"})
    shown = init(root, "--show", "truegreen.toml").stdout
    assert 'migrate = "alembic"' in shown
    with pytest.raises(UsageError, match="writes no README"):
        CliRunner().invoke(
            command_line, ["init", str(root), "--show", "README.md"], catch_exceptions=False
        )


def test_a_configuration_in_pyproject_is_the_configuration(tmp_path: Path) -> None:
    pyproject = DJANGO["pyproject.toml"] + '[tool.truegreen.service]\nname = "shop"\n'
    root = repository(tmp_path / "shop", {**DJANGO, "pyproject.toml": pyproject})
    found = document(root, "--yes")
    assert not (root / "truegreen.toml").exists()
    assert [one["path"] for one in found["left"]] == ["pyproject.toml"]


def test_symbolic_links_odd_bytes_and_folders_in_the_way_are_not_touched(tmp_path: Path) -> None:
    root = repository(tmp_path / "shop", FLASK)
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "docs").symlink_to(outside)
    (root / "Procfile").write_bytes(b"web: \xff\n")
    (root / "truegreen.toml").mkdir()
    found = document(root, "--yes")
    assert [one["path"] for one in found["changes"]] == [WORKFLOW]
    why = {one["path"]: one["why"] for one in found["left"]}
    assert "symbolic link" in why["docs/incidents/README.md"]
    assert "not UTF-8" in why["Procfile"]
    assert why["truegreen.toml"] == "is not a file"
    assert list(outside.iterdir()) == []


def test_an_empty_repository_gets_what_can_be_known_and_the_rest_by_hand(tmp_path: Path) -> None:
    root = repository(tmp_path / "x", {"README.md": ""}, {})
    found = document(root, "--yes")
    assert {one["path"] for one in found["changes"]} == WRITTEN - {"Procfile"}
    told = " ".join(found["by_hand"])
    for part in ("no Flask, Django", "no git remote", "no health", "no smoke", "truegreen"):
        assert part in told
    assert load_config(root).name == "x-app"


def test_outside_of_git_it_says_so(tmp_path: Path) -> None:
    write(tmp_path, FLASK)
    done = init(tmp_path, "--yes")
    assert isinstance(done.exception, UsageError)
    assert "git init" in done.exception.hint


def test_names_from_outside_stay_data(tmp_path: Path) -> None:
    hostile = {
        **FLASK,
        'tests/smoke/$(touch x)"; test.py': "",
        'a"b\n[env.x]/alembic.ini': "",
    }
    del hostile["alembic.ini"]
    remotes = {"origin": "x", "heroku": "https://git.heroku.com/a b;c.git"}
    root = repository(tmp_path / "shop", hostile, remotes)
    assert init(root, "--yes").exit_code == 0
    config = load_config(root)
    assert list(config.environments) == ["production"]
    assert config.release.alembic_ini == 'a"b\n[env.x]/alembic.ini'


def test_the_diff_in_the_docs_is_what_is_shown(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    page = (request.config.rootpath / "docs" / "init.md").read_text(encoding="utf-8")
    diff = page.partition("```diff\n")[2].partition("```")[0]
    assert diff
    assert diff in init(repository(tmp_path / "shop", FLASK)).stdout
