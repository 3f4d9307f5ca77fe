"""What a promotion adds and changes, so that it can be taken back, and who has asked to be forgotten."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; rows from before this revision belong to no promotion."""
    op.add_column("messages", sa.Column("promotion_id", sa.BigInteger))
    op.add_column("message_revisions", sa.Column("promotion_id", sa.BigInteger))
    op.create_table(
        "promotions",
        sa.Column("promotion_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "replaced_messages",
        sa.Column("replaced_by", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("attachments", JSONB, nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True)),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("search_text", sa.Text, nullable=False),
        sa.Column("embedding", Vector()),
        sa.Column("embedding_model", sa.Text),
    )
    op.create_table(
        "erasures",
        sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables; what was promoted stays."""
    for table in ("erasures", "replaced_messages", "promotions"):
        op.drop_table(table)
    op.drop_column("message_revisions", "promotion_id")
    op.drop_column("messages", "promotion_id")
