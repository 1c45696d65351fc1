"""What watches and the board's endpoint share through the database. Both databases' tables.

Nothing here is a record of what happened (that is the ledger's): all of it may be thrown away, and
the next watch begins anew.
"""

from __future__ import annotations

from truegreen.state import Schema

_TABLES = """
-- One budget of API calls a token. ``token`` is a digest (see budget_key), never the token.
CREATE TABLE IF NOT EXISTS bucket (
    token TEXT PRIMARY KEY, tokens DOUBLE PRECISION NOT NULL, at DOUBLE PRECISION NOT NULL
);
CREATE TABLE IF NOT EXISTS spent (
    token TEXT NOT NULL, minute BIGINT NOT NULL, calls BIGINT NOT NULL,
    PRIMARY KEY (token, minute)
);
-- One row an app that something may have happened at, however often it was hinted at.
CREATE TABLE IF NOT EXISTS hint (
    app TEXT PRIMARY KEY, first_at DOUBLE PRECISION NOT NULL, last_at DOUBLE PRECISION NOT NULL,
    told BIGINT NOT NULL, holder TEXT NOT NULL, held_until DOUBLE PRECISION NOT NULL
);
-- Deliveries that were taken, so that none is taken twice.
CREATE TABLE IF NOT EXISTS delivery (id TEXT PRIMARY KEY, at DOUBLE PRECISION NOT NULL);
CREATE INDEX IF NOT EXISTS delivery_at ON delivery (at);
CREATE TABLE IF NOT EXISTS tally (
    name TEXT PRIMARY KEY, count BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL
);
-- Who watches now, and what each says of its own load (JSON).
CREATE TABLE IF NOT EXISTS watcher (
    id TEXT PRIMARY KEY, token TEXT NOT NULL, every_app BIGINT NOT NULL,
    seen_at DOUBLE PRECISION NOT NULL, told TEXT NOT NULL
);
-- The newest release of an app that a watch has seen the end of.
CREATE TABLE IF NOT EXISTS mark (
    token TEXT NOT NULL, app TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (token, app)
);
"""
SCHEMA = Schema("watch", 1, _TABLES, "SET LOCAL search_path TO truegreen;" + _TABLES)
