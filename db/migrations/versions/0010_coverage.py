"""Which stretches of a place's messages were read, and which sessions a promotion has brought in whole."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; of earlier promotions nobody knows which sessions they have read whole."""
    op.create_table(
        "coverage",
        sa.Column("place_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("session", sa.Text, primary_key=True),
        sa.Column("oldest_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("newest_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("reaches_start", sa.Boolean, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("widened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("journal_end", sa.BigInteger, nullable=False),
        sa.CheckConstraint("oldest_id <= newest_id", name="coverage_order"),
    )
    op.create_index("coverage_guild", "coverage", ["guild_id"])
    op.add_column(
        "promotions", sa.Column("sessions", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]"))
    )


def downgrade() -> None:
    """Drop the table: the messages stay, and what was read is read again."""
    op.drop_column("promotions", "sessions")
    op.drop_table("coverage")
