"""Prints one JSON document on standard output, and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def print_document(document: Mapping[str, Any] | list[Any]) -> None:
    """One document, indented, UTF-8, a newline at the end."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if any("\ud800" <= one <= "\udfff" for one in set(text)):  # a variable may hold any bytes
        text = json.dumps(document, indent=2)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
