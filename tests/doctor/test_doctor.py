"""Each rule finds what it is for, at its line, and leaves the mended thing alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from sarif_judge import fits_sarif

import truegreen
from truegreen.cli import root as command_line
from truegreen.doctor import RULES, examine
from truegreen.errors import UsageError

ROOT = Path(__file__).parents[2]
SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "doctor.json"
PINNED = "actions/checkout@" + "1" * 40


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def found(root: Path, **files: str) -> list[tuple[str, str, int]]:
    return [(one.rule, one.path, one.line) for one in examine(write(root, files)).findings]


def workflow(run: str, *, top: str = "concurrency: {group: d, queue: max}", step: str = "") -> str:
    return f"""on: workflow_dispatch
{top}
jobs:
  deploy:
    runs-on: ubuntu-24.04
    steps:
      - uses: {PINNED}
      - name: Deploy
{step}        run: |
          echo begin
          {run}
"""


W = ".github/workflows/deploy.yml"
DEPLOY = "git push https://git.heroku.com/raxx-api-prod.git HEAD:main"
VERIFIED = f"{DEPLOY}\n          truegreen verify --app x --commit $GITHUB_SHA"


@pytest.mark.parametrize(
    "deploy",
    [
        DEPLOY,
        "git push heroku main",
        "heroku container:release web --app x",
        'curl -X POST "https://api.heroku.com/apps/x/builds" -d @b',
    ],
)
def test_a_workflow_that_deploys_and_never_asks_is_found_at_the_line_that_deploys(
    tmp_path: Path, deploy: str
) -> None:
    assert found(tmp_path, **{W: workflow(deploy)}) == [("deploy-never-asks", W, 11)]


def test_an_action_that_deploys_counts_too(tmp_path: Path) -> None:
    text = workflow("curl -f https://x/health").replace(
        PINNED, "akhileshns/heroku-deploy@" + "2" * 40
    )
    assert found(tmp_path, **{W: text}) == [("deploy-never-asks", W, 7)]


@pytest.mark.parametrize(
    "question",
    [
        "truegreen verify --app x --commit $GITHUB_SHA",
        "heroku releases:info --json --app x",
        "heroku releases --json --app x | jq -e '.[0].status == \"succeeded\"'",
        "curl -fsS https://api.heroku.com/apps/x/releases -H 'Range: version ..; max=1'",
    ],
)
def test_a_workflow_that_asks_is_left_alone(tmp_path: Path, question: str) -> None:
    assert found(tmp_path, **{W: workflow(f"{DEPLOY}\n          {question}")}) == []


@pytest.mark.parametrize("question", ["heroku releases:output --app x", "curl -f https://x/health"])
def test_a_question_that_a_failed_release_answers_well_is_none(
    tmp_path: Path, question: str
) -> None:
    rules = [one[0] for one in found(tmp_path, **{W: workflow(f"{DEPLOY}\n          {question}")})]
    assert rules == ["deploy-never-asks"]


@pytest.mark.parametrize(
    ("top", "rules"),
    [
        ("env: {}", [("concurrency-missing", W, 4)]),
        ("concurrency: deploy", [("concurrency-drops", W, 2)]),
        ("concurrency: {group: d, cancel-in-progress: true}", [("concurrency-cancels", W, 2)]),
        ("concurrency: {group: d, cancel-in-progress: false, queue: max}", []),
    ],
)
def test_deploys_that_may_overlap_be_cancelled_or_be_dropped(
    tmp_path: Path, top: str, rules: list[tuple[str, str, int]]
) -> None:
    assert found(tmp_path, **{W: workflow(VERIFIED, top=top)}) == rules


def test_a_failure_that_does_not_count_is_found(tmp_path: Path) -> None:
    text = workflow(VERIFIED + " || true", step="        continue-on-error: true\n")
    assert found(tmp_path, **{W: text}) == [
        ("failure-swallowed", W, 8),
        ("failure-swallowed", W, 13),
    ]


def test_an_action_that_is_not_pinned_and_a_watcher_that_is_trusted(tmp_path: Path) -> None:
    text = workflow("gh run watch 7").replace(PINNED, "actions/checkout@v4")
    assert found(tmp_path, **{W: text}) == [("action-unpinned", W, 7), ("watcher-trusted", W, 11)]
    text = workflow("gh run watch 7 --exit-status").replace(PINNED, "./.github/actions/own")
    assert found(tmp_path, **{W: text}) == []


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        ("alembic upgrade head; pytest tests/smoke", ["exit-code-swallowed", "smoke-inherits"]),
        ("alembic upgrade head || true", ["exit-code-swallowed"]),
        ("alembic upgrade head && pytest tests/smoke", ["smoke-inherits"]),
        ("alembic upgrade head && pytest -p truegreen tests/smoke", []),
        ("truegreen release", []),
    ],
)
def test_the_release_command_is_read(tmp_path: Path, command: str, rules: list[str]) -> None:
    text = f"web: gunicorn x || true\nrelease: {command}\n"
    assert found(tmp_path, Procfile=text) == [(rule, "Procfile", 2) for rule in rules]


GUARD = """from flask import request, jsonify

def guard():
    if not request.headers.get("CF-Connecting-IP"):
        return jsonify(error="direct_origin_blocked"), 403
"""


def test_the_guard_of_that_day_is_found_and_one_with_a_secret_is_not(tmp_path: Path) -> None:
    assert found(tmp_path, **{"app/guard.py": GUARD}) == [("header-only-guard", "app/guard.py", 4)]
    better = GUARD.replace("from flask", "import hmac\nfrom flask") + "    hmac.compare_digest\n"
    assert found(tmp_path, **{"app/guard.py": better}) == []
    logs = GUARD.replace("403", "200").replace("return", "print")
    assert found(tmp_path, **{"app/guard.py": logs}) == []


def test_a_health_check_that_any_code_answers_is_found(tmp_path: Path) -> None:
    text = '@app.get("/health")\ndef health():\n    return {"status": "ok"}\n'
    assert found(tmp_path, **{"app.py": text}) == [("health-without-commit", "app.py", 2)]
    text = text.replace('"ok"', '"ok", "commit": COMMIT')
    assert found(tmp_path, **{"app.py": text}) == []


def test_a_flag_with_one_spelling_is_noted_and_notes_do_not_fail(tmp_path: Path) -> None:
    text = (
        'import os\nON = os.environ.get("FLAG_X") == "1"\nB = os.getenv("FLAG_Y", "") != "true"\n'
    )
    write(tmp_path, {"settings.py": text})
    examined = examine(tmp_path)
    assert [(one.rule, one.level, one.line) for one in examined.findings] == [
        ("flag-spelling", "note", 2),
        ("flag-spelling", "note", 3),
    ]
    assert examined.exit_code == 0


def revision(name: str, parent: str) -> str:
    return f'revision = "{name}"\ndown_revision = {parent}\n'


@pytest.mark.parametrize(
    ("revisions", "rules"),
    [
        ({"a": "None", "b": '"a"'}, []),
        ({"a": "None", "b": '"a"', "c": '"a"'}, ["several-heads", "several-heads"]),
        ({"a": "None", "b": '"a"', "c": '"a"', "d": '("b", "c")'}, []),
        ({"b": '"a"'}, ["revision-orphan"]),
        ({"a": '"b"', "b": '"a"'}, ["several-heads"]),
    ],
)
def test_the_revision_graph_is_read_without_running_it(
    tmp_path: Path, revisions: dict[str, str], rules: list[str]
) -> None:
    files = {f"m/versions/{n}_x.py": revision(n, parent) for n, parent in revisions.items()}
    assert [one[0] for one in found(tmp_path, **files)] == rules


def test_one_revision_in_two_files_is_found(tmp_path: Path) -> None:
    files = {"m/versions/1.py": revision("a", "None"), "m/versions/2.py": revision("a", "None")}
    assert found(tmp_path, **files) == [("revision-twice", "m/versions/2.py", 1)]


def test_what_is_known_is_ignored_with_a_reason_and_not_without(tmp_path: Path) -> None:
    text = "release: pytest  # truegreen: ignore[smoke-inherits] the suite reads nothing\n"
    examined = examine(write(tmp_path, {"Procfile": text}))
    assert examined.findings == ()
    assert examined.ignored[0][1] == "the suite reads nothing"
    text = "# truegreen: ignore[smoke-inherits]\nrelease: pytest\n"
    assert found(tmp_path, Procfile=text) == [("smoke-inherits", "Procfile", 2)]


def test_what_cannot_be_read_is_said_and_is_not_health(tmp_path: Path) -> None:
    write(
        tmp_path, {W: "jobs: [", "broken.py": "import os; os.environ[0] == '1' (\n", "empty.py": ""}
    )
    (tmp_path / "latin.py").write_bytes(b"x = environ == '1' '\xff'\n")
    (tmp_path / "big.py").write_bytes(b"#" * (1024 * 1024 + 1))
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    examined = examine(tmp_path)
    assert {gap.path for gap in examined.gaps} == {W, "broken.py", "latin.py", "big.py"}
    assert examined.exit_code == 3


def test_an_empty_repository_and_odd_files_are_borne(tmp_path: Path) -> None:
    assert examine(tmp_path).exit_code == 0
    os.mkfifo(tmp_path / "pipe")
    write(tmp_path, {W: "5\n", "Procfile": "release:\n: x\nrelease\n\x00: y\n"})
    assert {gap.path for gap in examine(tmp_path).gaps} == {W}
    with pytest.raises(UsageError, match="not a folder"):
        examine(tmp_path / "nowhere")


def test_environments_and_caches_are_not_looked_into(tmp_path: Path) -> None:
    write(tmp_path, {"node_modules/x/Procfile": "release: pytest\n", "own/pyvenv.cfg": ""})
    write(tmp_path, {"own/lib/Procfile": "release: pytest\n"})
    assert examine(tmp_path).findings == ()


def test_this_repository_is_well_and_that_day_s_is_not() -> None:
    """Raptor keeps what the incident's day looked like beside its review."""
    that_day = "docs/incidents/that-day/"
    found = examine(ROOT / "examples" / "raptor").findings
    assert [one for one in found if not one.path.startswith(that_day)] == []
    assert "deploy-never-asks" in {one.rule for one in found}
    assert [one for one in examine(ROOT).findings if one.path.startswith(".github")] == []


def test_the_verb_prints_fits_its_schema_and_writes_sarif(tmp_path: Path) -> None:
    write(tmp_path, {"Procfile": "release: alembic upgrade head; pytest\n"})
    sarif = tmp_path / "out.sarif"
    done = CliRunner().invoke(
        command_line, ["doctor", str(tmp_path), "--json", "--sarif", str(sarif)],
        standalone_mode=False,
    )  # fmt: skip
    assert done.return_value == 1
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [one["rule"] for one in document["findings"]] == [
        "exit-code-swallowed",
        "smoke-inherits",
    ]
    log = json.loads(sarif.read_text())
    fits_sarif(log)
    results = log["runs"][0]["results"]
    assert [one["ruleId"] for one in results] == ["exit-code-swallowed", "smoke-inherits"]
    text = CliRunner().invoke(command_line, ["doctor", str(tmp_path)], standalone_mode=False).stdout
    assert "2026-06-21-release-smoke-cf-origin-guard" in text


def test_every_rule_stands_in_the_docs() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert [name for name in RULES if f"| `{name}` |" not in page] == []
