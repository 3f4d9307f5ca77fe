"""Who spoke where under which name, and what the channel was called, beside the messages that say so."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and fill it from the messages that are there."""
    op.create_table(
        "names",
        sa.Column("place_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("channel_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("channel_name", sa.Text, primary_key=True),
        sa.Column("author_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("author_name", sa.Text, primary_key=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promotion_id", sa.BigInteger),
    )
    op.execute("""
        INSERT INTO names
            (place_id, channel_id, channel_name, author_id, author_name, first_seen, last_seen, promotion_id)
        SELECT coalesce(thread_id, channel_id), channel_id, left(channel_name, 200),
            CASE WHEN spoke THEN coalesce(author_id, 0) ELSE 0 END,
            CASE WHEN spoke THEN left(author_name, 200) ELSE '' END,
            min(sent_at), max(sent_at), max(promotion_id)
        FROM (SELECT messages.*, kind = 'message' AND deleted_at IS NULL AS spoke FROM messages) AS messages
        GROUP BY 1, 2, 3, 4, 5
    """)


def downgrade() -> None:
    """Drop the table: the messages hold the names."""
    op.drop_table("names")
