"""The append-only, hash-chained record of what was shipped, verified and overridden."""

from truegreen.ledger.record import GENESIS, Record, chain_hash
from truegreen.ledger.store import Break, Ledger

__all__ = ["GENESIS", "Break", "Ledger", "Record", "chain_hash"]
