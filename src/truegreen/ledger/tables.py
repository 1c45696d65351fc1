"""The ledger's tables, for both databases. Every script may run on what an older one made."""

from __future__ import annotations

from truegreen.state import Schema

RUN_KINDS = ("ship", "verify", "retry", "rollback")
# What asked what is true of an app. An index is made of this very text, and only a query with the
# same text finds it; `|| ''` keeps both databases from looking kind by kind in record_kind instead.
RUNS = "kind || '' IN ('ship', 'verify', 'retry', 'rollback') AND app <> ''"
_RECORD = """
CREATE TABLE IF NOT EXISTS record (
    id {integer} PRIMARY KEY,
    at TEXT NOT NULL, kind TEXT NOT NULL, app TEXT NOT NULL, commit_sha TEXT, verdict TEXT,
    body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE
){strict};
CREATE INDEX IF NOT EXISTS record_verdict ON record (verdict, id);
CREATE INDEX IF NOT EXISTS record_kind ON record (kind, app, id);
-- The runs of an app, and with them which apps there are, without reading a million of them.
CREATE INDEX IF NOT EXISTS record_run ON record (app, id) WHERE {runs};
-- The last record, so that an end that was cut off shows.
CREATE TABLE IF NOT EXISTS head (id {integer} NOT NULL, hash TEXT NOT NULL){strict};
INSERT INTO head SELECT coalesce((SELECT max(id) FROM record), 0),
    coalesce((SELECT hash FROM record ORDER BY id DESC LIMIT 1), '{genesis}')
WHERE NOT EXISTS (SELECT 1 FROM head);
"""
_SQLITE = (
    _RECORD.format(integer="INTEGER", strict=" STRICT", genesis="0" * 64, runs=RUNS)
    + """
CREATE TRIGGER IF NOT EXISTS record_no_update BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS record_no_delete BEFORE DELETE ON record
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
)
_POSTGRES = (
    "SET LOCAL search_path TO truegreen;"
    + _RECORD.format(integer="BIGINT", strict="", genesis="0" * 64, runs=RUNS)
    + """
CREATE OR REPLACE FUNCTION truegreen.append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
CREATE OR REPLACE TRIGGER record_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record
FOR EACH STATEMENT EXECUTE FUNCTION truegreen.append_only();
"""
)
SCHEMA = Schema("ledger", 3, _SQLITE, _POSTGRES)
