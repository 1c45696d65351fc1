"""The board: the ledger, the leases and the reviews as web pages, each with its JSON twin.

Read-only: no page changes anything, so there is no form but the search, and no method but GET.
``sources`` reads, ``pages/`` makes each page's document (pure: records in, JSON values out),
``templates/`` shows it, ``doorway`` keeps strangers out, ``feed`` tells open pages what is new,
``app`` puts them together. What is true is decided below; nothing here judges.
"""

from truegreen.board.app import Annex, make_app
from truegreen.board.sources import Sources

__all__ = ["Annex", "Sources", "make_app"]
