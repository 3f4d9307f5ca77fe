"""Who spoke where under which name, and what the channel was called, beside the messages that say so."""

import sqlalchemy as sa
from alembic import op

from db.name_rows import FILL

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
    op.execute(FILL)


def downgrade() -> None:
    """Drop the table: the messages hold the names."""
    op.drop_table("names")
