"""httpx without its command line, which brings rich and pygments: 40 of the 110 ms of its import.

    from truegreen.light_httpx import httpx

httpx takes an ImportError of its module ``_main`` for "installed without httpx[cli]" (its
``__init__``). What that extra needs is installed here for other reasons, so it is told so. In such
a process ``httpx.main``, the command line, says what to install; all the rest is as ever. Who
imported httpx before keeps it as it was.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["httpx"]
_COMMAND_LINE = "httpx._main"

if "httpx" in sys.modules:
    import httpx as httpx
else:
    # None there is how Python itself marks a module that cannot be imported.
    sys.modules[_COMMAND_LINE] = cast("ModuleType", None)
    try:
        import httpx as httpx
    finally:
        del sys.modules[_COMMAND_LINE]
