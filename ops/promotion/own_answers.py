"""Know the bot's own answers in what others have exported, by what memories and sessions hold of them."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import LiteralString

from db.databases import Database
from db.errors import driver_errors
from db.table_copy import Connection, fetch, open_connection, tables_of
from memory.capture.message_csv import message_in, pieces_in, read_header, record_test
from memory.message import Kind, Message
from ops.promotion.sources.files import readable
from storage.sessions import session_folders

_STORED: LiteralString = "SELECT message_id, channel_id, author_id FROM messages WHERE kind = 'answer'"
_MARK_OTHERS: LiteralString = """
    UPDATE messages SET kind = 'answer', search_text = '', embedding = NULL, embedding_model = NULL
    WHERE kind = 'message' AND author_id = ANY (%s::bigint[])
"""
_OF_DISCORD = 10**15  # smaller are ids of the terminal, where anybody may take the bot's name
_ANSWER = f",{Kind.ANSWER.value},".encode()  # stands in the line of each; to parse every line would take far longer


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """The ids of the answers that are known, and of the accounts that gave them in Discord."""

    message_ids: set[int] = field(default_factory=set)
    author_ids: set[int] = field(default_factory=set)

    def add(self, message_id: int, channel_id: int, author_id: int | None) -> None:
        """Take in an answer."""
        self.message_ids.add(message_id)
        if author_id is not None and channel_id >= _OF_DISCORD:
            self.author_ids.add(author_id)

    def mark(self, message: Message) -> Message:
        """Return a message as an answer if it is one of them or if the same account said it; else as it is."""
        if message.kind is Kind.ANSWER:
            self.add(message.message_id, message.channel_id, message.author_id)
        is_own = message.message_id in self.message_ids or message.author_id in self.author_ids
        return replace(message, kind=Kind.ANSWER) if is_own and message.kind is Kind.MESSAGE else message


async def find_own_answers(databases: Iterable[Database], storage_dir: Path, *, timeout: timedelta) -> OwnAnswers:
    """Return the answers that databases and the CSVs of all sessions hold; to connect takes `timeout` at most.

    Raises DatabaseUnavailableError, InputFileError or SessionError when one of them cannot be read.
    """
    own = OwnAnswers()
    for database in databases:
        async with open_connection(database.dsn, timeout=timeout, read_only=True) as connection:
            if "messages" in await tables_of(connection):
                for message_id, channel_id, author_id in await fetch(connection, _STORED):
                    own.add(message_id, channel_id, author_id)
    await asyncio.to_thread(_add_of_sessions, own, storage_dir)
    return own


async def mark_others(connection: Connection, own: OwnAnswers) -> int:
    """Make answers of all that the bot's accounts are known to have said in long-term memory; return how many it is.

    An export may have been brought in before it was known that its author is the bot, and a CSV may have no ids.
    """
    if not own.author_ids:
        return 0
    with driver_errors():
        return (await connection.execute(_MARK_OTHERS, [sorted(own.author_ids)])).rowcount


def _add_of_sessions(own: OwnAnswers, storage_dir: Path) -> None:
    for folder in session_folders(storage_dir):
        for path in sorted(folder.glob("*.csv")):
            for message in _answers_in(path):
                own.add(message.message_id, message.channel_id, message.author_id)


def _answers_in(path: Path) -> Iterator[Message]:
    """Yield the answers in the CSV of a session; other files have none that can be read."""
    with readable(path), path.open("rb") as file:
        for record in pieces_in(file, record_test(read_header(file))):
            message = _message(record.text) if _ANSWER in record.text else None
            if message is not None and message.kind is Kind.ANSWER:
                yield message


def _message(record: bytes) -> Message | None:
    try:
        return message_in(record.decode("utf-8", "replace"))
    except ValueError:
        return None
