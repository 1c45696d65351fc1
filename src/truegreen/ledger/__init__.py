"""The append-only, hash-chained record of what was shipped, verified and overridden."""

from truegreen.ledger.chain import Break, Walked
from truegreen.ledger.record import GENESIS, Entry, Record, chain_hash
from truegreen.ledger.store import Ledger

__all__ = ["GENESIS", "Break", "Entry", "Ledger", "Record", "Walked", "chain_hash"]
