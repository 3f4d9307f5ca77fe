"""When people caught up, and which digests were posted from which messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "catch_ups",
        sa.Column("person_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "digests",
        sa.Column("channel_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("due_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("posted_at", sa.DateTime(timezone=True)),
        sa.Column("source_ids", ARRAY(sa.BigInteger), nullable=False, server_default=sa.text("'{}'::bigint[]")),
        sa.Column("checksum", sa.Text, nullable=False, server_default=sa.text("''")),
    )
    op.create_index("digests_guild", "digests", ["guild_id"])


def downgrade() -> None:
    """Drop the tables: a digest that was posted stays as it is."""
    op.drop_table("digests")
    op.drop_table("catch_ups")
