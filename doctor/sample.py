"""Take a few stored messages, old and new, to look for them again."""

from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pgvector.sqlalchemy import Vector
from sqlalchemy import BigInteger, Text, column, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AwareTime

SIZE = 10

# Each is found through the index of times: a random choice of rows would read the whole table.
_OLD_AND_NEW = text(
    """
    WITH known AS (
        SELECT message_id, sent_at, search_text, embedding FROM messages
        WHERE embedding IS NOT NULL AND deleted_at IS NULL AND kind <> 'answer'
          AND to_tsvector('english', search_text) <> ''
    ), ends AS (SELECT min(sent_at) AS first, max(sent_at) AS last FROM messages)
    SELECT spread.* FROM ends, generate_series(0, :half - 1) AS number, LATERAL (
        SELECT * FROM known WHERE sent_at >= first + (last - first) * number / :half
        ORDER BY sent_at, message_id LIMIT 1
    ) AS spread
    UNION
    (SELECT * FROM known ORDER BY sent_at DESC, message_id DESC LIMIT :half)
    """
).columns(
    column("message_id", BigInteger), column("sent_at", AwareTime), column("search_text", Text),
    column("embedding", Vector()),
)  # fmt: skip


class Sampled(NamedTuple):
    """A stored message, as far as it can be looked for."""

    message_id: int
    sent_at: datetime
    search_text: str
    embedding: NDArray[np.float32]


async def sample(session: AsyncSession) -> list[Sampled]:
    """Return up to SIZE messages that have a vector and words, half of them the newest, in no order."""
    return [Sampled(*row) for row in await session.execute(_OLD_AND_NEW, {"half": SIZE // 2})]
