"""Channels, threads and posts as rows of their own, so that archived ones are known as well."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "places",
        sa.Column("place_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("parent_id", sa.BigInteger),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("is_private", sa.Boolean, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("age_restricted", sa.Boolean, nullable=False),
        sa.Column("spoiler", sa.Boolean, nullable=False),
        sa.Column("tags", ARRAY(sa.Text), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True)),
        sa.Column("hidden_since", sa.DateTime(timezone=True)),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved", sa.Boolean, nullable=False),
        sa.Column("promotion_id", sa.BigInteger),
    )
    op.create_index("ix_places_guild_id", "places", ["guild_id"])
    op.create_index("ix_places_parent_id", "places", ["parent_id"])
    op.create_index("places_unresolved", "places", ["place_id"], postgresql_where=sa.text("NOT resolved"))


def downgrade() -> None:
    """Drop the table: Discord tells again of the places that there are."""
    op.drop_table("places")
