"""The tables of the jobs. Postgres only: workers on several machines share no file.

Workers of two versions read them at once. So they change by addition only, a new column has a
default, and what is new in an order goes into ``options`` under a new protocol.
"""

from __future__ import annotations

from truegreen.state import Schema

CHANNEL = "truegreen_jobs"  # workers: there may be something to take
JOB_CHANNEL = "truegreen_job_{}"  # followers of one job
_POSTGRES = """
SET LOCAL search_path TO truegreen;
-- One row an app: who takes a job of it locks this row first, so that nobody else does meanwhile.
CREATE TABLE IF NOT EXISTS job_place (
    place TEXT PRIMARY KEY,
    served_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    job BIGINT
);
CREATE TABLE IF NOT EXISTS job (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place TEXT NOT NULL REFERENCES job_place, app TEXT NOT NULL, environment TEXT NOT NULL,
    repository TEXT NOT NULL, prefix TEXT NOT NULL, commit_sha TEXT NOT NULL,
    options TEXT NOT NULL, protocol INTEGER NOT NULL,
    asked_by TEXT NOT NULL, asked_at DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'ended')),
    worker TEXT NOT NULL DEFAULT '', owner TEXT NOT NULL DEFAULT '',
    process TEXT NOT NULL DEFAULT '',
    taken_at DOUBLE PRECISION, beat_at DOUBLE PRECISION,
    attempt INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0,
    progress TEXT NOT NULL DEFAULT '[]', note TEXT NOT NULL DEFAULT '',
    ended_at DOUBLE PRECISION, exit_code INTEGER, verdict TEXT, run BIGINT,
    message TEXT NOT NULL DEFAULT '', hint TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS job_waiting ON job (place, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS job_running ON job (id) WHERE state = 'running';
CREATE TABLE IF NOT EXISTS worker (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, process TEXT NOT NULL, version TEXT NOT NULL,
    oldest INTEGER NOT NULL, newest INTEGER NOT NULL, slots INTEGER NOT NULL,
    busy INTEGER NOT NULL, beat_at DOUBLE PRECISION NOT NULL
);
"""
SCHEMA = Schema("job", 1, "", _POSTGRES)
