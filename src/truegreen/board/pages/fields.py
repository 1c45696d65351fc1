"""Reads a run's body, whatever wrote it: what is missing or of a wrong type is "" or empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_NONE: Mapping[str, Any] = {}
LONGEST = 4000  # characters of one text that a page shows


def text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if value is None or isinstance(value, Mapping | list):
        return ""
    told = str(value)
    return told if len(told) <= LONGEST else told[:LONGEST] + " …"


def table(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, Mapping) else _NONE


def tables(holder: Mapping[str, Any], key: str, most: int = 500) -> list[Mapping[str, Any]]:
    value = holder.get(key)
    items = value if isinstance(value, list) else []
    return [item for item in items[:most] if isinstance(item, Mapping)]


def texts(holder: Mapping[str, Any], key: str, most: int = 100) -> list[str]:
    value = holder.get(key)
    items = value if isinstance(value, list) else []
    return [str(item)[:LONGEST] for item in items[:most]]


def moment(value: Any) -> datetime | None:
    """The UTC time that ``value`` says; None when it says none, or none with a zone."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def version(release: Mapping[str, Any]) -> str:
    """``v12``, or "" when no version is named."""
    told = text(release, "version")
    return told if not told or told.startswith("v") else f"v{told}"
