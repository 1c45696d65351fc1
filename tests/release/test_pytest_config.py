"""pytest's configuration comes from inside the service, wherever the service stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from truegreen.release.pytest_config import has_config, options


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", ""),
        ("pyproject.toml", "[tool.pytest.ini_options]\n"),
        ("pyproject.toml", "[tool.pytest]\n"),
        ("tox.ini", "[pytest]\n"),
        ("setup.cfg", "[tool:pytest]\n"),
    ],
)
def test_a_configuration_of_the_service_itself_is_left_to_pytest(
    tmp_path: Path, name: str, text: str
) -> None:
    root = tmp_path / "service"
    (root / "tests" / "smoke").mkdir(parents=True)
    assert not has_config(root)
    assert "-c" in options(root, ["tests/smoke"], tmp_path)
    for folder in (root, root / "tests"):
        (folder / name).write_text(text)
        assert "-c" not in options(root, ["tests/smoke"], tmp_path)
        (folder / name).unlink()


@pytest.mark.parametrize(
    ("name", "text"),
    [("pyproject.toml", "[project]\n"), ("pyproject.toml", "[["), ("tox.ini", "[tox]\n")],
)
def test_other_files_are_no_configuration_of_pytest(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert not has_config(tmp_path)


def test_a_configuration_above_the_service_is_kept_out(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    root = tmp_path / "service"
    (root / "smoke").mkdir(parents=True)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    given = options(root, ["smoke"], scratch)
    assert given == [
        f"--rootdir={root}", f"--confcutdir={root}", "-c", str(scratch / "pytest.ini")
    ]  # fmt: skip
    assert (scratch / "pytest.ini").read_text() == "[pytest]\n"
