"""A memory with something in each of its tables, and what is to be seen of a memory from outside."""

from datetime import timedelta
from typing import Any

import numpy as np
from psycopg import sql
from sqlalchemy import insert, text

from agent.conversations import ConversationKey, Conversations, Turn
from db.databases import Database
from db.engines import transaction
from db.metadata import set_metadata
from db.schema import (
    AnswerRow,
    CatchUpRow,
    CoverageRow,
    DecisionRow,
    DigestRow,
    ErasureRow,
    GuildSettingRow,
    OptOutRow,
    PlaceRow,
    PromotionRow,
    RatingRow,
    ReminderRow,
    ReplacedMessageRow,
    TimeZoneRow,
    TraceRow,
)
from db.table_copy import EVERY_ROW, content_tables, fetch, open_connection, tables_of
from memory.index import store
from memory.index.reembed import MODEL_FACT
from memory.index.store import Indexed
from memory.message import Message, Revision
from tests.builders import FULL, deletion, edit, message, minute

MODEL, WIDTH = "made up", 12
PATIENCE = timedelta(seconds=60)
CONVERSATION = ConversationKey(channel_id=1, asker_id=2, private=True)
TURN = Turn(
    asked_at=minute(3),
    question="hello \N{SNOWMAN}",
    answer='two lines,\n"so to say"',
    cites=(7,),
    audience=frozenset({1, 9}),
)
AT_ONCE = [message(number, f"at once {number}", sent_at=minute(500)) for number in (-3, 20, 21, 22)]
MESSAGES = [
    FULL,
    *(message(number, f"note {number}", author_id=number % 2 + 1) for number in range(8, 14)),
    deletion(14, at=15),
    message(15, 'two lines\r\nwith "quotes", a comma, a \\. and a \t'),
    message(16, ""),
    message(18, "a line that ends a COPY of old:\n\\.\nand one behind it"),
    message(17, "weeks later", sent_at=minute(100_000)),
    *AT_ONCE,
]

PLACE = {
    "place_id": 3,
    "guild_id": 2,
    "parent_id": 1,
    "kind": "public thread",
    "is_private": False,
    "name": 'plän, "so to say" \N{SNOWMAN}',
    "archived": True,
    "locked": False,
    "age_restricted": True,
    "spoiler": False,
    "tags": ["solved", 'a, "b" {c}', ""],
    "gone_at": minute(4),
    "seen_at": minute(5),
    "resolved": True,
}

_ROWS = sql.SQL("SELECT row::text FROM {table} AS row WHERE {condition} ORDER BY 1")


def indexed(one: Message) -> Indexed:
    """Return a message with a vector of its own, if it has a text."""
    vector = np.random.default_rng(one.message_id % 1000).normal(size=WIDTH).astype(np.float32)
    return Indexed(one, one.content, vector if one.content else None, MODEL if one.content else None)


async def write(database: Database, *messages: Message) -> None:
    """Write messages, and an earlier text of the first of MESSAGES."""
    async with transaction(database.sessions) as session:
        await store.write(
            session,
            batch=[indexed(one) for one in messages],
            revisions=[Revision(7, minute(8), "nothing")],
            journal="demo",
            position=123,
        )


COVERAGE = {
    "place_id": 1,
    "session": "demo",
    "oldest_id": 1,
    "newest_id": 9,
    "guild_id": 5,
    "reaches_start": True,
    "read_at": minute(9),
    "widened_at": minute(9),
    "journal_end": 100,
}
REMINDER: dict[str, Any] = {
    "reminder_id": 5,
    "person_id": 2,
    "channel_id": 1,
    "text": "look after the kiln",
    "due_at": minute(900),
    "try_at": minute(901),
    "tries": 1,
    "created_at": minute(50),
    "time_zone": "Europe/Paris",
    "in_channel": True,
}
DECISION: dict[str, Any] = {
    "guild_id": 1,
    "message_id": 9,
    "channel_id": 1,
    "sent_at": minute(9),
    "marked_by": 2,
    "marked_at": minute(91),
    "title": "what was decided",
}

TRACE: dict[str, Any] = {
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "made_at": minute(6),
    "asker_id": 2,
    "guild_id": 5,
    "channel_id": 1,
    "has_texts": False,  # those with texts do not come back where somebody was erased, as here
    "tree": {
        "name": "answer",
        "at": 0.0,
        "ms": 1.5,
        "facts": {"model": 'the "small" one \N{SNOWMAN}'},
        "parts": [],
    },
}
ASKED: dict[str, Any] = {
    "message_ids": [12, 13],
    "edits_known_to": minute(3),
    "edited_cites": [8],
    "deleted_cites": [9],
    "update_since": minute(4),
    "update_at": minute(5),
    "update_tries": 2,
    "question_id": 1,
    "guild_id": 5,
    "channel_id": 1,
    "access_id": 1,
    "asker_id": 2,
    "text": "what was said?",
    "private": False,
    "all_time": False,
    "about": [8],
    "asked_at": minute(1),
    "locale": "fr",
    "application_id": 3,
    "token": "a token",
    "state": "ready",
    "attempts": 0,
    "answer": {"text": "this"},
    "cites": [7],
    "changed_at": minute(2),
}


DIGEST = {
    "channel_id": 1,
    "due_at": minute(9),
    "guild_id": 5,
    "starts_at": minute(1),
    "claimed_at": minute(9),
    "message_id": 3,
    "posted_at": minute(10),
    "source_ids": [8, 9],
    "checksum": "made up",
}


async def live_in(database: Database) -> None:
    """Migrate a memory, and put something into each of its tables."""
    await database.migrate(dimensions=WIDTH)
    await write(database, *MESSAGES)
    await write(database, edit(9, "changed", at=90))
    async with transaction(database.sessions) as session:
        await set_metadata(session, "session", "demo")
        await set_metadata(session, MODEL_FACT, MODEL)
        await set_metadata(session, "erased_until:999", minute(1).isoformat())
        for row in (
            insert(TimeZoneRow).values(owner_kind="person", owner_id=1, zone="Europe/Paris", set_at=minute(1)),
            insert(GuildSettingRow).values(guild_id=1, name="restricting_roles", value=[4], set_at=minute(1)),
            insert(OptOutRow).values(person_id=998, kind="everything", opted_out_at=minute(1)),
            insert(DecisionRow).values(DECISION),
            insert(ReminderRow).values(REMINDER),
            insert(CatchUpRow).values(person_id=1, guild_id=5, shown_at=minute(7)),
            insert(DigestRow).values(DIGEST),
            insert(PromotionRow).values(promotion_id=1, source="demo.csv", digest="", started_at=minute(1)),
            insert(ErasureRow).values(user_id=999, erased_at=minute(1)),
            insert(PlaceRow).values(PLACE),
            insert(CoverageRow).values(COVERAGE),
            insert(AnswerRow).values(ASKED),
            insert(TraceRow).values(TRACE),
            insert(RatingRow).values(question_id=1, rater_id=2, rating=1, rated_at=minute(3)),
            insert(ReplacedMessageRow).values(
                replaced_by=1, message_id=8, sent_at=minute(8), content="", attachments=[], search_text=""
            ),
        ):
            await session.execute(row)
    await Conversations(database.sessions).append(CONVERSATION, TURN)


async def run(database: Database, statement: str) -> None:
    """Run a statement as the owner."""
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))


async def rows_of(database: Database) -> dict[str, list[str]]:
    """Return the content of every table, row by row as PostgreSQL writes it."""
    async with open_connection(database.dsn, timeout=PATIENCE, read_only=True) as connection:
        tables = content_tables(await tables_of(connection))
        return {
            table.name: [
                line
                for (line,) in await fetch(
                    connection,
                    _ROWS.format(table=sql.Identifier(table.name), condition=table.condition or EVERY_ROW),
                )
            ]
            for table in tables
        }


async def indexes_of(database: Database) -> list[str]:
    """Return how all indexes are made."""
    async with open_connection(database.dsn, timeout=PATIENCE, read_only=True) as connection:
        query = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1"
        return [definition for (definition,) in await fetch(connection, query)]
