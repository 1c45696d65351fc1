"""Where state lives: one SQLite file beside the service, or one Postgres for a team.

Opens databases and serialises their writers. What stands in them is for ledger and ship to say.
"""

from truegreen.state.database import Database, NewerTables, Schema, StateError
from truegreen.state.lasting import LastingDatabase
from truegreen.state.location import DATABASE_URL, Location, locate
from truegreen.state.opening import open_database

__all__ = [
    "DATABASE_URL",
    "Database",
    "LastingDatabase",
    "Location",
    "NewerTables",
    "Schema",
    "StateError",
    "locate",
    "open_database",
]
