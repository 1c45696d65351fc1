"""The origin guard: lets in only what came through the front door.

``policy`` decides, purely; ``wsgi``, ``asgi`` and the frameworks' modules apply it; ``tally``
counts. Standard library only, but for ``access``; and never a network call in a request's path.
"""

from truegreen.guard.client import client_address
from truegreen.guard.policy import Decision, GuardPolicy
from truegreen.guard.profiles import (
    DIRECT,
    HEROKU,
    HEROKU_LEGACY,
    PROFILES,
    GuardError,
    Profile,
    behind,
)
from truegreen.guard.ranges import Ranges, RangesError
from truegreen.guard.tally import Tally

__all__ = [
    "DIRECT",
    "HEROKU",
    "HEROKU_LEGACY",
    "PROFILES",
    "Decision",
    "GuardError",
    "GuardPolicy",
    "Profile",
    "Ranges",
    "RangesError",
    "Tally",
    "behind",
    "client_address",
]
