"""The time zones that people and guilds have chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "time_zones",
        sa.Column("owner_kind", sa.Text, nullable=False),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner_kind", "owner_id"),
        sa.CheckConstraint("owner_kind IN ('person', 'guild')", name="time_zones_owner_kind"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("time_zones")
