"""Once a verdict is found, nothing that goes wrong in telling it changes how the run ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from truegreen.cli import root as command_line

ASKED = ["--commit", "c" * 40, "--quiet"]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service whose platform is away, so that its verdict is unverified."""
    monkeypatch.setenv("TRUEGREEN_PLATFORM_DATA", str(tmp_path / "no-platform"))
    (tmp_path / "truegreen.toml").write_text('[service]\nname = "shop"\n')
    return tmp_path


@pytest.mark.parametrize("variable", ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"])
def test_a_file_of_github_that_cannot_be_written_is_said(
    service: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(service / "no-such-folder" / "file"))
    done = CliRunner().invoke(command_line, ["verify", str(service), *ASKED], standalone_mode=False)
    assert (done.return_value, done.exception) == (3, None)
    assert f"{variable} was not written" in done.stderr
    if variable == "GITHUB_STEP_SUMMARY":
        assert "::error " in done.stderr  # the annotations are there all the same


def test_an_endpoint_without_the_extra_is_said(
    service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    done = CliRunner().invoke(command_line, ["verify", str(service), *ASKED], standalone_mode=False)
    assert (done.return_value, done.exception) == (3, None)
    assert "OpenTelemetry is not installed" in done.stderr


def test_an_output_that_fails_late_leaves_the_others_and_the_verdict(service: Path) -> None:
    (service / "in-the-way").mkdir()
    outputs = ["--output", f"in-toto={service / 'in-the-way'}", "--output", f"junit={service}/ok"]
    done = CliRunner().invoke(
        command_line, ["verify", str(service), *ASKED, *outputs], standalone_mode=False
    )
    assert (done.return_value, done.exception) == (3, None)
    assert "--output in-toto was not written" in done.stderr
    assert 'errors="10"' in (service / "ok").read_text()


@pytest.mark.parametrize(
    ("toml", "asked", "command"),
    [
        ("", [], "truegreen verify shop"),
        ('[env.production]\n[env.staging]\napp = "shop-staging"\n', ["--env", "staging"],
         "truegreen verify shop --env staging"),
        ("", ["--platform", "embedded"], "truegreen verify shop --platform embedded"),
    ],
)  # fmt: skip
def test_a_recommended_command_means_the_same_service_and_environment_when_it_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toml: str, asked: list[str], command: str
) -> None:
    monkeypatch.setenv("TRUEGREEN_PLATFORM_DATA", str(tmp_path / "no-platform"))
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "truegreen.toml").write_text(f'[service]\nname = "shop"\n{toml}')
    monkeypatch.chdir(tmp_path)
    line = ["verify", "shop", "--commit", "c" * 40, "--json", *asked]
    done = CliRunner().invoke(command_line, line, standalone_mode=False)
    assert json.loads(done.stdout)["recommendation"]["command"] == command


def test_without_a_configuration_the_app_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEGREEN_PLATFORM_DATA", str(tmp_path / "no-platform"))
    line = ["verify", str(tmp_path), "--commit", "c" * 40, "--app", "shop-prod", "--json"]
    done = CliRunner().invoke(command_line, line, standalone_mode=False)
    told = json.loads(done.stdout)["recommendation"]["command"]
    assert told == "truegreen verify --app shop-prod"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_standard_output_that_is_full_changes_no_verdict(
    service: Path, options: list[str]
) -> None:
    line = [sys.executable, "-m", "truegreen", "verify", str(service), "--commit", "c" * 40]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*line, *options], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "standard output: No space left on device; UNVERIFIED  shop:" in done.stderr


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_standard_output_that_lacks_characters_changes_no_verdict(
    service: Path, options: list[str]
) -> None:
    (service / "truegreen.toml").write_text('[service]\nname = "shop"\n[health]\npath = "/ü→"\n')
    line = [sys.executable, "-m", "truegreen", "verify", str(service), "--commit", "c" * 40]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*line, *options], env=env, capture_output=True, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (3, False)
    if options:
        assert json.loads(done.stdout.decode("ascii"))["verdict"] == "unverified"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_standard_output_that_is_closed_changes_no_verdict(
    service: Path, options: list[str]
) -> None:
    line = [sys.executable, "-m", "truegreen", "verify", str(service), "--commit", "c" * 40]
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *line, *options]
    done = subprocess.run(shell, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
