"""Which address a platform lets us believe: what stands before the application, and what it writes.

Everything in X-Forwarded-For but what the platform's own proxy appended was written by somebody
else. Facts of Heroku's routers: devcenter "HTTP Routing" and "Router 2.0"; the legacy router
appends the peer to the *first* X-Forwarded-For line only and passes a second one on unchanged.
Only values live here; policy.py reads them.
"""

from __future__ import annotations

from truegreen.errors import UsageError
from truegreen.frozen import Frozen

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Mapping


class GuardError(UsageError):
    """A guard that could not do what its mode says. Raised at start, never at a request."""


class Profile(Frozen):
    """``hops``: how many proxies of the platform append to X-Forwarded-For on the way to us; the
    address that reached the outermost of them is that many entries from the right. 0: none, the
    connection's own peer is believed and X-Forwarded-For is not read.

    ``merges_lines``: the platform hands X-Forwarded-For on as one line, whatever a client sent.
    Where it does not, WSGI cannot see a forged second line, because servers join lines.
    """

    __slots__ = ("hops", "merges_lines", "name")

    name: str
    hops: int
    merges_lines: bool

    def __init__(self, hops: int, merges_lines: bool, name: str) -> None:
        self._fill(hops, merges_lines, name)

    @property
    def forgeable_in_wsgi(self) -> bool:
        """Whether the believed address can be forged by a second line that WSGI does not show."""
        return self.hops > 0 and not self.merges_lines


HEROKU = Profile(1, True, "heroku")  # Router 2.0
HEROKU_LEGACY = Profile(1, False, "heroku-legacy")
DIRECT = Profile(0, True, "direct")

PROFILES: Mapping[str, Profile] = {one.name: one for one in (HEROKU, HEROKU_LEGACY, DIRECT)}


def behind(hops: int, *, merges_lines: bool = False) -> Profile:
    """A profile for ``hops`` proxies of your own (1 to 16), each of which appends its peer.

    Say ``merges_lines=True`` only when the outermost proxy is known to join several
    X-Forwarded-For lines into one (or to overwrite them). Raises GuardError for another number.
    """
    if type(hops) is not int or not 1 <= hops <= 16:
        raise GuardError(f"origin guard: {hops!r} proxies", hint="1 to 16; DIRECT means none")
    return Profile(hops, merges_lines, f"behind-{hops}")
