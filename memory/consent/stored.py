"""Look up who wrote messages that either memory holds."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import text

from db.engines import Sessions, transaction
from errors import DatabaseUnavailableError, RefusedRowError

LIMIT = timedelta(seconds=5)
"""How long both memories may take by default; a message waits to be recorded."""

_AUTHORS = text("SELECT message_id, author_id FROM messages WHERE message_id = ANY (:ids)")


class StoredAuthors:
    """Asks both memories: what a session has heard last stands in one, and what was promoted in the other."""

    def __init__(self, databases: Sequence[Sessions], *, timeout: timedelta = LIMIT) -> None:
        self._databases = databases
        self._timeout = timeout

    async def of(self, message_ids: Collection[int]) -> dict[int, int | None]:
        """Return the author's id of each of these messages that is stored; None where its author is not known.

        Raises DatabaseUnavailableError unless both memories answer.
        """
        authors: dict[int, int | None] = {}
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                for sessions in self._databases:
                    async with transaction(sessions) as session:
                        for row in await session.execute(_AUTHORS, {"ids": sorted(message_ids)}):
                            known = authors.get(row.message_id)
                            authors[row.message_id] = row.author_id if known is None else known
        except (RefusedRowError, TimeoutError) as error:
            raise DatabaseUnavailableError("PostgreSQL did not answer in time about who wrote a message") from error
        return authors
