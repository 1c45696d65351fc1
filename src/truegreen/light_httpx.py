"""httpx without its command line, which is 45 of the 110 ms of its import.

    from truegreen.light_httpx import httpx

httpx takes an ImportError of its module ``_main`` for "installed without httpx[cli]" (its
``__init__``). In such a process ``httpx.main`` says what to install; all the rest is as ever.
"""

from __future__ import annotations

from truegreen.light_imports import without

__all__ = ["httpx"]

with without("httpx._main"):
    import httpx as httpx
