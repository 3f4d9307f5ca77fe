"""The messages of an author, by an index."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index of what `memory.filters` compares; the names of authors without an id are kept up to there."""
    op.execute("CREATE INDEX messages_author ON messages (author_id, left(author_name, 200))")


def downgrade() -> None:
    """Drop the index: all messages are read for those of an author."""
    op.execute("DROP INDEX messages_author")
