"""The scan gate over real repositories: the tree at HEAD, the allow list, what is left out."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from truegreen.config import Config, Scan, ScanAllow, parse_config
from truegreen.errors import UsageError
from truegreen.gates.result import Finding, GateResult
from truegreen.gates.scan import gate as scan_gate
from truegreen.gates.scan import scan_text
from truegreen.gates.scan.gate import decode, scan_head
from truegreen.gates.scan.judge import excluder, fingerprint
from truegreen.model import Status

Repository = Callable[[dict[str, str | bytes]], Path]
NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
MAIL = "jo@" + "corp.de"
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
    assert len(finding.fingerprint) == 24
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


def allowance(root: Path, expires: date) -> ScanAllow:
    (hit,) = scan_text((root / "a.txt").read_text(), "a.txt")
    return ScanAllow(fingerprint(hit, "raptor"), "our imprint", "jo", expires)


def test_an_allowance_holds_through_its_day_and_is_still_listed(repository: Repository) -> None:
    root = repository({"a.txt": MAIL})
    result = scan(root, allow=(allowance(root, NOW.date()),))
    assert result.status is Status.PASS
    (finding,) = result.findings
    assert not finding.blocks
    assert "allowed until 2026-06-21 by jo: our imprint" in finding.text
    assert "1 allowed" in result.reason


def test_an_expired_allowance_shuts_the_gate_and_says_so(repository: Repository) -> None:
    root = repository({"a.txt": MAIL})
    result = scan(root, allow=(allowance(root, date(2026, 6, 20)),))
    assert result.status is Status.FAIL
    assert "its allowance by jo expired on 2026-06-20" in result.findings[0].text


def test_an_allowance_that_matches_nothing_is_listed(repository: Repository) -> None:
    root = repository({"a.txt": "x"})
    result = scan(root, allow=(ScanAllow("ab" * 12, "old", "jo", date(2027, 1, 1)),))
    assert result.status is Status.PASS
    assert [finding.kind for finding in result.findings] == ["allowance-unused"]


def test_a_fingerprint_survives_a_move_and_differs_between_projects_and_kinds() -> None:
    (here,) = scan_text(MAIL, "a")
    (there,) = scan_text("\n\n  " + MAIL.upper(), "other/file")
    assert fingerprint(here, "raptor") == fingerprint(there, "raptor")
    assert fingerprint(here, "raptor") != fingerprint(here, "falcon")
    assert fingerprint(here, "raptor") != fingerprint(
        dataclasses.replace(here, kind="card"), "raptor"
    )


def test_everything_that_is_left_out_is_listed(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_gate, "LARGEST", 1000)
    root = repository(
        {
            "a.txt": "x",
            "vendored/mails.txt": MAIL,
            "image.png": b"\x89PNG\0" + MAIL.encode(),
            "large.txt": MAIL + " " * 2000,
            "model.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
        }
    )
    result = scan(root, exclude=("vendored/",))
    assert result.status is Status.PASS
    assert "1 excluded" in result.reason
    assert "3 not scanned" in result.reason
    assert [finding.where for finding in of_kind(result, "excluded")] == ["vendored/mails.txt"]
    assert {finding.where: finding.text for finding in of_kind(result, "not-scanned")} == {
        "large.txt": f"{len(MAIL) + 2000} bytes, over 1000",
        "image.png": "binary",
        "model.bin": "its content is in Git LFS",
    }


def test_utf_16_is_text(repository: Repository) -> None:
    assert scan(repository({"a.txt": MAIL.encode("utf-16")})).status is Status.FAIL
    assert decode(MAIL.encode("utf-8-sig")) == MAIL
    assert decode(b"caf\xe9 " + MAIL.encode()) == "caf\ufffd " + MAIL


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
    git(root, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "link")
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
