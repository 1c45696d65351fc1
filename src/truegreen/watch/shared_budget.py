"""One budget for every process and machine that uses a token, in the database that they share.

Time is the database's, so that no machine's clock gives calls away. Each grant is one transaction:
a process that is killed has taken what it took, and nothing is left locked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from truegreen.secret import Secret
from truegreen.state import Database
from truegreen.state.database import Writer
from truegreen.watch.budget import LEFT_ALONE, Terms

_HOUR = 60  # minutes that are counted apart


def budget_key(api: str, token: Secret) -> str:
    """What the budget of ``token`` at ``api`` is kept under: a digest, from which neither is known
    again. A token has at least 128 random bits, so a digest without salt gives nothing away."""
    text = "\0".join(("truegreen budget", api, token.reveal()))
    return hashlib.sha256(text.encode()).hexdigest()


class SharedBudget:
    """The bucket under ``key`` (of budget_key). ``terms`` are this process's own: where others
    have other terms, what they spend together is within the largest. ``clock``: seconds; default:
    the database's. See `Spends` for the methods; each raises StateError without a database."""

    def __init__(
        self,
        database: Database,
        key: str,
        terms: Terms,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.terms = terms
        self._db = database
        self._key = key
        self._clock = clock or database.clock

    def take(self, calls: int = 1, *, keep: float = 0.0) -> bool:
        with self._db.write() as writer:
            now = self._clock()
            tokens, at = self._tokens(writer, now)
            if tokens < calls + keep:
                if at > now:  # the clock was set back: from here on time gives again
                    self._keep(writer, tokens, now)
                return False
            self._keep(writer, tokens - calls, now)
            self._count(writer, calls, now)
            return True

    def settle(self, calls: int) -> None:
        if not calls:
            return
        with self._db.write() as writer:
            now = self._clock()
            tokens = min(self.terms.burst, self._tokens(writer, now)[0] - calls)
            self._keep(writer, tokens, now)
            self._count(writer, calls, now)

    def cap(self, remaining: int) -> None:
        most = float(remaining - LEFT_ALONE)
        if most >= self.terms.burst:
            return
        with self._db.write() as writer:
            now = self._clock()
            self._keep(writer, min(self._tokens(writer, now)[0], most), now)

    @property
    def tokens(self) -> float:
        rows = list(self._db.rows("SELECT tokens, at FROM bucket WHERE token = ?", (self._key,)))
        if not rows:
            return self.terms.burst
        return self.terms.filled(rows[0][0], rows[0][1], self._clock())

    def _tokens(self, writer: Writer, now: float) -> tuple[float, float]:
        """What there is at ``now``, and when it was last written."""
        rows = writer.rows("SELECT tokens, at FROM bucket WHERE token = ?", (self._key,))
        if not rows:
            return self.terms.burst, now
        tokens, at = rows[0]
        return self.terms.filled(tokens, at, now), at

    def _keep(self, writer: Writer, tokens: float, now: float) -> None:
        writer.run(
            "INSERT INTO bucket (token, tokens, at) VALUES (?, ?, ?)"
            " ON CONFLICT (token) DO UPDATE SET tokens = excluded.tokens, at = excluded.at",
            (self._key, tokens, now),
        )

    def _count(self, writer: Writer, calls: int, now: float) -> None:
        minute = int(now // 60)
        writer.run(
            "INSERT INTO spent (token, minute, calls) VALUES (?, ?, ?)"
            " ON CONFLICT (token, minute) DO UPDATE SET calls = spent.calls + excluded.calls",
            (self._key, minute, calls),
        )
        # Of a clock that was set back, minutes to come are left over: they go as well.
        writer.run(
            "DELETE FROM spent WHERE token = ? AND (minute <= ? OR minute > ?)",
            (self._key, minute - _HOUR, minute),
        )


def spent_last_hour(database: Database, key: str, now: float) -> int:
    """Calls under ``key`` in the last sixty minutes. ``now``: by the bucket's clock."""
    minute = int(now // 60)
    statement = (
        "SELECT coalesce(sum(calls), 0) FROM spent WHERE token = ? AND minute > ? AND minute <= ?"
    )
    return int(next(iter(database.rows(statement, (key, minute - _HOUR, minute))))[0])
