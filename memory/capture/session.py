"""Begin or resume a program session in short-term memory, and bring its rows and the session's CSV to agree.

Several processes may share a short-term memory, each with shards of its own: nobody touches the rows of another's
session.

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

from sqlalchemy import ColumnElement, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import Sessions, transaction
from db.locks import wait_for_turn
from db.migrate import LONG_STATEMENT_TIMEOUT
from db.schema import MessageRow, RevisionRow
from db.shards import ShardRange
from errors import JournalUnavailableError, SessionError
from memory.capture.erased import Erased
from memory.capture.journal import Journal
from memory.capture.members import Member, forget_member, in_use, note_member, read_members, running_members
from memory.index import store
from memory.index.reembed import forget_missing
from memory.message import EARLIEST, Message, MessageKey, Revision, SaidAt, said_at_of
from storage.files import partial_path, replace_by

logger = logging.getLogger(__name__)

NAMELESS = "recovered.csv"
"""The CSV that takes the rows of a memory that does not say which session it holds."""

_TURN = "backscroll.session"  # of processes that begin at the same time
_TAIL = 1000  # records at the end of a CSV, among which one that is stored is looked for
_AT_ONCE = 500  # rows that are read and written back together


async def begin_session(
    database: Database,
    *,
    session_name: str,
    journal_path: Path,
    erased: Erased | None = None,
    shards: ShardRange | None = None,
) -> None:
    """Let short-term memory hold this session: go on with it, or begin anew when the old one is safe.

    `shards` are those of this process; what others with other shards have stored stays as it is. Whoever ran some of
    these shards before gives way, as this process's own former session does.

    Rows that a session's CSV lacks, as it does after a power cut, are written back into it first, but for those that
    are `erased`. Raises SessionError, and empties nothing, when that cannot be done, and SessionInUseError when a
    process that runs some of these shards has not ended.
    """
    erased = erased or Erased()
    member = Member(shards=shards, session=session_name, journal=_known_to_others(journal_path, shards))
    async with transaction(database.sessions) as session:
        await session.execute(LONG_STATEMENT_TIMEOUT)  # whoever has the turn may have much to write back
        await wait_for_turn(session, _TURN)
        share = await _share_of(session, member)
        await _empty_share(session, share, nameless=journal_path.with_name(NAMELESS), erased=erased)
        for former in share.former:
            await forget_member(session, former)
        await note_member(session, member if not share.goes_on else replace(member, journal=share.goes_on.journal))
    if share.goes_on:
        rows = true() if share.is_alone else _rows_of(member)
        await _resume(database, member, journal_path, rows, erased)
    else:
        before = ", ".join(former.session for former in share.former) or None
        logger.info("short-term memory now holds session %s (before: %s)", session_name, before)


def _known_to_others(path: Path, shards: ShardRange | None) -> Path:
    """Return a path as processes that run in another folder read it too, where there may be any."""
    return path if shards is None else path.absolute()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """What a process finds in a short-term memory that it begins with."""

    former: Sequence[Member]
    """Who gives way, this process as it was before among them."""
    goes_on: Member | None
    """Whose session goes on, if any does."""
    is_alone: bool
    """Whether nobody else has rows here."""


async def _share_of(session: AsyncSession, member: Member) -> _Share:
    """Return what is there of a process; raise SessionError or SessionInUseError when another one is in its way."""
    known = await read_members(session)
    former = [other for other in known if other.shards == member.shards or _overlap(other, member)]
    others = [other for other in known if other not in former]
    for other in others:
        if other.session == member.session:
            raise SessionError(
                f"The process that runs {other.label} has a session {member.session!r} in this short-term memory "
                "already: choose another name with --session."
            )
    for other in await running_members(session, [other for other in former if other.shards != member.shards]):
        raise in_use(other.shards)
    goes_on = next((other for other in former if other.session == member.session), None)
    return _Share(former=former, goes_on=goes_on, is_alone=not others)


def _overlap(one: Member, other: Member) -> bool:
    return one.shards is None or one.shards.overlaps(other.shards)


async def _empty_share(session: AsyncSession, share: _Share, *, nameless: Path, erased: Erased) -> None:
    """Delete the rows of those who give way, once their CSVs hold them; what goes on stays."""
    leaving = [former for former in share.former if former is not share.goes_on]
    for former in leaving:
        await forget_missing(session, of=former.session)
    if share.is_alone and not share.goes_on:
        await complete_held_csvs(session, nameless=nameless, erased=erased)
        await store.empty(session)
        return
    for former in leaving:
        await _complete_csv_of(session, former, nameless, _rows_of(former), erased)
        await store.delete_session(session, former.session)


async def complete_held_csvs(session: AsyncSession, *, nameless: Path, erased: Erased) -> None:
    """Write what the CSVs of the sessions in short-term memory lack of its rows back into them, but what is `erased`.

    Rows of no session that it knows go with those of the first, or to the CSV `nameless` when it knows none. Raises
    SessionError when the rows cannot be written.
    """
    members = await read_members(session)
    first, others = (members[0], members[1:]) if members else (None, [])
    rest = MessageRow.session.not_in([member.session for member in others]) if others else true()
    await _complete_csv_of(session, first, nameless, rest, erased)
    for member in others:
        await _complete_csv_of(session, member, nameless, _rows_of(member), erased)


async def _complete_csv_of(
    session: AsyncSession, member: Member | None, nameless: Path, rows: ColumnElement[bool], erased: Erased
) -> None:
    path = nameless if member is None or member.journal is None else member.journal
    with _errors_name_the_csv(None if member is None else member.session, path):
        _log_written_back(await write_back(session, path, rows=rows, erased=erased), path)


def _rows_of(member: Member) -> ColumnElement[bool]:
    return MessageRow.session == member.session


async def _resume(database: Database, member: Member, path: Path, rows: ColumnElement[bool], erased: Erased) -> None:
    """Bring the CSV to hold what the memory holds of the same session, wherever it lies now."""
    with _errors_name_the_csv(member.session, path):
        count = await complete_csv(database.sessions, path, session_name=member.session, rows=rows, erased=erased)
    _log_written_back(count, path)
    async with transaction(database.sessions) as session:
        await note_member(session, member)


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
        stored = await _states(session, _keyed([message.key for message, _ in tail]))
        known = max((behind for message, behind in tail if _is_stored(message, stored)), default=0)
        position = known if tail or position <= end else end  # a CSV without messages has none to read
        await store.write(session, batch=(), revisions=(), journal=session_name, position=position)
    return position


async def complete_csv(
    sessions: Sessions, path: Path, *, session_name: str, rows: ColumnElement[bool], erased: Erased
) -> int:
    """Give the CSV of a session that goes on what it lacks of its `rows`; return of how many messages.

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
        count = await write_back(session, path, rows=rows, erased=erased)
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


def _keyed(keys: Sequence[MessageKey]) -> ColumnElement[bool]:
    return tuple_(MessageRow.message_id, MessageRow.sent_at).in_(list(keys))


async def _states(session: AsyncSession, wanted: ColumnElement[bool]) -> dict[MessageKey, _State]:
    """Return the states of rows, by key."""
    rows = await session.stream(select(*_STATE).where(wanted))
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


async def write_back(session: AsyncSession, path: Path, *, rows: ColumnElement[bool], erased: Erased) -> int:
    """Append to a CSV what it lacks of `rows` of a memory, former texts included; return of how many messages.

    What is `erased` is left out: an erasure that was stopped half-way has taken it out of the CSV, and not yet out of
    the memory.

    A CSV that is gone is written anew. All is on the disk when it returns. Raises SessionError when the CSV cannot be
    read or written.
    """
    await session.execute(LONG_STATEMENT_TIMEOUT)
    lacking = _Lacking(await _states(session, rows), await _former_texts(session, rows))
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


async def _former_texts(session: AsyncSession, wanted: ColumnElement[bool]) -> list[Revision]:
    """Return the texts of rows that edits have replaced, in time order, each text as its digest."""
    of_rows = RevisionRow.message_id.in_(select(MessageRow.message_id).where(wanted))
    rows = await session.stream(
        select(RevisionRow.message_id, RevisionRow.revised_at, RevisionRow.content).where(of_rows)
    )
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
        select(*store.MESSAGE_COLUMNS).where(_keyed(keys)).order_by(MessageRow.sent_at, MessageRow.message_id)
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
