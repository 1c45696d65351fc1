"""How many answers it takes to believe that no old dyno is among those that answer."""

from __future__ import annotations

import math

MISSED = 1e-3
"""With which probability one old dyno may go unseen."""
LEAST, MOST = 10, 100


def enough(dynos: int) -> int:
    """How many answers in a row show that none of ``dynos`` web dynos is an old one.

    Heroku's router picks a dyno at random, so ``n`` answers miss one of ``dynos`` with probability
    ``(1 - 1/dynos) ** n``. At least 10, since under preboot an old dyno that is not listed may
    answer besides a single new one; at most 100, which is enough for 14.
    Source: https://devcenter.heroku.com/articles/http-routing#request-distribution
    """
    among = max(2, dynos)
    return min(MOST, max(LEAST, math.ceil(math.log(MISSED) / math.log(1 - 1 / among))))
