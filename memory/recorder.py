"""Take messages in and bring them to short-term memory: journal, capture and ingest as one thing."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from db.engines import Sessions
from memory.capture import Capture, open_capture
from memory.embedder import Embedder
from memory.erased import Erased
from memory.ingest import Ingest, running
from memory.journal import BadRecord, Journal, JournalBatch, NotAdded
from memory.messages import Message
from memory.writing import OnStored, unheard

_CAPACITY = 10_000  # messages held in memory while the journal cannot be written; more are refused


@dataclass(frozen=True, slots=True)
class Recorder:
    """The recording side of a program session."""

    session: str
    _journal: Journal
    _not_added: NotAdded
    _capture: Capture
    _ingest: Ingest
    erased: Erased

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        """Return once the message is in the session's CSV; the database follows by itself.

        What is erased is kept out: Discord sends an old message whole again when somebody pins it.

        With `patience` it waits no longer than that while the CSV cannot be written. Raises JournalUnavailableError
        then, and when too many messages wait already; the message is not kept.
        """
        if self.erased.keep_out(message):
            return
        await self._capture.record(message, patience=patience)

    async def settle(self, *, timeout: timedelta) -> bool:
        """Wait until what was recorded so far is searchable; False when `timeout` or an outage came first."""
        return await self._ingest.settle(timeout=timeout)

    async def settle_vectors(self, *, timeout: timedelta) -> bool:
        """Wait until what was stored before the embedder was ready has its vectors; False as for `settle`."""
        return await self._ingest.settle_vectors(timeout=timeout)

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of the journal are searchable, and how many there are."""
        return self._ingest.stored, self._journal.end

    @property
    def database_is_away(self) -> bool:
        """Whether short-term memory did not answer when it was last tried."""
        return self._ingest.outage

    @property
    def journal_is_failing(self) -> bool:
        """Whether the session's CSV cannot be written just now, or does not reach the disk."""
        return self._capture.failing or not self._capture.is_synced

    def recorded(self) -> Iterator[JournalBatch]:
        """Yield all that the session's CSV holds, in bounded memory."""
        return self._journal.read_all()

    async def refuse(self, record: BadRecord) -> None:
        """Put a line that is no message into the not-added CSV."""
        await self._not_added.in_thread(self._not_added.refuse_record, record)


@asynccontextmanager
async def open_recorder(
    *,
    session: str,
    journal_path: Path,
    not_added_path: Path,
    sessions: Sessions,
    embedder: Embedder,
    batch: int,
    erased: Erased | None = None,
    on_stored: OnStored = unheard,
) -> AsyncGenerator[Recorder]:
    """Yield the recorder of a session, which begins to catch up at once; on exit its CSV is on the disk.

    What is `erased` comes neither into the CSV nor, from an older CSV that was put back, into the database. `on_stored`
    hears of messages once they are in the database.

    Raises SessionError when the session's files cannot be written.
    """
    erased = erased or Erased()
    with closing(Journal(journal_path)) as journal, closing(NotAdded(not_added_path)) as not_added:
        journal.open()
        not_added.open()
        ingest = Ingest(
            journal=journal,
            not_added=not_added,
            sessions=sessions,
            embedder=embedder,
            session=session,
            batch=batch,
            erased=erased,
            on_stored=on_stored,
        )
        async with (
            running(ingest),
            open_capture(journal, capacity=_CAPACITY, on_growth=ingest.journal_has_grown) as capture,
        ):
            yield Recorder(session, journal, not_added, capture, ingest, erased)
        erased.tell()
