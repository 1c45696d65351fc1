"""The two ways of truegreen.headers.splitter: pure, and compiled where truegreen-speedups is.

With TRUEGREEN_SPEEDUPS=required, as CI has it, what is not installed is a failure and no skip.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from truegreen import headers

REQUIRED = os.environ.get("TRUEGREEN_SPEEDUPS") == "required"
WAYS = ("pure", "compiled")


def compiled() -> Any:
    """The compiled splitter; skips the test where there is none."""
    if headers.compiled is None:
        if REQUIRED:
            pytest.fail("TRUEGREEN_SPEEDUPS=required, and truegreen_speedups cannot be imported")
        pytest.skip("truegreen-speedups is not installed, or was installed without a C compiler")
    return headers.compiled
