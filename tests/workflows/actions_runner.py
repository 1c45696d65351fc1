"""Reads a workflow of GitHub Actions and runs its ``run:`` steps here, job by job.

Not a runner: ``uses:`` steps are taken as done (the checkout is there already), and only the part
of the expression language that our workflows use is understood; anything else is an error, so that
a workflow cannot be tested as less than it is.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w.*-]*)|(\(|\)|,|\|\||&&|==|!=|!))")


@dataclass
class JobRun:
    """How a job went: ``success``, ``failure`` or ``skipped``; its outputs, and all it printed."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


class Expressions:
    """Evaluates expressions over contexts, as far as our workflows need them."""

    def __init__(self, contexts: Mapping[str, Any], *, failed: bool = False) -> None:
        self._contexts = contexts
        self._failed = failed

    def fill(self, text: str) -> str:
        """``text`` with each ``${{ … }}`` replaced."""
        return _EXPRESSION.sub(lambda match: _text(self.value(match.group(1))), text)

    def condition(self, text: str | None) -> bool:
        """An ``if:``; without a status function of its own it asks for success too."""
        if text is None:
            return not self._failed
        bare = _EXPRESSION.sub(lambda match: match.group(1), str(text))
        truth = bool(self.value(bare))
        return (
            truth
            if re.search(r"\b(?:always|failure|cancelled)\(", bare)
            else (truth and not self._failed)
        )

    def value(self, text: str) -> Any:
        tokens, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"not understood: {text[at:]!r}")
            tokens.append(match)
            at = match.end()
        self._tokens = [match.group().strip() for match in tokens]
        found = self._or()
        if self._tokens:
            raise ValueError(f"not understood: {self._tokens}")
        return found

    def _or(self) -> Any:
        left = self._and()
        while self._tokens[:1] == ["||"]:
            self._tokens.pop(0)
            right = self._and()
            left = left or right
        return left

    def _and(self) -> Any:
        left = self._equal()
        while self._tokens[:1] == ["&&"]:
            self._tokens.pop(0)
            right = self._equal()
            left = left and right
        return left

    def _equal(self) -> Any:
        left = self._atom()
        if self._tokens[:1] in (["=="], ["!="]):
            equal = self._tokens.pop(0) == "=="
            return (left == self._atom()) is equal
        return left

    def _atom(self) -> Any:
        token = self._tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token == "!":
            return not self._atom()
        if self._tokens[:1] == ["("]:
            return self._call(token)
        return self._look_up(token)

    def _call(self, name: str) -> Any:
        self._tokens.pop(0)
        arguments = []
        while self._tokens[0] != ")":
            arguments.append(self._or())
            if self._tokens[0] == ",":
                self._tokens.pop(0)
        self._tokens.pop(0)
        if name == "always" and not arguments:
            return True
        if name == "failure" and not arguments:
            return self._failed
        if name == "join" and len(arguments) == 2:
            return arguments[1].join(arguments[0])
        raise ValueError(f"not understood: {name}()")

    def _look_up(self, path: str) -> Any:
        head, *rest = path.split(".")
        if head not in self._contexts:
            raise ValueError(f"no context {head}")
        value: Any = self._contexts[head]
        for number, part in enumerate(rest):
            if part == "*":
                (last,) = rest[number + 1 :]
                return [entry[last] for entry in value.values()]
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        return value


def load(path: Path) -> dict[str, Any]:
    """The workflow in a file, as plain values."""
    found: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return found


class Workflow:
    """Runs the jobs of one workflow in a checkout, in the order of their needs."""

    def __init__(self, path: Path, checkout: Path, temporary: Path, env: Mapping[str, str]) -> None:
        self._workflow = load(path)
        self._checkout = checkout
        self._temporary = temporary
        self._env = dict(env)

    def run(self, contexts: Mapping[str, Any]) -> dict[str, JobRun]:
        """``contexts``: inputs, secrets, vars, github. Returns every job's run by its name."""
        done: dict[str, JobRun] = {}
        jobs = self._workflow["jobs"]
        while len(done) < len(jobs):
            for name, job in jobs.items():
                needs = job.get("needs", [])
                if name not in done and all(need in done for need in needs):
                    done[name] = self.job(name, job, {n: done[n] for n in needs}, contexts)
        return done

    def job(
        self,
        name: str,
        job: Mapping[str, Any],
        needs: Mapping[str, JobRun],
        given: Mapping[str, Any],
    ) -> JobRun:
        folder = self._temporary / name
        folder.mkdir()
        contexts: dict[str, Any] = {
            **given,
            "runner": {"temp": str(folder)},
            "needs": {n: {"result": r.result, "outputs": r.outputs} for n, r in needs.items()},
            "steps": {},
        }
        missing = any(run.result != "success" for run in needs.values())
        if not Expressions(contexts, failed=missing).condition(job.get("if")):
            return JobRun("skipped")
        run = JobRun("success")
        base = {**self._env, "RUNNER_TEMP": str(folder), "GITHUB_STEP_SUMMARY": str(folder / "s")}
        for key, value in {**self._workflow.get("env", {}), **job.get("env", {})}.items():
            base[key] = Expressions(contexts).fill(str(value))
        for number, step in enumerate(job["steps"]):
            says = Expressions(contexts, failed=run.result == "failure")
            if "run" not in step or not says.condition(step.get("if")):
                continue
            output = folder / f"output-{number}"
            output.touch()
            env = {**base, "GITHUB_OUTPUT": str(output)}
            env |= {k: says.fill(str(v)) for k, v in step.get("env", {}).items()}
            code, log = self._step(says.fill(step["run"]), step.get("working-directory", ""), env)
            run.log += f"--- {step.get('name', number)}\n{log}"
            pairs = (line.partition("=") for line in output.read_text().splitlines())
            contexts["steps"][step.get("id", str(number))] = {
                "outputs": {key: value for key, _, value in pairs}
            }
            if code:
                run.result = "failure"
        fill = Expressions(contexts).fill
        run.outputs = {key: fill(value) for key, value in job.get("outputs", {}).items()}
        run.summary = (folder / "s").read_text() if (folder / "s").exists() else ""
        return run

    def _step(self, script: str, folder: str, env: Mapping[str, str]) -> tuple[int, str]:
        # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self._checkout / folder,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def _text(value: Any) -> str:
    return "" if value is None else str(value)
