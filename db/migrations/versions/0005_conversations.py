"""Turns of conversations as rows of our own, in place of LangGraph's tables, which no revision had made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from db.table_copy import FORMER_TABLES

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and drop those in which earlier versions kept conversations, which begin anew."""
    op.create_table(
        "conversation_turns",
        sa.Column("asker_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("channel_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("private", sa.Boolean, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("cites", ARRAY(sa.BigInteger), nullable=False),
        sa.Column("audience", ARRAY(sa.BigInteger), nullable=False),
    )
    for name in sorted(FORMER_TABLES):
        op.drop_table(name, if_exists=True)


def downgrade() -> None:
    """Drop the table: conversations begin anew, for an earlier version makes its own tables when it starts."""
    op.drop_table("conversation_turns")
