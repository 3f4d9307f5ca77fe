"""How answers came about."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "traces",
        sa.Column("trace_id", sa.Text, primary_key=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asker_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("has_texts", sa.Boolean, nullable=False),
        sa.Column("tree", JSONB, nullable=False),
    )
    op.create_index("ix_traces_made_at", "traces", ["made_at"])


def downgrade() -> None:
    """Drop the table: nobody can look into the answers of the last days any more."""
    op.drop_table("traces")
