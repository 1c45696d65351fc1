"""What /health tells, put together from truegreen's report and Raptor's schema.

Everybody behind the edge gets the code's commit and release. Schema, guard and flags are for
whoever sends HEALTH_TOKEN as X-Health-Token; `truegreen verify` finds it among the app's config
vars.
"""

from __future__ import annotations

import os

from raptor.db import Database, schema_heads, schema_revision
from truegreen.health import Health, SchemaState


def make_health(database: Database) -> Health:
    """The report for this app. The code's heads are read now, the database at every report."""
    heads = schema_heads()

    def schema() -> SchemaState:
        with database.engine.connect() as connection:
            return SchemaState(current=schema_revision(connection), heads=heads)

    settings = database.settings
    return Health(
        "raptor", os.environ, schema, settings.guard, settings.flags, settings.health_token
    )
