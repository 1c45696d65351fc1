"""The deploy workflow, step by step, against the embedded platform: it concludes success only when
the release is what it should be. The workflow of the incident did not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from truegreen.embedded.locate import ensure_running, find_running

from .actions_runner import JobRun, Workflow, load

ROOT = Path(__file__).parents[2]
WORKFLOW = Path(".github/workflows/deploy-heroku.yml")


@dataclass
class Repository:
    """A clone of this repository with a platform of its own."""

    root: Path
    temporary: Path
    env: dict[str, str]
    api: str
    token: str

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def dispatch(self, name: str) -> dict[str, JobRun]:
        """Runs the workflow on HEAD; each run on a runner that knows nothing of the one before."""
        state = self.root / "examples" / "raptor" / ".truegreen"
        shutil.rmtree(state, ignore_errors=True)
        folder = self.temporary / name
        folder.mkdir()
        commit = self.git("rev-parse", "HEAD")
        contexts: dict[str, Any] = {
            "inputs": {"environment": "production"},
            "secrets": {"HEROKU_API_KEY": self.token},
            "vars": {"TRUEGREEN_PLATFORM": self.api},
            "github": {"sha": commit},
        }
        env = {
            **self.env,
            "GITHUB_SHA": commit,
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "example/service",
            "GITHUB_RUN_ID": "7",
        }
        return Workflow(self.root / WORKFLOW, self.root, folder, env).run(contexts)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    root = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(root)], check=True)
    # What is being tested is the tree as it stands, committed or not.
    for name in (WORKFLOW, Path("src"), Path("examples")):
        source, target = ROOT / name, root / name
        if source.is_dir():
            shutil.rmtree(target)
            ignore = shutil.ignore_patterns(".truegreen", "__pycache__")
            shutil.copytree(source, target, ignore=ignore)
        else:
            shutil.copy(source, target)
    shims = tmp_path / "bin"
    shims.mkdir()
    # What "Install TrueGreen" would bring is here already: the environment that runs the tests.
    (shims / "pipx").symlink_to("/bin/true")
    (shims / "uv").symlink_to("/bin/true")
    (root / ".venv").symlink_to(Path(sys.prefix))
    data = tmp_path / "platform"
    info = ensure_running(data)
    env = {
        "PATH": f"{shims}:{os.environ['PATH']}",
        "PYTHONPATH": str(root / "src"),
        "TRUEGREEN_PLATFORM_DATA": str(data),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.com",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.com",
        "HOME": os.environ.get("HOME", str(tmp_path)),
    }
    found = Repository(root, tmp_path, env, info.api, info.token().reveal())
    found.git("add", "--all", "--", "src", "examples", str(WORKFLOW))
    found.git("commit", "--quiet", "--allow-empty", "--message", "as it stands")
    try:
        yield found
    finally:
        subprocess.run(
            [sys.executable, "-m", "truegreen", "platform", "stop", "--data", str(data)],
            env={**os.environ, **env},
            check=False,
            capture_output=True,
        )
        assert find_running(data) is None


@pytest.mark.platform
@pytest.mark.slow
def test_the_run_is_a_success_for_a_good_release_and_a_failure_for_a_bad_one(
    repository: Repository,
) -> None:
    good = repository.dispatch("good")
    assert {name: job.result for name, job in good.items()} == dict.fromkeys(good, "success"), (
        "\n".join(job.log for job in good.values() if job.result != "success")
    )
    assert "## production: green" in good["notify"].summary
    assert "::notice title=green::raxx-api-prod serves" in good["notify"].log
    assert "🟢 GREEN" in good["deploy"].summary
    assert repository.token not in "".join(job.log for job in good.values())

    # The release command fails as it did that day; /health goes on answering 200 from the old code.
    procfile = repository.root / "examples" / "raptor" / "Procfile"
    text = procfile.read_text(encoding="utf-8")
    procfile.write_text(text.replace("truegreen release", "truegreen release && false"))
    # The smoke gate would rehearse it, and refuse: here the deploy itself is to be seen failing.
    config = procfile.with_name("truegreen.toml")
    told = config.read_text(encoding="utf-8")
    config.write_text(told.replace("[smoke]\n", '[smoke]\nrehearse = "off"\n', 1))
    repository.git("commit", "--quiet", "--all", "--message", "a release command that fails")
    bad = repository.dispatch("bad")
    results = {name: job.result for name, job in bad.items()}
    failed = ("deploy", "verify", "notify")
    assert results == {**dict.fromkeys(results, "success"), **dict.fromkeys(failed, "failure")}
    assert "## production: red" in bad["notify"].summary
    assert "::error title=red::raxx-api-prod still serves" in bad["notify"].log


def notify(tmp_path: Path, **context: Any) -> JobRun:
    """The last job alone, after jobs that went as ``context`` says."""
    path = tmp_path / "workflow.yml"
    path.write_text((ROOT / WORKFLOW).read_text(encoding="utf-8"), encoding="utf-8")
    workflow = Workflow(path, tmp_path, tmp_path, {})
    job = load(path)["jobs"]["notify"]
    needs = {name: JobRun("success") for name in job["needs"]}
    for name, run in context.items():
        needs[name.replace("_", "-")] = run
    given = {"inputs": {"environment": "production"}, "vars": {}}
    return workflow.job("notify", job, needs, given)


GREEN = JobRun("success", {"verdict": "green", "sentence": "It serves."})


@pytest.mark.parametrize(
    ("jobs", "verdict"),
    [
        ({"verify": GREEN}, "green"),
        ({}, "unverified"),
        ({"verify": JobRun("failure")}, "unverified"),
        ({"verify": JobRun("failure", {"verdict": "red", "sentence": "No."})}, "red"),
        ({"verify": GREEN, "deploy": JobRun("failure")}, "unverified"),
        ({"verify": GREEN, "smoke": JobRun("cancelled")}, "unverified"),
        ({"verify": JobRun("skipped"), "deploy": JobRun("skipped")}, "refused"),
        (
            {"verify": JobRun("success", {"verdict": "green\n", "sentence": "a\n::error::b"})},
            "unverified",
        ),
    ],
)
def test_the_run_concludes_success_only_when_all_jobs_and_the_evidence_say_so(
    tmp_path: Path, jobs: dict[str, JobRun], verdict: str
) -> None:
    run = notify(tmp_path, **jobs)
    assert run.result == ("success" if verdict == "green" else "failure"), run.log
    assert run.summary.startswith(f"## production: {verdict}\n")
    commands = [line for line in run.log.splitlines() if line.startswith("::")]
    assert len(commands) == 1, "the sentence must not become a command of its own"


def test_what_waits_is_not_dropped_and_what_runs_is_not_cancelled() -> None:
    concurrency = load(ROOT / WORKFLOW)["concurrency"]
    assert concurrency["cancel-in-progress"] is False
    assert concurrency["queue"] == "max"


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)],
        ["check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
        ["zizmor", "--offline", "--persona", "auditor", str(WORKFLOW), "action.yml"],
    ],
    ids=["workflow", "action", "zizmor"],
)
def test_the_workflow_and_the_action_pass_the_linters(command: list[str]) -> None:
    tool = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [str(tool), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
