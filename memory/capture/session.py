"""Begin or resume a program session in short-term memory, and bring its rows and the session's CSV to agree.

A power cut, or a CSV that comes from a backup, leaves a memory that holds more than the CSV. Its rows have all that a
line of the CSV has, so the lines are written again before anything is deleted.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import Sessions, transaction
from db.metadata import get_metadata, set_metadata
from db.migrate import LONG_STATEMENT_TIMEOUT
from db.schema import MessageRow, RevisionRow
from errors import JournalUnavailableError, SessionError
from memory.capture.erased import Erased
from memory.capture.journal import Journal
from memory.index import store
from memory.message import EARLIEST, Message, MessageKey, Revision, SaidAt, said_at_of
from storage.files import partial_path, replace_by

logger = logging.getLogger(__name__)

SESSION_FACT = "session"
JOURNAL_FACT = "journal"

NAMELESS = "recovered.csv"
"""The CSV that takes the rows of a memory that does not say which session it holds."""

_TAIL = 1000  # records at the end of a CSV, among which one that is stored is looked for
_AT_ONCE = 500  # rows that are read and written back together


async def begin_session(
    database: Database, *, session_name: str, journal_path: Path, erased: Erased | None = None
) -> None:
    """Let short-term memory hold this session: go on with it, or begin anew when the old one is safe.

    Rows that a session's CSV lacks, as it does after a power cut, are written back into it first, but for those that
    are `erased`. Raises SessionError, and empties nothing, when that cannot be done.
    """
    erased = erased or Erased()
    async with transaction(database.sessions) as session:
        former = await get_metadata(session, SESSION_FACT)
    if former == session_name:
        await _resume(database, session_name, journal_path, erased)
        return
    async with transaction(database.sessions) as session:
        await complete_held_csv(session, nameless=journal_path.with_name(NAMELESS), erased=erased)
        await store.empty(session)
        await set_metadata(session, SESSION_FACT, session_name)
        await set_metadata(session, JOURNAL_FACT, str(journal_path))
    logger.info("short-term memory now holds session %s (before: %s)", session_name, former)


async def complete_held_csv(session: AsyncSession, *, nameless: Path, erased: Erased) -> None:
    """Write what the CSV of the session in short-term memory lacks of its rows back into it, but what is `erased`.

    A memory that does not say which session it holds gets the CSV `nameless`. Raises SessionError when the rows cannot
    be written.
    """
    held = await get_metadata(session, SESSION_FACT)
    journal = await get_metadata(session, JOURNAL_FACT)
    path = nameless if journal is None else Path(journal)
    with _errors_name_the_csv(held, path):
        _log_written_back(await write_back(session, path, erased=erased), path)


async def _resume(database: Database, session_name: str, journal_path: Path, erased: Erased) -> None:
    """Bring the CSV to hold what the memory holds of the same session, wherever it lies now."""
    with _errors_name_the_csv(session_name, journal_path):
        count = await complete_csv(database.sessions, journal_path, session_name=session_name, erased=erased)
    _log_written_back(count, journal_path)
    async with transaction(database.sessions) as session:
        await set_metadata(session, JOURNAL_FACT, str(journal_path))


def _log_written_back(count: int, path: Path) -> None:
    if count:
        logger.warning("%d messages that %s lacked were written back into it from short-term memory", count, path)


@contextmanager
def _errors_name_the_csv(held: str | None, path: Path) -> Iterator[None]:
    try:
        yield
    except SessionError as error:
        raise SessionError(
            f"Short-term memory holds messages of session {held!r} that its CSV ({path}) lacks, and that cannot be "
            f"written back into it ({str(error).rstrip('.')}): make its folder, let this account write there, "
            "free some disk space, or put the CSV back."
        ) from error


async def trusted_position(sessions: Sessions, journal: Journal, *, session_name: str, end: int) -> int:
    """Return how far a journal of `end` bytes is stored, in bytes, and have the database say so.

    A position that is none of this journal gives way to the one behind the newest record that is stored, or to 0 where
    none of the last thousand is: then it is another file.
    """
    async with transaction(sessions) as session:
        position = await store.position(session, journal=session_name)
    in_thread = journal.in_thread if journal.is_open else asyncio.to_thread
    if await in_thread(_is_boundary, journal.path, position, end):
        return position
    tail = await in_thread(_tail, journal, end) if position > end > 0 else []
    async with transaction(sessions) as session:
        stored = await _states(session, [message for message, _ in tail])
        known = max((behind for message, behind in tail if _is_stored(message, stored)), default=0)
        position = known if tail or position <= end else end  # a CSV without messages has none to read
        await store.write(session, batch=(), revisions=(), journal=session_name, position=position)
    return position


async def complete_csv(sessions: Sessions, path: Path, *, session_name: str, erased: Erased) -> int:
    """Give the CSV of a session that goes on what it lacks of the rows; return of how many messages.

    Only a CSV that does not reach to the stored position is looked at. Raises as `write_back` does.
    """
    async with transaction(sessions) as session:
        position = await store.position(session, journal=session_name)
    with _file_errors(path):
        if await asyncio.to_thread(_is_boundary, path, position, _size(path)):
            return 0
        end = await asyncio.to_thread(_repaired, path)
    position = await trusted_position(sessions, Journal(path), session_name=session_name, end=end)
    async with transaction(sessions) as session:
        count = await write_back(session, path, erased=erased)
        if count and position == end:  # all that was appended is stored
            end = _size(path)
            await store.write(session, batch=(), revisions=(), journal=session_name, position=end)
    return count


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _repaired(path: Path) -> int:
    """Cut off what a crash left unfinished at the end of a CSV; return its size then, 0 where there is none."""
    if not path.is_file():
        return 0
    with closing(Journal(path)) as journal:
        journal.open()
        return journal.end


def _is_boundary(path: Path, position: int, end: int) -> bool:
    """Return whether a record, or nothing, ends at a position of a CSV."""
    if not position:
        return True
    if position > end:
        return False
    with path.open("rb") as file:
        file.seek(position - 1)
        return file.read(1) == b"\n"


def _tail(journal: Journal, end: int) -> list[tuple[Message, int]]:
    """Return the last messages before a position, each with the position behind it."""
    starts = deque([0], maxlen=2)
    while starts[-1] < (read := journal.read(starts[-1], _TAIL)).position < end:
        starts.append(read.position)
    position = starts[0]
    tail: list[tuple[Message, int]] = []
    while position < end and (read := journal.read(position, 1)).position != position:
        position = read.position
        tail += [(message, position) for message in read.messages]
    return tail


@dataclass(frozen=True, slots=True)
class _State:
    """What has to be known of a row to tell whether a CSV says as much."""

    edited_at: datetime | None
    completed_at: datetime | None
    reactions_at: datetime | None
    is_deleted: bool
    has_text: bool

    @property
    def is_as_sent(self) -> bool:
        """Whether it is the state that nearly all messages stay in."""
        return self.edited_at is self.completed_at is self.reactions_at is None

    @property
    def said_at(self) -> SaidAt:
        """Since when it says this."""
        return said_at_of(self.edited_at, self.completed_at)


_STATE = (
    MessageRow.message_id,
    MessageRow.sent_at,
    MessageRow.edited_at,
    MessageRow.completed_at,
    MessageRow.reactions_at,
    MessageRow.deleted_at.is_not(None).label("is_deleted"),
    or_(MessageRow.content != "", MessageRow.attachments != []).label("has_text"),
)


async def _states(session: AsyncSession, messages: Sequence[Message] | None = None) -> dict[MessageKey, _State]:
    """Return the state of every row, or of those of some messages, by key."""
    query = select(*_STATE)
    if messages is not None:
        keys = [message.key for message in messages]
        query = query.where(tuple_(MessageRow.message_id, MessageRow.sent_at).in_(keys))
    rows = await session.stream(query)
    shared: dict[_State, _State] = {}  # nearly all are equal
    states: dict[MessageKey, _State] = {}
    async for row in rows:
        state = _State(row.edited_at, row.completed_at, row.reactions_at, row.is_deleted, row.has_text)
        states[row.message_id, row.sent_at] = shared.setdefault(state, state) if state.is_as_sent else state
    return states


def _is_stored(message: Message, stored: dict[MessageKey, _State]) -> bool:
    """Return whether the rows know what a record says."""
    row = stored.get(message.key)
    if row is None or (message.deleted_at and not row.is_deleted):
        return False
    is_counted = message.reactions_at is None or (row.reactions_at or EARLIEST) >= message.reactions_at
    return is_counted and row.said_at >= message.said_at


async def write_back(session: AsyncSession, path: Path, *, erased: Erased) -> int:
    """Append to a CSV what it lacks of the rows of a memory, former texts included; return of how many messages.

    What is `erased` is left out: an erasure that was stopped half-way has taken it out of the CSV, and not yet out of
    the memory.

    A CSV that is gone is written anew. All is on the disk when it returns. Raises SessionError when the CSV cannot be
    read or written.
    """
    await session.execute(LONG_STATEMENT_TIMEOUT)
    lacking = _Lacking(await _states(session), await _former_texts(session))
    with _file_errors(path):
        if lacking.states:
            await asyncio.to_thread(lacking.strike_out, path)
        keys = lacking.keys()
        return await _append(session, path, keys, erased) if keys else 0


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SessionError(f"{path} cannot be read or written: {error.strerror}") from error
    except JournalUnavailableError as error:
        raise SessionError(str(error)) from error


async def _former_texts(session: AsyncSession) -> list[Revision]:
    """Return the texts that edits have replaced, in time order, each text as its digest."""
    rows = await session.stream(select(RevisionRow.message_id, RevisionRow.revised_at, RevisionRow.content))
    return [Revision(row.message_id, row.revised_at, _digest(row.content)) async for row in rows]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class _Lacking:
    """What rows have that no record of a CSV has said yet."""

    def __init__(self, states: dict[MessageKey, _State], revisions: Sequence[Revision]) -> None:
        self.states = states
        self._texts = set(states)
        self._deletions = {key for key, state in states.items() if state.is_deleted}
        self._counts = {key for key, state in states.items() if state.reactions_at is not None}
        self._edits = {(revision.message_id, revision.revised_at) for revision in revisions}
        self._former = {(revision.message_id, revision.content) for revision in revisions}
        self._revised = frozenset(revision.message_id for revision in revisions)

    def strike_out(self, path: Path) -> None:
        """Strike out all that the records of a CSV say."""
        if path.is_file():
            for batch in Journal(path).read_all():
                for message in batch.messages:
                    self._strike_out(message)

    def _strike_out(self, message: Message) -> None:
        key = message.key
        state = self.states.get(key)
        if state is None:
            return
        says_nothing = message.deleted_at is not None and not message.content and not message.attachments
        if not state.has_text or (state.said_at == message.said_at and not says_nothing):
            self._texts.discard(key)
        if state.reactions_at == message.reactions_at:
            self._counts.discard(key)
        if message.deleted_at is not None:
            self._deletions.discard(key)
        if message.message_id in self._revised:
            self._former.discard((message.message_id, _digest(message.content)))
            if message.edited_at is not None:
                self._edits.discard((message.message_id, message.edited_at))

    def keys(self) -> list[MessageKey]:
        """Return the keys of the rows of which something is left, in time order."""
        revised = {message_id for message_id, _ in self._edits | self._former}
        left = self._texts | self._deletions | self._counts
        if revised:
            left |= {key for key in self.states if key[0] in revised}
        return sorted(left, key=lambda key: (key[1], key[0]))


async def _append(session: AsyncSession, path: Path, keys: Sequence[MessageKey], erased: Erased) -> int:
    """Append the states of rows to a CSV; a new one takes its name once it is whole. Return of how many messages."""
    written: set[MessageKey] = set()
    target = await asyncio.to_thread(_place_to_write, path)
    with closing(Journal(target)) as journal:
        await asyncio.to_thread(journal.open)
        for start in range(0, len(keys), _AT_ONCE):
            listed = await _all_states(session, keys[start : start + _AT_ONCE])
            states = [state for state in listed if not erased.keep_out(state)]
            written.update(state.key for state in states)
            await asyncio.to_thread(journal.record, states)
        await asyncio.to_thread(journal.sync)
    if target != path:
        await asyncio.to_thread(replace_by, target, path)
    return len(written)


def _place_to_write(path: Path) -> Path:
    """Return the CSV itself, or where a new one is written that is to take its name once it is whole."""
    if path.is_file():
        return path
    partial = partial_path(path)
    partial.unlink(missing_ok=True)
    return partial


async def _all_states(session: AsyncSession, keys: Sequence[MessageKey]) -> list[Message]:
    """Return the states that rows have gone through, as far as they tell."""
    rows = await session.execute(
        select(*store.MESSAGE_COLUMNS)
        .where(tuple_(MessageRow.message_id, MessageRow.sent_at).in_(list(keys)))
        .order_by(MessageRow.sent_at, MessageRow.message_id)
    )
    messages = [store.to_message(row) for row in rows.mappings()]
    found = await session.execute(
        select(RevisionRow.message_id, RevisionRow.revised_at, RevisionRow.content)
        .where(store.one_of(RevisionRow.__table__.c.message_id, {message.message_id for message in messages}))
        .order_by(RevisionRow.message_id, RevisionRow.revised_at)
    )
    revisions: dict[int, list[Revision]] = {}
    for row in found:
        revisions.setdefault(row.message_id, []).append(Revision(row.message_id, row.revised_at, row.content))
    return [state for message in messages for state in _states_of(message, revisions.get(message.message_id, ()))]


def _states_of(message: Message, revisions: Sequence[Revision]) -> Iterator[Message]:
    """Yield states that add up to a message with these former texts: each text from the edit on that brought it."""
    edited_at = None
    for revision in revisions:
        yield replace(
            message, content=revision.content, parts=(), edited_at=edited_at, completed_at=None, deleted_at=None
        )
        edited_at = revision.revised_at
    if edited_at != message.edited_at and revisions:  # an edit of the files alone keeps no text
        yield replace(message, edited_at=edited_at, completed_at=None, deleted_at=None)
    yield message
