"""NDA acknowledgements.

Why: the beta program may only open once we can show who acknowledged which version of the
agreement, and when. "Once a version" is a constraint of the database, because two requests at the
same moment would both pass a check in the code. Only adds a table: the code before it runs on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "nda_acknowledgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nda_acknowledgements"),
        sa.UniqueConstraint(
            "person_id", "version", name="uq_nda_acknowledgements_person_id_version"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name="fk_nda_acknowledgements_person_id_people",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("nda_acknowledgements")
