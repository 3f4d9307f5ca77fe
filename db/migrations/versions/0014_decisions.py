"""Messages that somebody has marked as decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "decisions",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("thread_id", sa.BigInteger),
        sa.Column("author_id", sa.BigInteger),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marked_by", sa.BigInteger),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("supersedes", sa.BigInteger),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
    )


def downgrade() -> None:
    """Drop the table: nothing is marked any more."""
    op.drop_table("decisions")
