"""The board: the ledger, the leases and the reviews as web pages, each with its JSON twin.

Read-only: no page changes anything, so there is no form but the search, and no method but GET;
``annex`` is how something else may stand beside the pages (webhooks, actions).
``sources`` reads, ``pages/`` makes each page's document (pure: records in, JSON values out),
``templates/`` shows it, ``doorway`` keeps strangers out, ``feed`` tells open pages what is new,
``app`` puts them together. What is true is decided below; nothing here judges.
"""

from truegreen.board.annex import Annex
from truegreen.board.app import make_app
from truegreen.board.sources import Sources

__all__ = ["Annex", "Sources", "make_app"]
