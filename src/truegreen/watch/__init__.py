"""After green: looks on for as long as it is told to, at one app or at all of a token's.

``budget`` says when the API may be asked (``shared_budget``: all who use a token), ``app_watch``
what changed at one app, ``fleet`` which app to look at next, ``pressure`` how far behind it is.
``hints`` reads webhooks, ``inbox`` keeps them for whoever watches, ``roster`` knows who does;
``together`` ties one watch to both. What a change is, is model/drift.py's; nothing here changes
anything.
"""

from truegreen.watch.app_watch import AppWatch, Sight
from truegreen.watch.budget import Budget, Terms
from truegreen.watch.fleet import Fleet

__all__ = ["AppWatch", "Budget", "Fleet", "Sight", "Terms"]
