"""Remember, beyond what fits into memory, which messages a run has brought already, and in which state."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from errors import SessionError
from memory.message import EARLIEST, Kind, Message, MessageKey, said_at_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CREATE = """
    CREATE TABLE seen (message_id INTEGER, sent_at INTEGER, edited_at INTEGER, completed_at INTEGER,
    reactions_at INTEGER, is_deleted INTEGER, is_answer INTEGER, is_public INTEGER,
    PRIMARY KEY (message_id, sent_at)) WITHOUT ROWID
"""
_NOTE = "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_LOOK_UP = """
    SELECT edited_at, completed_at, reactions_at, is_deleted, is_answer, is_public FROM seen
    WHERE message_id = ? AND sent_at = ?
"""


_CREATE_SAID = """
    CREATE TABLE said (place INTEGER, sent_at INTEGER, message_id INTEGER, file TEXT, author_id INTEGER,
    author_name TEXT, content TEXT)
"""
_INDEX_SAID = "CREATE INDEX said_where ON said (place, sent_at)"
_NOTE_SAID = "INSERT INTO said VALUES (?, ?, ?, ?, ?, ?, ?)"
_LOOK_UP_SAID = """
    SELECT message_id, sent_at, author_id, author_name, content FROM said
    WHERE place = ? AND sent_at >= ? AND sent_at < ? AND file <> ? LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """What tells whether two messages are one."""

    message_id: int
    sent_at: datetime
    author_id: int | None
    author_name: str
    content: str


@dataclass(frozen=True, slots=True)
class SeenState:
    """What decides whether another state of a message changes it."""

    edited_at: datetime | None = None
    completed_at: datetime | None = None
    reactions_at: datetime | None = None
    is_deleted: bool = False
    is_answer: bool = False
    is_public: bool = False
    """Whether it is known to stand in a public thread."""

    def is_changed_by(self, message: Message) -> bool:
        """Return whether another state changes the message; `memory.index.store.changed_by` is the same rule in SQL."""
        newly_deleted = message.deleted_at is not None and not self.is_deleted
        newly_answer = message.kind is Kind.ANSWER and not self.is_answer
        newly_public = message.in_public_thread and not self.is_public
        is_changed = self.is_replaced_by(message) or self._is_counted_before(message)
        return is_changed or newly_deleted or newly_answer or newly_public

    def is_replaced_by(self, message: Message) -> bool:
        """Return whether another state says what the message says after a later edit or completion."""
        return message.said_at > said_at_of(self.edited_at, self.completed_at)

    def after(self, message: Message) -> "SeenState":
        """Return the state that another one of the message leads to."""
        said = message if self.is_replaced_by(message) else self
        counted = message if self._is_counted_before(message) else self
        return SeenState(
            edited_at=said.edited_at,
            completed_at=said.completed_at,
            reactions_at=counted.reactions_at,
            is_deleted=self.is_deleted or message.deleted_at is not None,
            is_answer=self.is_answer or message.kind is Kind.ANSWER,
            is_public=self.is_public or message.in_public_thread,
        )

    def _is_counted_before(self, message: Message) -> bool:
        return (message.reactions_at or EARLIEST) > (self.reactions_at or EARLIEST)


INITIAL_STATE = SeenState()
"""What goes before the first state of a message."""


class SeenMessages:
    """What a run has brought: some 30 bytes a message, in a file of the system's folder for such."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._last_sent: datetime | None = None

    def state_of(self, message: Message) -> SeenState | None:
        """Return the state of a message, None when it was not brought yet."""
        if self._last_sent is None or message.sent_at > self._last_sent:
            return None
        found = self._connection.execute(_LOOK_UP, (message.message_id, _number(message.sent_at))).fetchone()
        if found is None:
            return None
        edited_at, completed_at, reactions_at = map(_time, found[:3])
        return SeenState(edited_at, completed_at, reactions_at, *map(bool, found[3:]))

    def note(self, states: Iterable[tuple[MessageKey, SeenState]]) -> None:
        """Remember messages; raise SessionError when there is no room for that."""
        listed = list(states)
        with _translate_sqlite_errors():
            self._connection.executemany(_NOTE, (_row(key, state) for key, state in listed))
        times = [sent_at for (_, sent_at), _ in listed]
        self._last_sent = max([*times, *([self._last_sent] if self._last_sent else [])], default=None)

    def note_said(self, file: str, messages: Iterable[Message]) -> None:
        """Remember what messages of a file say; raise SessionError when there is no room for that."""
        rows = ((message.place_id, _number(message.sent_at), *_version(message, file)) for message in messages)
        with _translate_sqlite_errors():
            self._connection.executemany(_NOTE_SAID, rows)

    def said(self, place_id: int, first: datetime, beyond: datetime, *, but: str) -> list[SeenVersion]:
        """Return what was said in a place from a time on and before another one, in all files but one."""
        rows = self._connection.execute(_LOOK_UP_SAID, (place_id, _number(first), _number(beyond), but))
        return [SeenVersion(row[0], _EPOCH + row[1] * _MICROSECOND, *row[2:]) for row in rows]


@contextmanager
def _translate_sqlite_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise SessionError(
            f"The folder for temporary files cannot be used ({error}): free some space, or set TMPDIR to another."
        ) from error


@contextmanager
def open_seen() -> Iterator[SeenMessages]:
    """Yield a memory that is gone on exit, and with the process."""
    with closing(sqlite3.connect("", isolation_level=None)) as connection:  # a file of its own that has no name
        for statement in (
            "PRAGMA journal_mode = OFF",
            _CREATE,
            _CREATE_SAID,
            _INDEX_SAID,
            "BEGIN",
        ):  # never committed: it need not last
            connection.execute(statement)
        yield SeenMessages(connection)


def _row(key: MessageKey, state: SeenState) -> tuple[int | None, ...]:
    message_id, sent_at = key
    times = (state.edited_at, state.completed_at, state.reactions_at)
    numbers = [None if time is None else _number(time) for time in times]
    return message_id, _number(sent_at), *numbers, state.is_deleted, state.is_answer, state.is_public


def _version(message: Message, file: str) -> tuple[int, str, int | None, str, str]:
    return message.message_id, file, message.author_id, message.author_name, message.content


def _number(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _time(number: int | None) -> datetime | None:
    return None if number is None else _EPOCH + number * _MICROSECOND
