"""The revisions have to hold together: heads, on the merge result too, asked of Alembic."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from service import INI, Repository, asked, git, question, revision, tree

from truegreen.errors import UsageError
from truegreen.gates.migrations import ask, inquiry
from truegreen.gates.schema_at import SchemaAt
from truegreen.model import Status


def test_one_head_passes_and_is_named(repository: Repository) -> None:
    files = tree(one=revision("0044", None), two=revision("0045", "0044"))
    result = asked(repository(files))
    assert (result.status, result.reason) == (Status.PASS, "one head, 0045; 2 pending (0044, 0045)")
    assert result.source.startswith("git ")


def test_two_heads_fail_with_both_and_their_files(repository: Repository) -> None:
    result = asked(
        repository(tree(one=revision("1", None), two=revision("2a", "1"), too=revision("2b", "1")))
    )
    assert result.status is Status.FAIL
    assert result.reason == "2 heads: 2a, 2b"
    assert [finding.where for finding in result.findings] == [
        "migrations/versions/two.py",
        "migrations/versions/too.py",
    ]


def test_a_merge_makes_two_heads_one(repository: Repository) -> None:
    files = tree(
        one=revision("1", None),
        a=revision("2a", "1"),
        b=revision("2b", "1"),
        merge=revision("3", ("2a", "2b")),
    )
    assert asked(repository(files)).reason.startswith("one head, 3;")


@pytest.mark.parametrize(
    ("files", "file", "says"),
    [
        (tree(one=revision("1", None), two=revision("2", "nowhere")), "two.py", "nowhere"),
        (
            tree(one=revision("1", "2"), two=revision("2", "1")),
            "one.py",
            "descend from one another",
        ),
        (tree(one=revision("1", None), two=revision("2", "2")), "two.py", "2"),
        (tree(one=revision("1", None), two=revision("1", None)), "two.py", "also declared in"),
        (tree(one=revision("1", None), two="revision = ("), "two.py:1", "never closed"),
        (tree(one=revision("1", None, "1 / 0")), "one.py:3", "ZeroDivisionError"),
        (tree(one=revision("1", None, "raise SystemExit(0)")), "one.py:3", "SystemExit"),
    ],
    ids=["missing parent", "cycle", "own parent", "twice", "syntax", "raises", "exits"],
)
def test_revisions_that_do_not_hold_together_fail_with_the_file(
    repository: Repository, files: dict[str, str | bytes], file: str, says: str
) -> None:
    result = asked(repository(files))
    assert result.status is Status.FAIL
    assert result.reason.startswith(f"migrations/versions/{file}")
    assert says in result.reason


def test_no_revisions_at_all_fail(repository: Repository) -> None:
    files = {**tree(), "migrations/versions/.keep": ""}
    result = asked(repository(files))
    assert result.status is Status.FAIL
    assert "not one revision" in result.reason


def test_no_alembic_ini_fails(repository: Repository) -> None:
    result = asked(repository({"a.txt": "x"}))
    assert (result.status, result.reason) == (Status.FAIL, "there is no alembic.ini")


def test_a_module_that_is_not_installed_here_is_unknown(repository: Repository) -> None:
    files = tree(one=revision("1", None, "import a_module_of_the_service"))
    result = asked(repository(files))
    assert result.status is Status.UNKNOWN
    assert "a_module_of_the_service" in result.reason
    assert "one.py:3" in result.reason


def test_revisions_that_do_not_end_are_unknown_and_leave_nothing_running(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    body = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '300'])\n"
        f"open({str(marker)!r}, 'w').write(str(child.pid))\nchild.wait()"
    )
    root = tmp_path / "tree"
    for name, text in tree(one=revision("1", None, body)).items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(text))
    asking = {"ini": "alembic.ini", "base": None, "sql": False, "trace": False}
    told = inquiry.ask(root, asking, {"PATH": os.environ["PATH"]}, timeout=8)
    assert (told["kind"], "within 8 s" in told["problem"]) == ("unknown", True)
    state = Path(f"/proc/{marker.read_text()}/stat")
    assert not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_a_process_that_dies_without_an_answer_is_unknown(repository: Repository) -> None:
    result = asked(repository(tree(one=revision("1", None, "import os\nos._exit(0)"))))
    assert result.status is Status.UNKNOWN
    assert "without an answer" in result.reason


def test_revisions_see_none_of_the_operators_secrets(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "operator")
    body = "import os\nassert 'HEROKU_API_KEY' not in os.environ"
    assert asked(repository(tree(one=revision("1", None, body)))).status is Status.PASS


def test_what_is_asked_is_head_and_not_the_working_folder(repository: Repository) -> None:
    root = repository(tree(one=revision("1", None)))
    (root / "migrations/versions/two.py").write_text(revision("2", None))
    assert asked(root).reason.startswith("one head, 1;")


def test_a_subfolder_of_a_repository_and_a_folder_called_alembic_are_no_trouble(
    repository: Repository,
) -> None:
    files: dict[str, str | bytes] = {
        "services/a/alembic.ini": INI.replace("migrations", "alembic"),
        "services/a/alembic/__init__.py": "",
        "services/a/alembic/env.py": "",
        "services/a/alembic/versions/one.py": revision("1", None),
    }
    assert asked(repository(files) / "services/a").reason.startswith("one head, 1;")


def test_none_configured_asks_nothing_and_says_so(tmp_path: Path) -> None:
    result = ask(question(tmp_path, migrate="none"))
    assert result.status is Status.PASS
    assert "no migrations are configured" in result.reason


def test_no_repository_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        asked(tmp_path)


@pytest.fixture
def branched(repository: Repository) -> Path:
    """``main`` and ``topic`` each have a revision after the same one; topic is checked out."""
    root = repository(tree(one=revision("1", None)))
    git(root, "branch", "-M", "main")
    git(root, "switch", "-qc", "topic")
    (root / "migrations/versions/topic.py").write_text(revision("2topic", "1"))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "topic")
    git(root, "switch", "-q", "main")
    (root / "migrations/versions/main.py").write_text(revision("2main", "1"))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "main")
    git(root, "switch", "-q", "topic")
    return root


def test_two_heads_that_only_the_merge_will_have_fail_before_it(branched: Path) -> None:
    assert asked(branched).status is Status.PASS, "there is no origin, and no branch is named"
    before = git(branched, "status", "--porcelain"), git(branched, "worktree", "list")
    result = asked(branched, branch="main")
    assert result.status is Status.FAIL
    assert result.reason.startswith("merged with main it has 2 heads: 2main (migrations/versions")
    assert {finding.text for finding in result.findings} == {"2main", "2topic"}
    assert (git(branched, "status", "--porcelain"), git(branched, "worktree", "list")) == before


def test_a_clone_merges_with_origins_default_branch(branched: Path, tmp_path: Path) -> None:
    git(branched, "switch", "-q", "main")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(branched), str(clone))
    git(clone, "switch", "-q", "topic")
    assert "merged with origin/main it has 2 heads" in asked(clone).reason


def test_a_commit_that_the_branch_holds_is_asked_about_itself(branched: Path) -> None:
    git(branched, "switch", "-q", "main")
    git(branched, "merge", "-q", "--no-edit", "topic")
    result = asked(branched, branch="topic")
    assert (result.status, result.reason) == (Status.FAIL, "2 heads: 2main, 2topic")


def test_a_merge_that_does_not_come_about_is_unknown(branched: Path) -> None:
    result = asked(branched, branch="nowhere")
    assert result.status is Status.UNKNOWN
    assert "there is no branch nowhere" in result.reason
    for name in ("main", "topic"):
        git(branched, "switch", "-q", name)
        (branched / "alembic.ini").write_text(f"{INI}# {name}\n")
        git(branched, "commit", "-qam", "ini")
    result = asked(branched, branch="main")
    assert result.status is Status.UNKNOWN
    assert "it does not merge with main: alembic.ini" in result.reason


def test_where_the_schema_is_has_to_be_known(repository: Repository) -> None:
    root = repository(tree(one=revision("1", None)))
    result = asked(root, schema=SchemaAt(None, why="the platform is away"))
    assert result.status is Status.UNKNOWN
    assert "where the schema is: the platform is away" in result.reason
    result = asked(root, schema=SchemaAt(None, why="away"), serving="HEAD", base="serving")
    assert (result.status, result.reason) == (Status.PASS, "one head, 1; nothing is pending")
    assert "assumed" in result.detail["base_source"]


def test_a_database_ahead_of_the_commit_passes_with_a_note(repository: Repository) -> None:
    root = repository(tree(one=revision("1", None)))
    ahead = SchemaAt(("2",), "health")
    result = asked(root, schema=ahead)
    assert result.status is Status.PASS
    assert "the database is ahead of it" in result.reason
    assert [(one.kind, one.blocks) for one in result.findings] == [("schema-ahead", False)]
    assert asked(root, schema=ahead, severity={"schema-ahead": "high"}).status is Status.FAIL
