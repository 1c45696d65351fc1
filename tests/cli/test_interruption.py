"""What a Ctrl-C comes to when a run has ended, and only the telling is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truegreen.cli import ship_queue
from truegreen.cli.ship_queue import Telling, tell_end
from truegreen.config import parse_config
from truegreen.errors import Interrupted
from truegreen.state import locate


def test_an_interruption_after_the_end_does_not_say_that_nothing_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ship_queue, "tell", interrupted)
    config = parse_config({}, file=None, root=tmp_path)
    environment = config.environments[config.default_env]
    with pytest.raises(Interrupted, match="green was found and recorded") as told:
        tell_end(
            {"verdict": "green"}, config, environment, locate(tmp_path, {}),
            Telling(as_json=False, quiet=False, outputs={}),
        )  # fmt: skip
    assert told.value.exit_code == 5
    assert told.value.hint == "truegreen releases shows it"
