"""Whether a SARIF log is one: our narrow schema, and the models of an independent package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from sarif_pydantic import Sarif

SCHEMA = Path(__file__).parent / "outputs" / "specifications" / "sarif-2.1.0.json"


def fits_sarif(log: Any) -> None:
    """Raises unless ``log`` fits both; nothing that is written may be unknown to the models."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(log)
    read = Sarif.model_validate(log)
    assert read.model_dump(mode="json", by_alias=True, exclude_none=True) == log
