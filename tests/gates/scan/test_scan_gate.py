"""The scan gate over real repositories: the tree at HEAD, the allow list, what is left out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from truegreen.config import Config, Scan, parse_config
from truegreen.errors import UsageError
from truegreen.gates.result import Finding, GateResult
from truegreen.gates.scan.gate import scan_head
from truegreen.gates.scan.judge import excluder
from truegreen.gates.scan.suppressions import Marker, Suppression, add
from truegreen.model import Status
from truegreen.secret import Secret

Repository = Callable[[dict[str, str | bytes]], Path]
NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
MAIL = "jo@" + "corp.de"
IDENTITY = ("-c", "user.name=T", "-c", "user.email=t@example.com")
SECRET = "ssn 536" + "-90-" + "4399"


def config(root: Path, **scan: object) -> Config:
    base = parse_config({"service": {"name": "raptor"}}, file=None, root=root)
    return base._replace(scan=Scan(**scan))  # type: ignore[arg-type]


def scan(root: Path, **settings: object) -> GateResult:
    return scan_head(config(root, **settings), NOW)


def of_kind(result: GateResult, kind: str) -> list[Finding]:
    return [finding for finding in result.findings if finding.kind == kind]


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_clean_tree_passes_and_says_how_many_files(repository: Repository) -> None:
    result = scan(repository({"a.txt": "nothing", "b/c.txt": "jo@example.com"}))
    assert result.status is Status.PASS
    assert result.reason == "nothing found in 2 files"
    assert result.source.startswith("git ")


def test_personal_data_shuts_the_gate_and_is_not_printed(repository: Repository) -> None:
    result = scan(repository({"a.txt": "x", "data/people.csv": f"name,mail\nJo,{MAIL}\n"}))
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert finding.where == "data/people.csv:2:4"
    assert MAIL not in repr(result) + str(result.as_json())


def test_what_is_not_committed_is_not_what_is_scanned(repository: Repository) -> None:
    root = repository({"a.txt": MAIL, "b.txt": "x"})
    (root / "a.txt").write_text("cleaned, but not committed")
    (root / "untracked.txt").write_text(SECRET)
    assert [finding.kind for finding in scan(root).findings] == ["email"]


def test_only_the_services_folder_is_scanned(repository: Repository) -> None:
    root = repository({"services/a/x.txt": "x", "services/b/y.txt": MAIL})
    assert scan(root / "services" / "a").status is Status.PASS
    (finding,) = scan(root / "services" / "b").findings
    assert finding.where.startswith("y.txt:")


KEY = Secret("ab" * 32)


def suppress(root: Path, expires: date, *marks: str) -> None:
    """Suppresses the one thing in a.txt, and ``marks``, in the file that the gate reads."""
    found = marks or (Marker(KEY)("email", Secret(MAIL)),)
    add(
        root / "scan-suppressions.toml",
        KEY,
        [Suppression(mark, "our imprint", "jo", expires) for mark in found],
    )


def test_a_suppression_holds_through_its_day_and_is_still_listed(repository: Repository) -> None:
    root = repository({"a.txt": MAIL})
    suppress(root, NOW.date())
    result = scan(root)
    assert result.status is Status.PASS
    (finding,) = result.findings
    assert not finding.blocks
    assert "suppressed until 2026-06-21 by jo: our imprint" in finding.text
    assert "1 suppressed" in result.reason


def test_an_expired_suppression_shuts_the_gate_and_says_so(repository: Repository) -> None:
    root = repository({"a.txt": MAIL})
    suppress(root, date(2026, 6, 20))
    result = scan(root)
    assert result.status is Status.FAIL
    assert "its suppression by jo expired on 2026-06-20" in result.findings[0].text


def test_a_suppression_that_matches_nothing_is_listed(repository: Repository) -> None:
    root = repository({"a.txt": "x"})
    suppress(root, date(2027, 1, 1), "ab" * 12)
    result = scan(root)
    assert result.status is Status.PASS
    assert [finding.kind for finding in result.findings] == ["suppression-unused"]


def test_a_suppression_survives_a_move_a_squash_and_another_case(repository: Repository) -> None:
    root = repository({"a.txt": MAIL})
    suppress(root, date(2027, 1, 1))
    (root / "a.txt").unlink()
    (root / "deep").mkdir()
    (root / "deep" / "moved.md").write_text("\n\n  write to " + MAIL.upper())
    git(root, "add", "-A")
    git(root, *IDENTITY, "commit", "-q", "--amend", "-m", "squashed")
    assert scan(root).status is Status.PASS


def test_without_a_suppressions_file_no_fingerprint_is_shown(repository: Repository) -> None:
    (finding,) = scan(repository({"a.txt": MAIL})).findings
    assert finding.fingerprint == ""


def test_everything_that_is_left_out_is_listed(repository: Repository) -> None:
    root = repository(
        {
            "a.txt": "x",
            "vendored/mails.txt": MAIL,
            "image.png": b"\x89PNG\0" + MAIL.encode(),
            "model.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
        }
    )
    result = scan(root, exclude=("vendored/",))
    assert result.status is Status.PASS
    assert "1 excluded" in result.reason
    assert "2 not scanned" in result.reason
    assert [finding.where for finding in of_kind(result, "excluded")] == ["vendored/mails.txt"]
    assert {finding.where: finding.text for finding in of_kind(result, "not-scanned")} == {
        "image.png": "binary: only keys were looked for",
        "model.bin": "its content is in Git LFS",
    }


def test_a_blob_that_git_has_lost_is_unknown_and_never_a_pass(repository: Repository) -> None:
    root = repository({"a.txt": "x", "lost.txt": "y"})
    oid = git(root, "rev-parse", "HEAD:lost.txt")
    (root / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    result = scan(root)
    assert result.status is Status.UNKNOWN
    assert not result.open
    assert [finding.where for finding in of_kind(result, "unreadable")] == ["lost.txt"]


def test_no_file_scanned_is_unknown(repository: Repository) -> None:
    root = repository({"a.txt": "x"})
    assert scan(root, exclude=("**",)).status is Status.UNKNOWN


def test_a_name_that_a_terminal_would_obey_is_escaped(repository: Repository) -> None:
    result = scan(repository({"a\x1b[2J\nb.txt": MAIL}))
    assert result.findings[0].where == "a\\x1b[2J\\nb.txt:1:1"


def test_a_symlink_is_scanned_as_what_git_keeps_of_it(repository: Repository) -> None:
    root = repository({"a.txt": "x"})
    (root / "link").symlink_to("/home/" + MAIL)
    git(root, "add", "link")
    git(root, *IDENTITY, "commit", "-qm", "link")
    assert scan(root).status is Status.FAIL


def test_without_a_repository_a_commit_or_the_folder_in_it_nothing_is_asked(
    tmp_path: Path, repository: Repository
) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        scan(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    with pytest.raises(UsageError, match="no commit yet"):
        scan(empty)
    root = repository({"a.txt": "x"})
    (root / "new").mkdir()
    with pytest.raises(UsageError, match="nothing of this folder"):
        scan(root / "new")


def test_a_hooks_git_variables_do_not_lead_to_another_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = repository({"a.txt": MAIL})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert scan(root).status is Status.FAIL


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("a", "a", True),
        ("a", "a/b/c", True),
        ("a/", "a/b", True),
        ("./a", "a", True),
        ("a", "ab", False),
        ("*.csv", "x.csv", True),
        ("*.csv", "d/x.csv", False),
        ("**/*.csv", "x.csv", True),
        ("**/*.csv", "d/e/x.csv", True),
        ("d/**", "d/e/x.csv", True),
        ("d/?.txt", "d/x.txt", True),
        ("d/?.txt", "d/xy.txt", False),
        ("a.c", "abc", False),
    ],
)
def test_what_a_glob_excludes(glob: str, path: str, matches: bool) -> None:
    pattern = excluder((glob,))
    assert pattern is not None
    assert bool(pattern.match(path)) == matches


def test_no_globs_exclude_nothing() -> None:
    assert excluder(()) is None
    assert excluder(("", "/")) is None
