"""Questions asked before anything is changed. A gate opens only on ``pass``: one that could not
find out (``unknown``) stays as shut as one that says no (``fail``).

One gate a file; ``run`` asks several of them. Nothing here ships, and nothing here prints.
"""

from truegreen.gates.result import Finding, GateResult

__all__ = ["Finding", "GateResult"]
