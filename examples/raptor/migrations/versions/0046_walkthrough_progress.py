"""Walkthrough progress.

Why: the walkthrough has to go on where a person left it, on whichever device they come back with,
so progress is kept here and not in the browser. One row a step that is done; its absence means
"not yet", so new steps need no migration. Only adds a table: the code before it runs on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "walkthrough_progress",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "step", name="pk_walkthrough_progress"),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name="fk_walkthrough_progress_person_id_people",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("walkthrough_progress")
