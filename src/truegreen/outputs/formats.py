"""The formats by name, and how a record gets into a file: whole or not at all.

A format's module is imported when somebody asks for that format: most runs ask for none.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.outputs.run_record import RunRecord

# format -> the module that writes it, and its function
FORMATS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cdevents": ("truegreen.outputs.cdevents", "cdevents"),
        "in-toto": ("truegreen.outputs.in_toto", "in_toto"),
        "json": (__name__, "as_json"),
        "junit": ("truegreen.outputs.junit", "junit"),
        "markdown": ("truegreen.outputs.step_summary", "step_summary"),
        "sarif": ("truegreen.outputs.sarif", "sarif"),
    }
)


_LINE_OF_COLONS = re.compile(r"^([^\w!-~]*):(?=[^\w!-~]*:)", re.MULTILINE)


def as_json(record: RunRecord) -> str:
    """The document itself."""
    return json.dumps(record.document, indent=2, ensure_ascii=False) + "\n"


def written(name: str, record: RunRecord) -> str:
    """``record`` in the format ``name``, one of FORMATS. What a CI's runner would obey, when the
    file is its log, is spelt in the format's own other way, which reads back as the same."""
    module, function = FORMATS[name]
    text = str(getattr(importlib.import_module(module), function)(record))
    if name == "junit":
        return _LINE_OF_COLONS.sub(r"\1&#58;", text).replace("##[", "#&#35;[")
    return text if name == "markdown" else text.replace("##[", "#\\u0023[")


def parse_outputs(asked: tuple[str, ...]) -> dict[str, Path]:
    """``FORMAT=PATH`` texts as formats and files. Raises UsageError that names the formats."""
    found: dict[str, Path] = {}
    for text in asked:
        name, equals, path = text.partition("=")
        if name not in FORMATS or not equals or not path:
            raise UsageError(
                f"--output {text!r} is not FORMAT=PATH", hint="formats: " + ", ".join(FORMATS)
            )
        if not Path(path).absolute().parent.is_dir():
            raise UsageError(f"--output {text!r}: its folder does not exist", hint="make it first")
        found[name] = Path(path)
    return found


def write_outputs(record: RunRecord, outputs: Mapping[str, Path]) -> None:
    """Writes each format into its file; a file is replaced whole, so nobody reads half of one.

    Raises UsageError when one cannot be written; those before it are there.
    """
    for name, path in outputs.items():
        replace_file(path, written(name, record))


def replace_file(path: Path, text: str) -> None:
    """Writes ``text`` into the file ``path`` as a whole. Raises UsageError when it cannot."""
    try:
        _replace(path, text)
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    if path.exists() and not path.is_file():  # a pipe, /dev/stdout
        path.write_text(text, encoding="utf-8")
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
