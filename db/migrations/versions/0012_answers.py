"""Questions with their answers until these are delivered, and what people think of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "answers",
        sa.Column("question_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("access_id", sa.BigInteger, nullable=False),
        sa.Column("asker_id", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("all_time", sa.Boolean, nullable=False),
        sa.Column("about", ARRAY(sa.BigInteger), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("application_id", sa.BigInteger),
        sa.Column("token", sa.Text),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("answer", JSONB),
        sa.Column("cites", ARRAY(sa.BigInteger), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
    )
    op.create_index("answers_asker", "answers", ["asker_id", "asked_at"])
    op.create_index("answers_owed", "answers", ["guild_id"], postgresql_where=sa.text("delivered_at IS NULL"))
    op.create_table(
        "ratings",
        sa.Column("question_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rater_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rating", sa.BigInteger, nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables: no answer is owed or rated any more."""
    op.drop_table("ratings")
    op.drop_table("answers")
