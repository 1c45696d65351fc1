"""Prints one JSON document on standard output, and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def print_document(document: Mapping[str, Any] | list[Any]) -> None:
    """One document, indented, UTF-8, a newline at the end."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    sys.stdout.flush()
