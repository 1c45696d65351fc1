from __future__ import annotations

import base64
import csv
import hashlib
import zipfile
from pathlib import Path

from truegreen.embedded.wheel import own_wheel


def package(folder: Path, text: str) -> Path:
    (folder / "__pycache__").mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(text)
    (folder / "__pycache__" / "x.pyc").write_bytes(b"x")
    return folder


def test_a_changed_source_gives_another_wheel_though_the_version_stays(tmp_path: Path) -> None:
    source = tmp_path / "truegreen"
    first = own_wheel(tmp_path / "wheels", package=package(source, "A = 1"))
    again = own_wheel(tmp_path / "wheels", package=source)
    second = own_wheel(tmp_path / "wheels", package=package(source, "A = 2"))
    assert first is not None
    assert second is not None
    assert first == again
    assert first.digest != second.digest
    assert first.path.name == second.path.name
    assert first.path != second.path


def test_the_wheel_holds_what_runs_and_its_record_is_true(tmp_path: Path) -> None:
    wheel = own_wheel(tmp_path / "wheels")
    assert wheel is not None
    with zipfile.ZipFile(wheel.path) as archive:
        names = set(archive.namelist())
        record = next(name for name in names if name.endswith("/RECORD"))
        rows = {row[0]: row for row in csv.reader(archive.read(record).decode().splitlines())}
        assert set(rows) == names
        for name, digest, size in rows.values():
            if name != record:
                data = archive.read(name)
                true = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
                assert (digest, size) == (f"sha256={true.decode()}", str(len(data)))
    assert "truegreen/flags/__init__.py" in names
    assert not any("__pycache__" in name for name in names)
