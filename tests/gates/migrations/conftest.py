"""The service's files, and one Postgres for all that want one."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parents[2]):
    sys.path.insert(0, str(folder))

from scratch_server import administrator, postgres, postgres_server  # noqa: E402 - found by the path above

__all__ = ["administrator", "postgres", "postgres_server"]
