"""What a message forwards, when it was completed, where each part of its text comes from, and how people reacted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_CHANGEABLE = ("completed_at", "parts", "reactions", "reactions_at")


def _columns() -> dict[str, sa.Column[object]]:
    nothing = sa.text("'[]'::jsonb")
    return {
        "forwarded_from": sa.Column("forwarded_from", sa.BigInteger),
        "completed_at": sa.Column("completed_at", _TIME),
        "parts": sa.Column("parts", JSONB, nullable=False, server_default=nothing),
        "reactions": sa.Column("reactions", JSONB, nullable=False, server_default=nothing),
        "reactions_at": sa.Column("reactions_at", _TIME),
    }


def upgrade() -> None:
    """Add the columns; of what was kept before nothing of it is known."""
    for column in _columns().values():
        op.add_column("messages", column)
    for name in _CHANGEABLE:
        op.add_column("replaced_messages", _columns()[name])
    op.execute("CREATE INDEX messages_forwarded_from ON messages (forwarded_from) WHERE forwarded_from IS NOT NULL")


def downgrade() -> None:
    """Drop the columns with what they hold."""
    op.execute("DROP INDEX messages_forwarded_from")
    for name in _CHANGEABLE:
        op.drop_column("replaced_messages", name)
    for name in _columns():
        op.drop_column("messages", name)
