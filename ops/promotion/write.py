"""Write what was prepared into long-term memory; rows that it refuses go to a CSV, and keep no others out."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from db.databases import Database
from errors import RefusedRowError
from memory.index import bulk
from memory.index.bulk import MessageBatch
from memory.index.indexing import find_refused
from memory.index.store import Indexed
from memory.message import Revision
from ops.promotion.compare import Verdict
from ops.promotion.rejects import RejectsCsv, row_of_message
from ops.promotion.report import RecordTally

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePiece:
    """What one transaction writes, and how far the source is read then."""

    rows: Sequence[Indexed]
    verdicts: Sequence[Verdict]
    """What each row is."""
    revisions: Sequence[Revision]
    expected: int
    """How many rows the batch may add in all."""
    end_bytes: int


class BatchWriter:
    """Writes the rows of one batch."""

    def __init__(self, database: Database, promotion_id: int, rejects: RejectsCsv, tally: RecordTally) -> None:
        self._database = database
        self._promotion_id = promotion_id
        self._rejects = rejects
        self._tally = tally

    async def write(self, piece: WritePiece) -> None:
        """Write a piece; one that is refused is halved until the rows that spoil it stand alone.

        Raises DatabaseUnavailableError, and SessionError when the CSV of refused rows cannot be written.
        """
        if not piece.rows and not piece.revisions:
            return
        all_new = all(verdict is Verdict.NEW for verdict in piece.verdicts)
        if await self._refusal(piece.rows, piece.revisions, piece.expected, all_new=all_new):
            await self._write_accepted(piece)

    async def _refusal(
        self, rows: Sequence[Indexed], revisions: Sequence[Revision], expected: int, *, all_new: bool = False
    ) -> str | None:
        """Write rows and revisions, and return why they are refused; None when they are not."""
        batch = MessageBatch(rows=rows, revisions=revisions, promotion_id=self._promotion_id, all_new=all_new)
        try:
            await bulk.write(self._database, batch, expected=expected)
        except RefusedRowError as error:
            return str(error)
        return None

    async def _write_accepted(self, piece: WritePiece) -> None:
        """Write of a refused piece what is not refused alone: rows with their former texts, then those of no row."""

        async def attempt(some: Sequence[tuple[Indexed, Verdict]]) -> str | None:
            rows = [row for row, _ in some]
            return await self._refusal(rows, _revisions_of(rows, piece.revisions), piece.expected)

        async for (row, verdict), reason in find_refused(list(zip(piece.rows, piece.verdicts, strict=True)), attempt):
            await self._write_less(row, verdict, _revisions_of([row], piece.revisions), piece.expected, reason)
        ids = {row.message.message_id for row in piece.rows}
        await self._write_revisions(
            [revision for revision in piece.revisions if revision.message_id not in ids], piece.expected
        )

    async def _write_less(
        self, row: Indexed, verdict: Verdict, revisions: Sequence[Revision], expected: int, reason: str
    ) -> None:
        """Write a row without those of its former texts that are refused; put it aside when it is refused itself."""
        own_reason = await self._refusal([row], (), expected) if revisions else reason
        if own_reason is None:
            await self._write_revisions(revisions, expected)
            return
        logger.warning("message %d was not added: %s", row.message.message_id, own_reason)
        self._tally.take_back(verdict, own_reason)
        await asyncio.to_thread(self._rejects.add, [row_of_message(row.message, own_reason)])

    async def _write_revisions(self, revisions: Sequence[Revision], expected: int) -> None:
        async def attempt(some: Sequence[Revision]) -> str | None:
            return await self._refusal((), some, expected)

        async for revision, reason in find_refused(revisions, attempt):
            logger.warning("what message %d said before is not kept: %s", revision.message_id, reason)


def _revisions_of(rows: Sequence[Indexed], revisions: Sequence[Revision]) -> list[Revision]:
    ids = {row.message.message_id for row in rows}
    return [revision for revision in revisions if revision.message_id in ids]
