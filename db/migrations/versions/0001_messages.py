"""Messages, their revisions, how far each journal is stored, and facts about the database.

The width of the embedding column comes from the configured model (`x-dimensions`), so that a deployment with
another model has the same history.
"""

import sqlalchemy as sa
from alembic import context, op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.execute("CREATE EXTENSION IF NOT EXISTS vectorscale CASCADE")
    _create_messages(context.config.attributes["dimensions"])
    op.create_table(
        "message_revisions",
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("revised_at", _TIME, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("message_id", "revised_at"),
    )
    op.create_table(
        "journal_positions",
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("session"),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _create_messages(dimensions: int) -> None:
    op.create_table(
        "messages",
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("sent_at", _TIME, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("thread_id", sa.BigInteger),
        sa.Column("author_id", sa.BigInteger),
        sa.Column("reply_to", sa.BigInteger),
        sa.Column("author_name", sa.Text, nullable=False),
        sa.Column("channel_name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("attachments", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("edited_at", _TIME),
        sa.Column("deleted_at", _TIME),
        sa.Column("search_text", sa.Text, nullable=False),
        sa.Column("embedding", Vector(dimensions)),
        sa.Column("embedding_model", sa.Text),
        sa.PrimaryKeyConstraint("message_id", "sent_at"),
        sa.CheckConstraint("kind IN ('message', 'command', 'answer', 'system')", name="messages_kind"),
    )
    op.create_index(
        "messages_place_sent_at",
        "messages",
        [sa.text("coalesce(thread_id, channel_id)"), "sent_at", "message_id"],
    )


def downgrade() -> None:
    """Drop the tables; the extensions stay, others may use them."""
    for table in ("facts", "journal_positions", "message_revisions", "messages"):
        op.drop_table(table)
