"""A sealed session reads [smoke] alone; what it reads is what the whole reading gives."""

from pathlib import Path

import pytest

from truegreen.config import load_config
from truegreen.config.file import TABLES
from truegreen.config.smoke import Smoke, load_smoke
from truegreen.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "docs" / "truegreen.toml"


def test_it_is_the_same_smoke_and_knows_every_table(tmp_path: Path) -> None:
    (tmp_path / "truegreen.toml").write_bytes(EXAMPLE.read_bytes())
    smoke, flags = load_smoke(tmp_path)
    config = load_config(tmp_path)
    assert smoke == config.smoke
    assert set(config.flags.declared) <= set(flags)
    for table in TABLES:  # each is one that the whole reading knows
        (tmp_path / "truegreen.toml").write_text(f"{table} = 1\n")
        with pytest.raises(ConfigError, match="not a table"):
            load_config(tmp_path)


def test_without_a_file_and_in_pyproject(tmp_path: Path) -> None:
    assert load_smoke(tmp_path) == (Smoke(), {})
    (tmp_path / "pyproject.toml").write_text("[tool.truegreen.smoke]\nleaks = 'warn'\n")
    assert load_smoke(tmp_path)[0].leaks == "warn"


@pytest.mark.parametrize(
    ("text", "said"),
    [("[smok]\nseal = true\n", "did you mean smoke?"), ("[smoke]\nsea = true\n", "smoke.seal?")],
)
def test_a_misspelt_name_is_an_error_with_its_fix(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "truegreen.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_smoke(tmp_path)
    assert said in str(caught.value)
