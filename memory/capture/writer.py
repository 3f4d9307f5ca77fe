"""Write batches of messages into a memory: rows that it refuses keep no others out, and an outage is waited for.

What is wrong when a statement fails is found out by trying: a message like any other is written and taken back. While
that fails too, the database is at fault, whatever it says, and all wait. When it passes, the rows are at fault: a batch
is halved, and a row that fails alone is put aside.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeVar

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, transaction
from db.errors import MAY_PASS, NO_SPACE_OR_CONNECTION
from errors import BackscrollError, DatabaseUnavailableError, OperatorError, StatementFailedError, first_line
from memory.capture.journal import BadRecord, NotAdded
from memory.index import reembed, store
from memory.index.indexing import find_refused
from memory.index.store import Indexed
from memory.message import Message, Revision

logger = logging.getLogger(__name__)

T = TypeVar("T")

_TRIES = 3  # of a row alone, before it is blamed for what the database says
_TRIES_OF_MORE = 1  # of a row alone, where others were blamed for the same lately: they often come in numbers
_TRIES_WITHOUT_ANSWER = 5  # of a row alone, each of which has cost the connection; a batch is halved after two
_LATELY = timedelta(minutes=1)
_JUST_NOW = timedelta(seconds=1)
_ANY_ID = 0  # no snowflake
_FIRST_RETRY = timedelta(seconds=0.2)
_SLOWEST_RETRY = timedelta(seconds=2)

OnStored = Callable[[Sequence[Message]], None]
"""Is called with messages once they are in the database."""


def unheard(_: Sequence[Message]) -> None:
    """Do nothing."""


class Doing(Enum):
    """What is tried again: messages are read from the journal and stored, vectors that lack are made."""

    READING = "reading"
    STORING = "storing"
    EMBEDDING = "embedding"


class Outages:
    """Keeps what cannot be done just now, logs it once, and tries it again until it can.

    `on_change` is called when that has changed; `waits_in` names where messages wait meanwhile.
    """

    def __init__(self, *, waits_in: str, on_change: Callable[[], Awaitable[None]]) -> None:
        self._waits_in = waits_in
        self._on_change = on_change
        self._reasons: dict[Doing, str] = {}
        self._told = ""

    @property
    def keep_messages_out(self) -> bool:
        """Whether messages cannot be stored just now."""
        return bool(self._reasons.keys() - {Doing.EMBEDDING})

    @property
    def keep_vectors_out(self) -> bool:
        """Whether vectors that lack cannot be stored just now."""
        return bool(self._reasons)

    async def patiently(self, doing: Doing, call: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Call until it works; whoever owns this task bounds it by cancelling.

        An OperatorError is raised: only the person who starts the program can put it right.
        """
        waits = retry_waits()
        while True:
            try:
                result = await call(*arguments)
            except OperatorError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, it may work later
                await self.begin(doing, error)
                await asyncio.sleep(next(waits))
            else:
                await self.end(doing)
                return result

    async def begin(self, doing: Doing, error: Exception) -> None:
        """Note that something does not work, and say so unless that was said already."""
        reason = first_line(error)
        if self._reasons.get(doing) == reason:
            return
        self._reasons[doing] = reason
        if reason != self._told:
            self._told = reason
            self._tell(doing, error)
        await self._on_change()

    def _tell(self, doing: Doing, error: Exception) -> None:
        is_foreseen = isinstance(error, (BackscrollError, OSError))
        if doing is Doing.EMBEDDING:
            logger.error("vectors that lack cannot be added just now (%s)", self._told, exc_info=not is_foreseen)
        else:
            sentence = "messages cannot be stored just now (%s); they wait in %s"
            logger.error(sentence, self._told, self._waits_in, exc_info=not is_foreseen)

    async def end(self, doing: Doing) -> None:
        """Note that something works; nothing happens when it worked before."""
        if self._reasons.pop(doing, None) is None:
            return
        if not self._reasons:
            self._told = ""
        if doing is not Doing.EMBEDDING and not self.keep_messages_out:
            logger.warning("messages can be stored again; short-term memory catches up from the journal")
        await self._on_change()


def retry_waits() -> Iterator[float]:
    """Yield how many seconds to wait after each failure: longer and longer, up to two."""
    seconds = _FIRST_RETRY.total_seconds()
    while True:
        yield seconds
        seconds = min(2 * seconds, _SLOWEST_RETRY.total_seconds())


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a statement has failed."""

    kind: str
    """The SQLSTATE, or the name of the error's class."""
    reason: str
    is_certain: bool = False
    """Whether trying again cannot help: the value itself is refused."""
    is_outage: bool = False
    """Whether it is the database's own trouble for all that is known at first."""
    has_no_end: bool = False
    """Whether rows are never blamed for it."""


class MessageWriter:
    """Writes batches into one memory, with the position of the journal that they came from.

    `on_missing` is called when rows were stored that shall get their vectors later, `on_stored` with what was stored.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        not_added: NotAdded,
        outages: Outages,
        session_name: str,
        on_missing: Callable[[], None],
        on_stored: OnStored = unheard,
    ) -> None:
        self.position = 0
        """The position of the journal that is stored; a batch that is halved moves it at its end."""
        self._sessions = sessions
        self._not_added = not_added
        self._outages = outages
        self._session_name = session_name
        self._on_missing = on_missing
        self._on_stored = on_stored
        self._blamed: dict[str, float] = {}
        self._useless_without_vector: set[str] = set()
        self._passed_at = 0.0

    async def write(self, rows: Sequence[Indexed], revisions: Sequence[Revision], position: int) -> None:
        """Write a batch, however long that takes; what cannot be written goes to the not-added CSV."""
        if not rows:
            await self._outages.patiently(Doing.STORING, self._write_once, (), (), position)
            return

        def position_behind(some: Sequence[Indexed]) -> int:
            return position if some[-1] is rows[-1] else self.position

        async def attempt(some: Sequence[Indexed]) -> Fault | None:
            return await self._try(some, _of(revisions, some), position_behind(some))

        async for row, fault in find_refused(rows, attempt):
            await self._write_less(row, _of(revisions, [row]), position_behind([row]), fault)

    async def refuse(self, message: Message, reason: str) -> None:
        """Put a message aside, however long the disk is full."""
        logger.warning("message %d was not added: %s", message.message_id, reason)
        await self._outages.patiently(Doing.STORING, self._not_added.in_thread, self._not_added.refuse, message, reason)

    async def refuse_record(self, record: BadRecord) -> None:
        """Put a line that is no message aside, however long the disk is full."""
        logger.warning("a line of the journal was not added: %s", record.reason)
        await self._outages.patiently(Doing.STORING, self._not_added.in_thread, self._not_added.refuse_record, record)

    async def until_others_pass(self, doing: Doing, like: Indexed | None = None) -> bool:
        """Wait until the database takes a message like any other; return whether that took waiting.

        `like` is the row that stands beside it: one with a vector shows more than one without.
        """
        waits = retry_waits()
        waited = False
        while True:
            try:
                await self._probe(like)
            except OperatorError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, it is not one row's fault
                waited = True
                await self._outages.begin(doing, error)
                await asyncio.sleep(next(waits))
            else:
                self._passed_at = time.monotonic()
                return waited

    async def _try(self, rows: Sequence[Indexed], revisions: Sequence[Revision], position: int) -> Fault | None:
        """Write rows, through outages; return why they fail while others pass, None once they are written."""
        waits = retry_waits()
        tries, last = 0, ""
        while True:
            fault = await self._try_once(rows, revisions, position)
            if fault is None:
                return None
            tries, last = (tries + 1 if fault.kind == last else 1), fault.kind
            allowed = self._tries_allowed(fault, alone=len(rows) == 1)
            is_verdict = allowed is not None and tries >= allowed
            if await self._has_waited_for_others(fault, rows, is_last_word=is_verdict and len(rows) == 1):
                tries = 0  # that the rows failed during an outage says nothing about them
            elif is_verdict:
                return fault
            await asyncio.sleep(next(waits))

    async def _try_once(self, rows: Sequence[Indexed], revisions: Sequence[Revision], position: int) -> Fault | None:
        try:
            await self._write_once(rows, revisions, position)
        except OperatorError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it ends neither ingest nor capture
            fault = _fault_of(error)
            if fault.is_outage:
                await self._outages.begin(Doing.STORING, error)
            return fault
        self._passed_at = time.monotonic()
        await self._outages.end(Doing.STORING)
        return None

    async def _has_waited_for_others(self, fault: Fault, rows: Sequence[Indexed], *, is_last_word: bool) -> bool:
        """Find out whether other rows pass; return whether these failed only because none did."""
        passed_just_now = time.monotonic() - self._passed_at < _JUST_NOW.total_seconds()
        if passed_just_now and not is_last_word and not fault.is_outage:
            return False
        waited = await self.until_others_pass(Doing.STORING, rows[0])
        return waited and not fault.is_outage  # a row that crashes the server costs others the connection as well

    def _tries_allowed(self, fault: Fault, *, alone: bool) -> int | None:
        """Return after how many failures, one after the other, rows are blamed while others pass; None for never."""
        if fault.has_no_end:
            return None
        if fault.is_outage:
            return _TRIES_WITHOUT_ANSWER if alone else 2
        if fault.is_certain or not alone:
            return 1
        blamed_at = self._blamed.get(fault.kind)
        if blamed_at is not None and time.monotonic() - blamed_at > _LATELY.total_seconds():
            del self._blamed[fault.kind]
            self._useless_without_vector.discard(fault.kind)
        return _TRIES_OF_MORE if fault.kind in self._blamed.keys() - MAY_PASS else _TRIES

    async def _write_less(self, row: Indexed, revisions: Sequence[Revision], position: int, fault: Fault) -> None:
        """Write of a row what can be written: without its former texts, then without its vector, else put it aside."""
        self._blamed[fault.kind] = time.monotonic()
        number = row.message.message_id
        if revisions:
            logger.warning("what message %d said before is not kept: %s", number, fault.reason)
            await self.write([row], (), position)
        elif row.embedding is not None and fault.kind not in self._useless_without_vector:
            await self._write_without_vector(row, position, fault)
        else:
            await self._put_aside(row, position, fault)

    async def _write_without_vector(self, row: Indexed, position: int, fault: Fault) -> None:
        poorer = replace(row, embedding=None)
        still = await self._try([poorer], (), position)
        if still is None:
            logger.warning("message %d is stored without its vector: %s", row.message.message_id, fault.reason)
        else:
            self._useless_without_vector.add(fault.kind)
            await self._put_aside(row, position, still)

    async def _put_aside(self, row: Indexed, position: int, fault: Fault) -> None:
        await self.refuse(row.message, fault.reason)
        await self._outages.end(Doing.STORING)
        if position != self.position:
            await self._outages.patiently(Doing.STORING, self._write_once, (), (), position)

    async def _write_once(self, rows: Sequence[Indexed], revisions: Sequence[Revision], position: int) -> None:
        async with transaction(self._sessions) as session:
            lacks_vectors = await self._write_in(session, rows, revisions, position)
        self.position = position
        self._on_stored([row.message for row in rows])
        if lacks_vectors:
            self._on_missing()

    async def _write_in(
        self, session: AsyncSession, rows: Sequence[Indexed], revisions: Sequence[Revision], position: int
    ) -> bool:
        """Write rows with all that belongs to them, in one transaction; return whether vectors shall follow."""
        await store.write(session, batch=rows, revisions=revisions, journal=self._session_name, position=position)
        lacks_vectors = any(row.search_text and row.embedding_model is None for row in rows)
        if lacks_vectors:
            await reembed.note_missing(session, position, of=self._session_name)
        return lacks_vectors

    async def _probe(self, like: Indexed | None) -> None:
        """Write, edit and delete a message like any other, and take that back."""
        now = datetime.now(UTC)
        message = Message(
            message_id=_ANY_ID,
            sent_at=now,
            session=self._session_name,
            channel_id=_ANY_ID,
            channel_name="any",
            author_name="anybody",
            content="A message like any other.",
        )
        row = _indexed_like(message, like)
        edited = replace(message, content="An edited one.", edited_at=now, deleted_at=now)
        revision = Revision(_ANY_ID, now, message.content)
        async with transaction(self._sessions) as session:
            await self._write_in(session, [row], (), self.position)
            await self._write_in(session, [replace(row, message=edited)], [revision], self.position)
            # pg_textsearch leaves a server process that takes an insert back deaf: no time-out and no end reaches it.
            await session.invalidate()


def _indexed_like(message: Message, like: Indexed | None) -> Indexed:
    """Return a row of a message, with a vector where the other has one."""
    if like is None or like.embedding is None:
        return Indexed(message, message.content, None, None if like is None else like.embedding_model)
    width = like.embedding.size
    vector = np.full(width, width**-0.5, dtype=np.float32)
    return Indexed(message, message.content, vector, like.embedding_model)


def _fault_of(error: Exception) -> Fault:
    reason = first_line(error)
    if isinstance(error, StatementFailedError):
        no_end = error.sqlstate in NO_SPACE_OR_CONNECTION
        return Fault(error.sqlstate, reason, is_outage=no_end, has_no_end=no_end)
    name = type(error).__name__
    if isinstance(error, DatabaseUnavailableError):
        return Fault(name, reason, is_outage=True)
    return Fault(name, reason if isinstance(error, BackscrollError) else f"{name}: {reason}", is_certain=True)


def _of(revisions: Sequence[Revision], rows: Sequence[Indexed]) -> tuple[Revision, ...]:
    ids = {row.message.message_id for row in rows}
    return tuple(revision for revision in revisions if revision.message_id in ids)
