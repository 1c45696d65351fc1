"""The migrations gate, asked of Alembic over real revision files."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from truegreen.config import Config, Release, parse_config
from truegreen.errors import UsageError
from truegreen.gates.migrations.gate import decide, one_head
from truegreen.gates.result import GateResult
from truegreen.model import Status

Repository = Callable[[dict[str, str | bytes]], Path]
NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
INI = "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\n"


def revision(name: str, down: str | tuple[str, ...] | None, body: str = "") -> str:
    return f"revision = {name!r}\ndown_revision = {down!r}\n{body}\n"


def tree(**revisions: str) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {
        "alembic.ini": INI,
        "migrations/env.py": "raise SystemExit('heads need no database')\n",
    }
    files.update({f"migrations/versions/{name}.py": text for name, text in revisions.items()})
    return files


def config(root: Path, migrate: str = "alembic") -> Config:
    base = parse_config({}, file=None, root=root)
    return base._replace(release=Release(migrate=migrate))


def ask(root: Path, timeout: float = 60.0) -> GateResult:
    return one_head(config(root), NOW, environ=os.environ, timeout=timeout)


def test_one_head_passes_and_is_named(repository: Repository) -> None:
    files = tree(one=revision("0044", None), two=revision("0045", "0044"))
    result = ask(repository(files))
    assert (result.status, result.reason) == (Status.PASS, "one head, 0045")
    assert result.source.startswith("git ")


def test_two_heads_fail_with_both_and_their_files(repository: Repository) -> None:
    result = ask(
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
    assert ask(repository(files)).reason == "one head, 3"


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
    result = ask(repository(files))
    assert result.status is Status.FAIL
    assert result.reason.startswith(f"migrations/versions/{file}")
    assert says in result.reason


def test_no_revisions_at_all_fail(repository: Repository) -> None:
    files = {**tree(), "migrations/versions/.keep": ""}
    result = ask(repository(files))
    assert result.status is Status.FAIL
    assert "not one revision" in result.reason


def test_no_alembic_ini_fails(repository: Repository) -> None:
    result = ask(repository({"a.txt": "x"}))
    assert (result.status, result.reason) == (Status.FAIL, "there is no alembic.ini")


def test_a_module_that_is_not_installed_here_is_unknown(repository: Repository) -> None:
    files = tree(one=revision("1", None, "import a_module_of_the_service"))
    result = ask(repository(files))
    assert result.status is Status.UNKNOWN
    assert "a_module_of_the_service" in result.reason
    assert "one.py:3" in result.reason


def test_revisions_that_do_not_end_are_unknown_and_leave_nothing_running(
    repository: Repository, tmp_path: Path
) -> None:
    marker = tmp_path / "pid"
    body = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '300'])\n"
        f"open({str(marker)!r}, 'w').write(str(child.pid))\nchild.wait()"
    )
    result = ask(repository(tree(one=revision("1", None, body))), timeout=6)
    assert result.status is Status.UNKNOWN
    assert "within 6 s" in result.reason
    state = Path(f"/proc/{marker.read_text()}/stat")
    assert not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_a_process_that_dies_without_an_answer_is_unknown(repository: Repository) -> None:
    result = ask(repository(tree(one=revision("1", None, "import os\nos._exit(0)"))))
    assert result.status is Status.UNKNOWN
    assert "without an answer" in result.reason


def test_revisions_see_none_of_the_operators_secrets(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "operator")
    body = "import os\nassert 'HEROKU_API_KEY' not in os.environ"
    assert ask(repository(tree(one=revision("1", None, body)))).status is Status.PASS


def test_what_is_asked_is_head_and_not_the_working_folder(repository: Repository) -> None:
    root = repository(tree(one=revision("1", None)))
    (root / "migrations/versions/two.py").write_text(revision("2", None))
    assert ask(root).reason == "one head, 1"


def test_a_subfolder_of_a_repository_and_a_folder_called_alembic_are_no_trouble(
    repository: Repository,
) -> None:
    files: dict[str, str | bytes] = {
        "services/a/alembic.ini": INI.replace("migrations", "alembic"),
        "services/a/alembic/__init__.py": "",
        "services/a/alembic/env.py": "",
        "services/a/alembic/versions/one.py": revision("1", None),
    }
    assert ask(repository(files) / "services/a").reason == "one head, 1"


def test_none_configured_asks_nothing_and_says_so(tmp_path: Path) -> None:
    result = one_head(config(tmp_path, "none"), NOW, environ={})
    assert result.status is Status.PASS
    assert "no migrations are configured" in result.reason


def test_no_repository_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        ask(tmp_path)


def test_an_answer_without_heads_never_opens_the_gate() -> None:
    assert not decide({"heads": []}, NOW, "x").open
    assert not decide({"problem": "p", "file": "", "kind": "unknown"}, NOW, "x").open
