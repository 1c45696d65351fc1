"""Proof of ask-for-the-release (2026-06-21): the deploy workflow concludes failure when the release
has failed, although the push was accepted and /health says 200; and success when it has not.

Its ``run:`` steps are run, in the order of its jobs, with stand-ins for the programs that reach
outside. What a step is told of a failed release is what the real programs would tell it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

SERVICE = Path(__file__).resolve().parents[2]
NAME = Path(".github") / "workflows" / "deploy-heroku.yml"
STAND_INS = {
    "git": "exit 0",  # the push is accepted: it is, when the build succeeded
    "curl": 'echo \'{"status": "ok"}\'; exit 0',  # /health is 200: something serves
    "python": "exit 0",
    "pipx": "exit 0",
    "uv": "exit 0",
    "truegreen": """case "$1" in
  ship|verify) printf 'verdict=%s\\nsentence=v154 %s\\n' "$SEEN" "$RELEASE" >> "$GITHUB_OUTPUT"
               [ "$SEEN" = green ] ;;
  *) exit 0 ;;
esac""",
    "heroku": 'printf \'[{"version": 154, "status": "%s"}]\\n\' "$RELEASE"',
}


def workflow() -> dict[str, Any]:
    for folder in (SERVICE, *SERVICE.parents):
        if (folder / NAME).is_file():
            loaded: dict[str, Any] = YAML(typ="safe").load(folder / NAME)
            return loaded
    pytest.fail("there is no deploy workflow")


class Run:
    """One run of the workflow in a world where the release ``failed`` or not."""

    def __init__(self, folder: Path, *, failed: bool) -> None:
        self.workflow = workflow()
        self.folder = folder
        self.results: dict[str, str] = {}
        self.outputs: dict[str, dict[str, str]] = {}  # of a job's steps, then of the job
        programs = folder / "bin"
        programs.mkdir(parents=True)
        (folder / "work" / ".venv").mkdir(parents=True)
        (folder / "work" / "examples" / "raptor").mkdir(parents=True)
        (folder / "temp").mkdir()
        for name, script in STAND_INS.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        (folder / "work" / ".venv" / "bin").symlink_to(programs)
        self.environment = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "SEEN": "red" if failed else "green",
            "RELEASE": "failed" if failed else "succeeded",
            "RUNNER_TEMP": str(folder / "temp"),
            "GITHUB_SHA": "9f02" * 10,
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_ENV": str(folder / "env"),
            "GITHUB_WORKSPACE": str(folder / "work"),
        }

    def conclusion(self) -> str:
        for name, job in self.workflow["jobs"].items():
            needs = job.get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            ready = all(self.results[one] == "success" for one in needs)
            if not ready and "always()" not in str(job.get("if", "")):
                self.results[name] = "skipped"
                continue
            given = {
                **self._filled(self.workflow.get("env"), needs),
                **self._filled(job.get("env"), needs),
            }
            good = all(self._step(step, given, needs) for step in job["steps"])
            self.results[name] = "success" if good else "failure"
            for output, text in self._filled(job.get("outputs"), needs).items():
                self.outputs.setdefault(name, {})[output] = text
        return "failure" if "failure" in self.results.values() else "success"

    def _step(self, step: Mapping[str, Any], given: Mapping[str, str], needs: list[str]) -> bool:
        if "run" not in step:
            return True
        own = self._filled(step.get("env"), needs)
        told = self.folder / "output"
        told.write_text("")
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", self._text(step["run"], needs)],
            cwd=self.folder / "work" / step.get("working-directory", "."),
            env={**self.environment, **given, **own},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        lines = [line.partition("=") for line in told.read_text().splitlines()]
        self.outputs[step.get("id", "")] = {name: value for name, _, value in lines}
        return done.returncode == 0 or bool(step.get("continue-on-error"))

    def _filled(self, table: Mapping[str, Any] | None, needs: list[str]) -> dict[str, str]:
        return {key: self._text(str(value), needs) for key, value in (table or {}).items()}

    def _text(self, text: str, needs: list[str]) -> str:
        def value(found: re.Match[str]) -> str:
            wanted = found[1].strip()
            if wanted == "join(needs.*.result, ' ')":
                return " ".join(self.results[one] for one in needs)
            result = re.fullmatch(r"needs\.([\w-]+)\.result", wanted)
            if result:
                return self.results.get(result[1], "skipped")
            output = re.fullmatch(r"(?:needs|steps)\.([\w-]+)\.outputs\.([\w-]+)", wanted)
            if output:
                return self.outputs.get(output[1], {}).get(output[2], "")
            return "production" if wanted == "inputs.environment" else ""

        return re.sub(r"\$\{\{(.*?)\}\}", value, text)


def test_a_failed_release_is_a_failed_run(tmp_path: Path) -> None:
    run = Run(tmp_path / "failed", failed=True)
    assert run.conclusion() == "failure", run.results


def test_a_release_that_held_is_a_run_that_succeeds(tmp_path: Path) -> None:
    run = Run(tmp_path / "held", failed=False)
    assert run.conclusion() == "success", run.results
