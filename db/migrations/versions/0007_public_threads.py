"""Which messages and names are those of public threads, and an index of whose readers may read a message."""

import sqlalchemy as sa
from alembic import op

from db.schema import ACCESS_ID

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, in which threads from before this revision count as private until they are known better."""
    for table in ("messages", "names"):
        op.add_column(table, sa.Column("in_public_thread", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.create_index("messages_access_sent_at", "messages", [sa.text(f"({ACCESS_ID})"), "sent_at", "message_id"])


def downgrade() -> None:
    """Drop the index and the columns."""
    op.drop_index("messages_access_sent_at", table_name="messages")
    for table in ("names", "messages"):
        op.drop_column(table, "in_public_thread")
