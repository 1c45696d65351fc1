"""Prints one JSON document on standard output, and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def print_document(document: Mapping[str, Any] | list[Any]) -> None:
    """One document, as ``json_text`` has it; ASCII where the stream has no other characters."""
    text = json_text(document)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json_text(json.loads(text), ascii_only=True)
    sys.stdout.write(text)
    sys.stdout.flush()


def json_text(document: Mapping[str, Any] | list[Any], *, ascii_only: bool = False) -> str:
    """One document, indented, a newline at the end; UTF-8, and ASCII where a text in it holds what
    a terminal would obey, or no character at all. ``##[`` is a command for a CI's runner."""
    text = json.dumps(document, indent=2, ensure_ascii=ascii_only)
    if not text.replace("\n", "").isprintable():
        text = json.dumps(document, indent=2)
    return text.replace("##[", "#\\u0023[") + "\n"
