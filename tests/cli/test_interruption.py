"""What a Ctrl-C comes to when a run has ended, and only the telling is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truegreen.cli import telling
from truegreen.cli.telling import Telling, tell_end
from truegreen.config import parse_config
from truegreen.errors import Interrupted
from truegreen.ship.ended import interruption_after_the_end
from truegreen.state import locate


@pytest.mark.parametrize("kind", ["ship", "retry", "rollback"])
def test_an_interruption_after_the_end_does_not_say_that_nothing_was_changed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(telling, "tell", interrupted)
    config = parse_config({}, file=None, root=tmp_path)
    environment = config.environments[config.default_env]
    with pytest.raises(Interrupted, match="green was found and recorded") as told:
        tell_end(
            kind, {"verdict": "green"}, config, environment, locate(tmp_path, {}),
            Telling(as_json=False, quiet=False, outputs={}),
        )  # fmt: skip
    assert told.value.exit_code == 5
    assert told.value.hint == "truegreen releases shows it"


def test_before_the_end_it_stays_what_it_was() -> None:
    with pytest.raises(KeyboardInterrupt), interruption_after_the_end():
        raise KeyboardInterrupt
