"""Which answers cite what was edited or deleted since, and which of them are still to be updated in Discord."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NONE = sa.text("'{}'::bigint[]")
_COLUMNS = (
    "message_ids",
    "edits_known_to",
    "edited_cites",
    "deleted_cites",
    "update_since",
    "update_at",
    "update_tries",
)


def upgrade() -> None:
    """Add the columns, and the indexes by which answers are found."""
    op.add_column("answers", sa.Column("message_ids", ARRAY(sa.BigInteger), nullable=False, server_default=_NONE))
    op.add_column("answers", sa.Column("edits_known_to", sa.DateTime(timezone=True)))
    op.add_column("answers", sa.Column("edited_cites", ARRAY(sa.BigInteger), nullable=False, server_default=_NONE))
    op.add_column("answers", sa.Column("deleted_cites", ARRAY(sa.BigInteger), nullable=False, server_default=_NONE))
    op.add_column("answers", sa.Column("update_since", sa.DateTime(timezone=True)))
    op.add_column("answers", sa.Column("update_at", sa.DateTime(timezone=True)))
    op.add_column(
        "answers", sa.Column("update_tries", sa.BigInteger, nullable=False, server_default=sa.text("'0'::bigint"))
    )
    op.execute("UPDATE answers SET message_ids = ARRAY[message_id] WHERE message_id IS NOT NULL")
    op.create_index("answers_cites", "answers", ["cites"], postgresql_using="gin")
    op.create_index("answers_to_update", "answers", ["update_at"], postgresql_where=sa.text("update_at IS NOT NULL"))
    op.create_index("answers_tokens", "answers", ["asked_at"], postgresql_where=sa.text("token IS NOT NULL"))


def downgrade() -> None:
    """Drop both: what was to be updated stays as it is."""
    for index in ("answers_tokens", "answers_to_update", "answers_cites"):
        op.drop_index(index, "answers")
    for column in reversed(_COLUMNS):
        op.drop_column("answers", column)
