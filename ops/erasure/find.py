"""Find in a database what somebody has said, and where the bot repeats it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, NamedTuple

from psycopg import sql

from db.table_copy import Connection
from ops.erasure.files import Answers
from ops.erasure.fingerprint import Fingerprint, FingerprintBuilder
from ops.erasure.ledger import NotedPost
from ops.erasure.subject import Subject

Tables = Mapping[str, Mapping[str, str]]
"""What `db.checksums.tables_of` tells: which tables a database has."""

Params = Sequence[object] | Mapping[str, object]
_AT_ONCE = 1000  # rows

_COVERED = sql.SQL("""
    message_id = ANY (%(messages)s::bigint[]) OR EXISTS (
        SELECT FROM unnest(%(people)s::bigint[], %(people_until)s::timestamptz[]) AS person (person_id, until)
        WHERE author_id = person_id AND messages.sent_at <= until
    ) OR EXISTS (
        SELECT FROM unnest(%(channels)s::bigint[], %(channels_until)s::timestamptz[]) AS channel (place_id, until)
        WHERE place_id IN (channel_id, thread_id) AND messages.sent_at <= until
    )
""")
_SAID: dict[str, sql.Composed] = {
    "messages": sql.SQL("SELECT message_id, author_name, content, attachments FROM messages WHERE {}").format(_COVERED),
    "message_revisions": sql.SQL("""
        SELECT message_id, author_name, former.content, '[]'::jsonb
        FROM messages JOIN message_revisions AS former USING (message_id) WHERE {}
    """).format(_COVERED),
    "replaced_messages": sql.SQL("""
        SELECT message_id, author_name, former.content, former.attachments
        FROM messages JOIN replaced_messages AS former USING (message_id, sent_at) WHERE {}
    """).format(_COVERED),
}
_FORWARDS: LiteralString = (
    "SELECT message_id, forwarded_from, author_name FROM messages WHERE forwarded_from IS NOT NULL"
)
_ANSWERED: dict[str, LiteralString] = {
    "messages": "SELECT message_id, reply_to, content FROM messages WHERE kind = 'answer'",
    "message_revisions": """
        SELECT message_id, reply_to, former.content
        FROM messages JOIN message_revisions AS former USING (message_id) WHERE kind = 'answer'
    """,
    "replaced_messages": """
        SELECT message_id, reply_to, former.content
        FROM messages JOIN replaced_messages AS former USING (message_id, sent_at) WHERE kind = 'answer'
    """,
}
_POSTS: LiteralString = """
    SELECT message_id, coalesce(thread_id, channel_id), guild_id, author_id FROM messages
    WHERE kind = 'answer' AND deleted_at IS NULL AND (message_id = ANY (%s::bigint[]) OR reply_to = ANY (%s::bigint[]))
"""
_TURNS: LiteralString = "SELECT asker_id, channel_id, private, question, answer, cites FROM conversation_turns"

_REMINDERS: LiteralString = "SELECT reminder_id, text FROM reminders"
_QUESTIONS: LiteralString = "SELECT question_id, text, answer, cites || about FROM answers"


class Conversation(NamedTuple):
    """Whose conversation it is, where, and whether its answers were for that person alone."""

    asker_id: int
    channel_id: int
    private: bool


async def collect_rows(connection: Connection, tables: Tables, subject: Subject, said: FingerprintBuilder) -> None:
    """Take in all states of what is to be erased, and which messages are copies of any other."""

    def take(rows: Sequence[tuple[Any, ...]]) -> None:
        for message_id, author_name, content, files in rows:
            said.add_message(message_id, author_name, [content, *(file["name"] for file in files)])

    for table in tables.keys() & _SAID.keys():
        async for rows in _batches(connection, _SAID[table], subject.values):
            await asyncio.to_thread(take, rows)
    if knows_forwards(tables):
        async for message_id, forwarded_from, author_name in _streamed(connection, _FORWARDS):
            said.add_forward(message_id, forwarded_from, author_name)


def knows_forwards(tables: Tables) -> bool:
    """Return whether a database, which may be an older one, tells of forwards what they are copies of."""
    return "forwarded_from" in tables.get("messages", {})


@dataclass(slots=True)
class Repetitions:
    """The answers of the bot that repeat somebody, as they are found.

    With an answer go all others to the same command: a long one is sent, and kept, in several messages, of which only
    the last may tell whose words the first ones are. What answers the person's own commands goes in any case.
    """

    said: Fingerprint
    message_ids: set[int] = field(default_factory=set)
    replies_to: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.replies_to = set(self.said.message_ids)

    def look_at(self, message_id: int, reply_to: int | None, content: str) -> None:
        """Find out about one answer."""
        if reply_to in self.replies_to or message_id in self.message_ids or not self.said.repeated_in(content):
            return
        if reply_to is None:
            self.message_ids.add(message_id)
        else:
            self.replies_to.add(reply_to)

    async def look_into(self, connection: Connection, tables: Tables) -> None:
        """Find out about all states of all answers that a database holds."""
        for table in tables.keys() & _ANSWERED.keys():
            async for rows in _batches(connection, _ANSWERED[table]):
                await asyncio.to_thread(self._look_at_all, rows)

    def _look_at_all(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for message_id, reply_to, content in rows:
            self.look_at(message_id, reply_to, content)

    @property
    def answers(self) -> Answers:
        """What has been found."""
        return Answers(message_ids=self.message_ids, replies_to=self.replies_to)


async def find_posts(connection: Connection, tables: Tables, answers: Answers) -> list[NotedPost]:
    """Return where in Discord answers were posted, as far as a database knows."""
    if "messages" not in tables:
        return []
    lists = [list(answers.message_ids), list(answers.replies_to)]
    return [
        NotedPost(message_id=message_id, channel_id=channel_id, guild_id=guild_id, author_id=author_id)
        async for message_id, channel_id, guild_id, author_id in _streamed(connection, _POSTS, lists)
    ]


async def find_conversations(connection: Connection, tables: Tables, said: Fingerprint) -> set[Conversation]:
    """Return the conversations with a turn that cites or repeats somebody."""
    found: set[Conversation] = set()

    def look_at(rows: Sequence[tuple[Any, ...]]) -> None:
        for asker_id, channel_id, private, question, answer, cites in rows:
            conversation = Conversation(asker_id, channel_id, private)
            if conversation in found:
                continue
            if not said.message_ids.isdisjoint(cites) or any(map(said.repeated_in, (question, answer))):
                found.add(conversation)

    if "conversation_turns" in tables:
        async for rows in _batches(connection, _TURNS):
            await asyncio.to_thread(look_at, rows)
    return found


async def find_questions(connection: Connection, tables: Tables, said: Fingerprint) -> set[int]:
    """Return the ids of the questions to the bot that cite or repeat somebody, or whose answers do."""
    found: set[int] = set()

    def look_at(rows: Sequence[tuple[Any, ...]]) -> None:
        for question_id, text, answer, cites in rows:
            words = [text] if answer is None else [text, *_texts_in(answer)]
            if not said.message_ids.isdisjoint(cites) or any(map(said.repeated_in, words)):
                found.add(question_id)

    if "answers" in tables:
        async for rows in _batches(connection, _QUESTIONS):
            await asyncio.to_thread(look_at, rows)
    return found


async def find_reminders(connection: Connection, tables: Tables, said: Fingerprint) -> set[int]:
    """Return the ids of the reminders whose words repeat somebody."""
    if "reminders" not in tables:
        return set()
    return {reminder_id async for reminder_id, text in _streamed(connection, _REMINDERS) if said.repeated_in(text)}


def _texts_in(value: object) -> Iterator[str]:
    """Yield all texts of a JSON value, whatever version of the program has written it."""
    rest = [value]
    while rest:
        match rest.pop():
            case str(text):
                yield text
            case dict(fields):
                rest += fields.values()
            case list(items):
                rest += items


async def _streamed(
    connection: Connection, query: LiteralString | sql.Composed, params: Params = ()
) -> AsyncGenerator[tuple[Any, ...]]:
    """Yield the rows of a query, some of which are fetched at a time."""
    async for rows in _batches(connection, query, params):
        for row in rows:
            yield row


async def _batches(
    connection: Connection, query: LiteralString | sql.Composed, params: Params = ()
) -> AsyncGenerator[list[tuple[Any, ...]]]:
    """Yield the rows of a query, some at a time, for a thread to compare them while the bot may be running."""
    async with connection.transaction(), connection.cursor(name="gathering") as cursor:
        await cursor.execute(query, params)
        while rows := await cursor.fetchmany(_AT_ONCE):
            yield rows
