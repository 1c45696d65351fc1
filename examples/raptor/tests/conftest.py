"""Makes `raptor` importable from wherever pytest is started: this folder's parent, or a dyno."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
