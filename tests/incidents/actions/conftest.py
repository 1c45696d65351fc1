"""Fixtures: a service with a bad day in its history, and the same with its fix."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from reviewed_service import CHECK, Service, action, git


@pytest.fixture
def service(tmp_path: Path) -> Service:
    top = tmp_path / "repository"
    root = top / "svc"
    root.mkdir(parents=True)
    git(top, "init", "--quiet", "--initial-branch=main")
    (top / ".gitignore").write_text(".truegreen/\n")
    (root / "state.txt").write_text("bad\n")
    (root / "truegreen.toml").write_text('[service]\nname = "svc"\n')
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "the bad day")
    return Service(top, git(top, "rev-parse", "HEAD").strip())


@pytest.fixture
def fixed(service: Service) -> Service:
    """The review and its proof are merged, and then the fix."""
    service.commit("the proof", **{"check.py": CHECK})
    service.record(action())
    service.commit("the fix", **{"state.txt": "good\n"})
    return service
