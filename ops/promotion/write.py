"""Write what was prepared into long-term memory; rows that it refuses go to a CSV, and keep no others out."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from db.databases import Database
from errors import RefusedRowError
from memory.index import bulk
from memory.index.bulk import Batch
from memory.index.store import Indexed
from memory.message import Revision
from ops.promotion.compare import Verdict
from ops.promotion.rejects import RefusedCsv, row_of_message
from ops.promotion.report import Tally

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one transaction writes, and how far the source is read then."""

    rows: Sequence[Indexed]
    verdicts: Sequence[Verdict]
    """What each row is."""
    revisions: Sequence[Revision]
    expected: int
    """How many rows the batch may add in all."""
    end_bytes: int


class Writer:
    """Writes the rows of one batch."""

    def __init__(self, database: Database, promotion_id: int, refused: RefusedCsv, tally: Tally) -> None:
        self._database = database
        self._promotion_id = promotion_id
        self._refused = refused
        self._tally = tally

    async def write(self, piece: Piece) -> None:
        """Write a piece; one that is refused is halved until the rows that spoil it stand alone.

        Raises DatabaseUnavailableError, and SessionError when the CSV of refused rows cannot be written.
        """
        batch = Batch(
            rows=piece.rows,
            revisions=piece.revisions,
            promotion_id=self._promotion_id,
            all_new=all(verdict is Verdict.NEW for verdict in piece.verdicts),
        )
        if not piece.rows and not piece.revisions:
            return
        try:
            await bulk.write(self._database, batch, expected=piece.expected)
        except RefusedRowError:
            await self._write(list(zip(piece.rows, piece.verdicts, strict=True)), piece.revisions, piece.expected)

    async def _write(
        self, rows: Sequence[tuple[Indexed, Verdict]], revisions: Sequence[Revision], expected: int
    ) -> None:
        batch = Batch(rows=[row for row, _ in rows], revisions=revisions, promotion_id=self._promotion_id)
        try:
            await bulk.write(self._database, batch, expected=expected)
        except RefusedRowError as error:
            await self._write_less(rows, revisions, expected, str(error))

    async def _write_less(
        self, rows: Sequence[tuple[Indexed, Verdict]], revisions: Sequence[Revision], expected: int, reason: str
    ) -> None:
        middle = len(rows) // 2
        if middle:
            ids = {row.message.message_id for row, _ in rows[:middle]}
            await self._write(rows[:middle], [one for one in revisions if one.message_id in ids], expected)
            await self._write(rows[middle:], [one for one in revisions if one.message_id not in ids], expected)
        elif revisions:
            logger.warning("what message %d said before is not kept: %s", revisions[0].message_id, reason)
            await self._write(rows, revisions[1:], expected)
        else:
            await self._refuse(rows, reason)

    async def _refuse(self, rows: Sequence[tuple[Indexed, Verdict]], reason: str) -> None:
        for row, verdict in rows:
            logger.warning("message %d was not added: %s", row.message.message_id, reason)
            self._tally.take_back(verdict, reason)
            await asyncio.to_thread(self._refused.add, [row_of_message(row.message, reason)])
