"""``retry`` and ``rollback`` take the app's lease before they change anything, and do not queue."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from simulated_platform import APP, TOKEN, Server, SimulatedPlatform
from simulated_world import CONFIG

from truegreen.cli import root as command_line
from truegreen.errors import Refused
from truegreen.ship.lease import lease_of
from truegreen.ship.leases import Leases
from truegreen.state import locate


@pytest.mark.parametrize("verb", ["retry", "rollback"])
def test_while_somebody_ships_it_is_refused_at_once_and_nothing_is_changed(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", TOKEN)
    monkeypatch.delenv("TRUEGREEN_DATABASE_URL", raising=False)
    (tmp_path / "truegreen.toml").write_text(CONFIG)
    location = locate(tmp_path, {})
    with Server() as server:
        server.platform = SimulatedPlatform(server.base, serving="a" * 40)
        before = len(server.platform.releases)
        arguments = [verb, str(tmp_path), "--platform", server.base, "--quiet"]
        key = f"{server.base}/apps/{APP}"
        with lease_of(lambda: Leases.open(location), key, "c" * 40):
            done = CliRunner().invoke(command_line, arguments, standalone_mode=False)
        assert isinstance(done.exception, Refused), done.exception
        assert (done.exception.exit_code, "holds it until" in str(done.exception)) == (4, True)
        assert len(server.platform.releases) == before
        done = CliRunner().invoke(command_line, arguments, standalone_mode=False)
        assert not isinstance(done.exception, Refused)
