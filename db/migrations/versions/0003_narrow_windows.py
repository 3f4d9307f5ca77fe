"""Make a narrow window cheap to compare: an index in time order, and vectors that stand in their rows.

PostgreSQL would move the vector of a row with a longer text out of it, and to compare rows then takes two to four times
as long (docs/decisions/0005). Rows from before this revision stay as they are.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index; new rows keep their vector for as long as the row fits a page."""
    op.execute("ALTER TABLE messages ALTER COLUMN embedding SET STORAGE MAIN")
    op.create_index("messages_sent_at", "messages", ["sent_at", "message_id"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("messages_sent_at", "messages")
    op.execute("ALTER TABLE messages ALTER COLUMN embedding SET STORAGE EXTERNAL")
