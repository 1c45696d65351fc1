"""For the guard's tests: both ways to read a request's lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from both_ways import WAYS, compiled

from truegreen import headers


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Guards that are made in the test read their lines in Python, or by the compiled function."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(headers, "compiled", None if request.param == "pure" else compiled())
        yield request.param
