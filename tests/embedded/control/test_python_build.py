from __future__ import annotations

from pathlib import Path

import pytest

from truegreen.embedded.python_build import plan_python
from truegreen.embedded.source import BuildError


def name(folder: Path, files: dict[str, str], *, slug: str = "s1", source: str = "d1",
         wheel: str = "w1") -> str:  # fmt: skip
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for path_name, text in files.items():
        (folder / path_name).write_text(text)
    return plan_python(folder, slug, source).venv_name("3.11.7", wheel)


def test_the_same_requirements_share_an_environment(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask\n", "app.py": "1"}
    other = {**files, "app.py": "2"}
    assert name(tmp_path, files) == name(tmp_path, other, slug="s2", source="d2", wheel="w2")


def test_what_is_installed_names_the_environment(tmp_path: Path) -> None:
    names = [
        name(tmp_path, {"requirements.txt": "flask\n"}),
        name(tmp_path, {"requirements.txt": "flask==3\n"}),
        name(tmp_path, {"requirements.txt": "-r more.txt\n", "more.txt": "flask"}),
        name(tmp_path, {"requirements.txt": "-r more.txt\n", "more.txt": "django"}),
        name(tmp_path, {"pyproject.toml": "[project]\nname='x'\nversion='1'\n"}),
        name(tmp_path, {"pyproject.toml": "[project]\nname='x'\nversion='1'\n", "uv.lock": ""}),
        name(tmp_path, {"pyproject.toml": "[project]\nname='x'\nversion='1'\n", "uv.lock": "v=1"}),
    ]
    assert len(set(names)) == len(names) - 1  # an empty lock is no lock


def test_a_new_truegreen_without_a_new_version_is_another_environment(tmp_path: Path) -> None:
    files = {"requirements.txt": "truegreen\n"}
    assert name(tmp_path, files, wheel="w1") != name(tmp_path, files, wheel="w2")


@pytest.mark.parametrize("line", ["-e .", ".", "./lib", "x @ file:///y", "--editable ."])
def test_a_requirement_on_the_source_itself_is_not_shared(tmp_path: Path, line: str) -> None:
    files = {"requirements.txt": f"flask\n{line}\n"}
    assert name(tmp_path, files, slug="s1") != name(tmp_path, files, slug="s2")


def test_a_project_that_is_a_package_is_installed_from_its_source(tmp_path: Path) -> None:
    text = "[project]\nname='x'\nversion='1'\n[build-system]\nrequires=['hatchling']\n"
    files = {"pyproject.toml": text}
    assert name(tmp_path, files, source="d1") != name(tmp_path, files, source="d2")
    assert plan_python(tmp_path, "s", "d").install == ("pip", "install", ".")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"package.json": "{}"}, "looked for requirements.txt, uv.lock with pyproject.toml"),
        ({"pyproject.toml": "[tool.x]\n"}, "no \\[project\\] table"),
        ({"pyproject.toml": "= broken"}, "is not TOML"),
        ({"uv.lock": ""}, "looked for requirements.txt"),
    ],
)
def test_what_is_no_python_app_is_told_what_was_looked_for(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    with pytest.raises(BuildError, match=words):
        name(tmp_path, files)
