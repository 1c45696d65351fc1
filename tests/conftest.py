"""For all tests: a Postgres, and the groups of pytest-xdist (``--dist=loadgroup``).

pytest 9.2 lost the groups: pytest-xdist 3.8 writes a test's into ``Item._nodeid``; pytest keeps the
id in ``Item._id`` since then and does not look there, so that every test was a group of its
own. Where both do what they did, nothing happens here.
"""

from __future__ import annotations

import signal

import pytest
from shared_postgres import location, postgres

from truegreen import secret

__all__ = ["location", "postgres"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        grouped = vars(item).get("_nodeid")  # nobody but pytest-xdist sets it
        if grouped and grouped != item.nodeid and hasattr(item, "_id"):
            item._id = type(item._id).parse(grouped)


def pytest_runtest_teardown() -> None:
    """What a verb that ran in this process has withheld is not the next test's."""
    secret._withheld.clear()


# A shell that starts us in the background has SIGINT ignored, and what we start would inherit that:
# tests that interrupt a process would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
