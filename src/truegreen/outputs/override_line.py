"""One override in a line, for everything that prints a release. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def override_line(override: Mapping[str, Any]) -> str:
    """One override, as it is shown with every later answer about its release."""
    if override.get("kind") != "gate":
        return f"OVERRIDDEN {override.get('kind')}: {override.get('reason')}"
    return (
        f"OVERRIDDEN {override['gate']} by {override['by']} until {override['until']}: "
        f"{override['reason']} ({override['ticket']})"
    )
