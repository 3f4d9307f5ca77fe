"""Turns of conversations as rows of our own, in place of LangGraph's tables, which no revision had made."""

from typing import cast

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.util import await_only

from db.former_conversations import take_over
from db.table_copy import Connection

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, take over the conversations of earlier versions, and drop the tables in which those were."""
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
    connection = cast("Connection", op.get_bind().connection.driver_connection)
    await_only(take_over(connection))


def downgrade() -> None:
    """Drop the table: conversations begin anew, for an earlier version makes its own tables when it starts."""
    op.drop_table("conversation_turns")
