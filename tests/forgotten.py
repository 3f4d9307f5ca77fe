"""A memory that is full of what one person has said, in every place that may hold it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg import sql
from sqlalchemy import insert

from agent.conversations import ConversationKey, Conversations, Turn
from db.databases import Database
from db.engines import transaction
from db.schema import DecisionRow, ReminderRow, ReplacedMessageRow, TimeZoneRow, TraceRow
from memory.answers.kept import KeptAnswer, KeptQuestion, Rating
from memory.answers.store import AnswerStore
from memory.capture.journal import BadRecord, Journal, NotAdded, encoded
from memory.capture.message_csv import to_row
from memory.index import store
from memory.index.index_text import search_text
from memory.index.store import Indexed
from memory.message import Attachment, Kind, Message, Revision
from tests.builders import deletion, edit, message, minute

KeptRow = tuple[KeptQuestion, KeptAnswer | None]

WIDTH = 12
PATIENCE = timedelta(seconds=60)

NADIA, BOB, CARLA, BOT = (700_000_000_000_000_000 + number for number in (1, 2, 3, 4))
FORGOTTEN_AT = minute(100)
SECRETS = (
    *("cellarkey", "flowerpot", "wednesdayish", "pluviometer", "gardenplan", "quincunx", "oubliette", "zugzwang"),
    *("bergamot", "selcouth", "fernweh", "defenestrate", "nadia"),
)
"""Words that nobody else says; her name is among them."""


def by(author_id: int, number: int, content: str, **changes: Any) -> Message:
    """Return a message of somebody, or of the bot."""
    names = {NADIA: "nadia", BOB: "bob", CARLA: "carla", BOT: "Backscroll"}
    return message(number, content, author_id=author_id, **{"author_name": names[author_id], **changes})


def asks(author_id: int, number: int, content: str) -> Message:
    return by(author_id, number, content, kind=Kind.COMMAND)


def answers(number: int, content: str, *, to: int) -> Message:
    return by(BOT, number, content, kind=Kind.ANSWER, reply_to=to)


DISCORD = 1_400_000_000_000_000_000
"""The first of the ids that are of Discord."""


def posted(number: int, content: str, *, to: int, **changes: Any) -> Message:
    """Return an answer that stands in Discord."""
    place: dict[str, Any] = {"guild_id": DISCORD, "channel_id": DISCORD + 1}
    return replace(answers(number, content, to=to), **{"message_id": DISCORD + number, **place, **changes})


QUOTE = 'the spare key, the cellarkey, is "under the blue flowerpot" next to the bicycle'
FIRST = by(NADIA, 1, QUOTE)
PLAIN_ANSWER = answers(31, "I found nothing about that in the channels that you may read.", to=30)
STAYS = by(NADIA, 120, "what I say after I was forgotten is mine to say", author_name="Nadja")
SAID: tuple[Message, ...] = (
    FIRST,
    by(BOB, 2, "thank you, I shall look there"),
    by(CARLA, 3, "and who waters the plants?"),
    by(BOB, 4, "I do, every other day"),
    by(NADIA, 5, "on wednesdayish days I do", thread_id=9),
    by(CARLA, 6, "so it is settled then", thread_id=9),
    edit(7, "it rained, says the pluviometer", at=8, author_id=NADIA, author_name="nadia"),
    by(NADIA, 10, "", attachments=(Attachment(name="gardenplan.pdf", url="https://example.org/gardenplan"),)),
    by(NADIA, 11, "selcouth and gone again", deleted_at=minute(12)),
    deletion(13, at=14, author_name=""),
    asks(NADIA, 20, "/chat what of the quincunx?"),
    answers(21, "Of that I know nothing at all, sorry.", to=20),
    asks(BOB, 22, "/chat where is the key?"),
    answers(23, 'Look:\n- **nadia** in #general, Tue 3 Nov 2026 09:01: "the spare key, the cellarkey, …" [1]', to=22),
    asks(CARLA, 24, "/chat and the plants?"),
    answers(25, "A long answer that was cut in two, of which this half says bergamot to nobody's face.", to=24),
    answers(26, "**Sources**\n[1] nadia in #general, Tue 3 Nov 2026 09:01", to=24),
    asks(CARLA, 28, "/chat what is under the pot?"),
    answers(29, "It is said that it stands under the blue flowerpot next to something.", to=28),
    asks(BOB, 30, "/chat is there a horse?"),
    PLAIN_ANSWER,
    asks(BOB, 32, "/chat has it a saddle?"),
    answers(33, "Something else stood here until a promotion.", to=32),
    by(BOB, 40, "a message between others"),
    by(CARLA, 41, "has others before it"),
    by(BOB, 42, "and so has this one"),
    STAYS,
    by(BOB, 121, "which I do not mind"),
)
"""What the short-term memory and the journal of its session hold, in the order in which it was heard."""

HERS = {1, 5, 7, 10, 11, 20}
REPEATING = {21, 23, 25, 26, 29, 33}
OLD_WORDS = "an oubliette was what she called the pantry of the old flat"
OLD = by(NADIA, 201, OLD_WORDS, session="old", sent_at=minute(-900))
AFTER_OLD = by(BOB, 202, "so she did", session="old", sent_at=minute(-899))
IMPORTED = by(NADIA, 301, "from an export: the fernweh of autumn evenings", session="export", sent_at=minute(-500))
AFTER_IMPORTED = by(BOB, 302, "heard in the export too", session="export", sent_at=minute(-499))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Both databases and both folders."""

    short_term: Database
    long_term: Database
    storage_dir: Path
    backup_dir: Path

    @property
    def journal(self) -> Path:
        """The CSV of the running session."""
        return self.storage_dir / "demo" / "demo.csv"


def with_context(messages: Iterable[Message]) -> list[Indexed]:
    """Return messages with the search texts that the ingest gives them, and vectors that mean nothing."""
    latest: dict[int, list[Message]] = {}
    rows = []
    for one in messages:
        before = latest.get(one.place_id, [])
        vector = np.random.default_rng(one.message_id % 1000).normal(size=WIDTH).astype(np.float32)
        said = one.content and one.kind is not Kind.ANSWER
        rows.append(Indexed(one, search_text(one, before), vector if said else None, "made up" if said else None))
        if one.kind is Kind.MESSAGE:  # deleted ones as well: what was deleted later was context at first
            latest[one.place_id] = [*before, one][-2:]
    return rows


async def fill(world: World, *, position: int | None = None) -> None:
    """Put something of her into everything; `position` is how far the journal has been read."""
    fill_files(world)
    read = world.journal.stat().st_size if position is None else position
    await write(world.short_term, SAID, [Revision(7, minute(8), "no rain, says the zugzwang")], read)
    await write(world.long_term, [*SAID, IMPORTED, AFTER_IMPORTED], [Revision(7, minute(8), "zugzwang")], 0)
    await replaced(world.long_term)
    await chosen_zones(world.long_term)
    await talked(world.long_term)
    await asked_questions(world.long_term)
    await decided(world.long_term)
    await asked_for_reminders(world.long_term)
    await traced(world.long_term)
    for database in (world.short_term, world.long_term):
        await analysed(database)


_ANALYZE_OURS = """DO $$ BEGIN EXECUTE (
    SELECT 'ANALYZE ' || string_agg(format('%I.%I', schemaname, relname), ', ') FROM pg_stat_user_tables
); END $$"""
"""All tables but those of PostgreSQL itself, which are many and hold nothing of hers."""


async def analysed(database: Database) -> None:
    """Let PostgreSQL take its samples, as autovacuum does some time after so many rows have changed."""
    async with await psycopg.AsyncConnection.connect(database.dsn, connect_timeout=60, autocommit=True) as connection:
        await connection.execute(_ANALYZE_OURS)


async def write(database: Database, messages: Sequence[Message], revisions: list[Revision], position: int) -> None:
    async with transaction(database.sessions) as session:
        await store.write(session, batch=with_context(messages), revisions=revisions, journal="demo", position=position)


async def replaced(database: Database) -> None:
    """Let a promotion have changed three messages: hers, a neighbour's and an answer."""
    former = (
        (by(NADIA, 1, "defenestrate, as it was before"), "nadia (...): defenestrate"),
        (by(CARLA, 3, "and who watered?"), f"nadia: {QUOTE}\nbob: thank you\ncarla (...): and who watered?"),
        (answers(33, "nadia said so", to=32), ""),
    )
    rows = [
        {
            "replaced_by": 1,
            "message_id": one.message_id,
            "sent_at": one.sent_at,
            "content": one.content,
            "attachments": [],
            "search_text": searched,
        }
        for one, searched in former
    ]
    async with transaction(database.sessions) as session:
        await session.execute(insert(ReplacedMessageRow).values(rows))


async def chosen_zones(database: Database) -> None:
    rows = [
        {"owner_kind": "person", "owner_id": NADIA, "zone": "Asia/Tokyo", "set_at": minute(1)},
        {"owner_kind": "person", "owner_id": BOB, "zone": "Europe/Paris", "set_at": minute(1)},
        {"owner_kind": "guild", "owner_id": NADIA, "zone": "Europe/Oslo", "set_at": minute(1)},
    ]
    async with transaction(database.sessions) as session:
        await session.execute(insert(TimeZoneRow).values(rows))


def conversation(channel_id: int, asker_id: int, *, private: bool = False) -> ConversationKey:
    return ConversationKey(channel_id=channel_id, asker_id=asker_id, private=private)


def turn(question: str, answer: str, *, cites: tuple[int, ...] = ()) -> Turn:
    return Turn(asked_at=minute(60), question=question, answer=answer, cites=cites)


async def decided(database: Database) -> None:
    """Let two of her messages be decisions, one of them in no memory any more, and two of bob's that she has marked."""
    marks = (
        {"message_id": 1, "author_id": NADIA, "marked_by": BOB, "title": "where the cellarkey is"},
        {"message_id": 201, "author_id": NADIA, "marked_by": BOB, "title": "the oubliette", "sent_at": minute(-900)},
        {"message_id": 2, "author_id": BOB, "marked_by": NADIA, "title": "zugzwang, I say", "supersedes": 1},
        {"message_id": 4, "author_id": BOB, "marked_by": CARLA, "title": "every other day", "supersedes": 2},
    )
    about: dict[str, Any] = {"guild_id": 1, "channel_id": 1, "marked_at": minute(50), "supersedes": None}
    rows = [about | {"sent_at": minute(int(str(mark["message_id"])) % 100)} | mark for mark in marks]
    async with transaction(database.sessions) as session:
        await session.execute(insert(DecisionRow).values(rows))


async def asked_for_reminders(database: Database) -> None:
    """Let her wait for a reminder, and bob for two about her messages, of which one has her words."""
    hers, elsewhere = (BOB, "the cellarkey, is under the blue flowerpot"), (BOB, "every other day")
    texts = {1: (NADIA, "zugzwang"), 2: hers, 3: elsewhere}
    about: dict[str, Any] = {"guild_id": 1, "channel_id": 1, "message_id": 1, "time_zone": "UTC", "in_channel": False}
    about |= {"due_at": minute(900), "try_at": minute(900), "tries": 0, "created_at": minute(50)}
    rows = [
        about | {"reminder_id": number, "person_id": person_id, "text": text}
        for number, (person_id, text) in texts.items()
    ]
    async with transaction(database.sessions) as session:
        await session.execute(insert(ReminderRow).values(rows))


async def traced(database: Database) -> None:
    """Let traces be kept of an answer to her, of one to bob with her words, and of one to bob without any words."""
    tree: dict[str, Any] = {"name": "answer", "ms": 1.0, "parts": []}
    about: dict[str, Any] = {"guild_id": 1, "channel_id": 1, "made_at": minute(50), "has_texts": False, "tree": tree}
    rows = [
        about | {"trace_id": "a" * 32, "asker_id": NADIA},
        about | {"trace_id": "b" * 32, "asker_id": BOB, "has_texts": True, "tree": tree | {"facts": {"answer": QUOTE}}},
        about | {"trace_id": "c" * 32, "asker_id": BOB},
    ]
    async with transaction(database.sessions) as session:
        await session.execute(insert(TraceRow).values(rows))


TALKED = {
    conversation(1, NADIA): [turn("where was I?", "That I do not know.")],
    conversation(1, NADIA, private=True): [turn("and now?", "Nor that.")],
    conversation(1, BOB): [
        turn("is it late?", "It is."),
        turn("where is it?", "In the pantry of the old flat, an oubliette."),
        turn("and what is in it?", "Jam."),
    ],
    conversation(2, BOB): [turn("who has said so?", "That was Nadia, I think.")],
    conversation(2, BOB, private=True): [turn("is that true?", "So I was told.", cites=(4, 201))],
    conversation(4, CARLA): [turn("what is in gardenplan.pdf?", "I found nothing.")],
    conversation(3, BOB): [turn("what time is it?", "Late.", cites=(4,))],
    conversation(1, CARLA): [turn("is there a horse?", "There is none, as far as I know.")],
}
KEPT_CONVERSATIONS = {conversation(3, BOB), conversation(1, CARLA)}


def asked_of(question_id: int, asker_id: int, text: str, answer: str = "", *, cites: tuple[int, ...] = ()) -> KeptRow:
    question = KeptQuestion(
        question_id=question_id,
        guild_id=DISCORD,
        channel_id=1,
        access_id=1,
        asker_id=asker_id,
        text=text,
        asked_at=minute(60),
    )
    if not answer:
        return question, None
    return question, KeptAnswer(text=answer, outcome="quoted", sources=dict(enumerate(cites, 1)))


QUESTIONS = [
    asked_of(60, NADIA, "what of the quincunx?", "Nothing."),
    asked_of(61, BOB, "where is it?", "In the pantry of the old flat, an oubliette."),
    asked_of(62, BOB, "is that true?", "So it was said.", cites=(4, 201)),
    asked_of(63, BOB, "is the cellarkey, is under the blue flowerpot next to the bicycle still true?"),
    asked_of(64, CARLA, "is there a horse?", "There is none.", cites=(4,)),
]
KEPT_QUESTIONS = {64}


async def asked_questions(database: Database) -> None:
    """Let questions have been asked, and each of them been rated by two people."""
    store = AnswerStore(database.sessions)
    for question, answer in QUESTIONS:
        await store.asked(question)
        if answer is not None:
            await store.ready(question.question_id, answer, now=minute(61))
        for rater_id in (NADIA, CARLA):
            await store.rate(question.question_id, Rating.UP, rater_id=rater_id, now=minute(62))


async def talked(database: Database) -> None:
    conversations = Conversations(database.sessions)
    for key, turns in TALKED.items():
        for one in turns:
            await conversations.append(key, one)


def fill_files(world: World) -> None:
    """Write a running session, an old one, what was not added, and what a promotion refused."""
    edited = edit(7, "it rained, says the pluviometer", at=8, author_id=NADIA, author_name="nadia")
    first_state = replace(edited, content="no rain, says the zugzwang", edited_at=None)
    states = [one for said in SAID for one in ([first_state, said] if said.message_id == 7 else [said])]
    heard_of_later = deletion(1, at=50, author_name="")
    journalled(world.journal, [*states, heard_of_later])
    journalled(world.storage_dir / "old" / "old.csv", [OLD, AFTER_OLD])
    with_refused(world.storage_dir / "demo" / "demo_not_added.csv")
    with_refused(world.storage_dir / "promotions" / "3_refused.csv")


def journalled(path: Path, messages: Iterable[Message]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(path)
    journal.open()
    journal.record(messages)
    journal.close()


def with_refused(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    refused = NotAdded(path)
    refused.open()
    refused.refuse(by(NADIA, 50, "a quincunx of refusals"), "the database would not")
    refused.refuse(by(BOB, 51, "refused as well"), "the database would not")
    refused.refuse_record(BadRecord(encoded([to_row(by(NADIA, 52, "fernweh"))])[:-10].decode(), "cut short"))
    refused.refuse_record(BadRecord(f"it has no id, but {QUOTE}", "not a message"))
    refused.refuse_record(BadRecord("somebody else's damaged line", "not a message"))
    refused.close()


STATISTICS = """
    SELECT format('statistics of %I.%I', schemaname, tablename), pg_stats::text FROM pg_stats
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
    UNION ALL SELECT format('statistics of %I.%I', schemaname, tablename), pg_stats_ext::text FROM pg_stats_ext
"""


async def statistics_of_database(database: Database) -> dict[str, str]:
    """Return what PostgreSQL has kept for its planner of the contents of each table and chunk."""
    async with await psycopg.AsyncConnection.connect(database.dsn, connect_timeout=60) as connection:
        found: dict[str, str] = {}
        for table, values in await (await connection.execute(STATISTICS)).fetchall():
            found[f"{database.name}: {table}"] = found.get(f"{database.name}: {table}", "") + values + "\n"
        return found


async def texts_of_database(database: Database) -> dict[str, str]:
    """Return everything that every table of a database holds as text, bytes included."""
    async with await psycopg.AsyncConnection.connect(database.dsn, connect_timeout=60) as connection:
        tables = await (
            await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        ).fetchall()
        found = {}
        for (table,) in tables:
            rows = await (
                await connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            ).fetchall()
            found[f"{database.name}: {table}"] = "\n".join(
                value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                for row in rows
                for value in row
            )
        return found


def texts_of_folder(folder: Path) -> dict[str, str]:
    return {str(path): path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file()}


async def where_she_is(world: World) -> set[tuple[str, str]]:
    """Return every secret that is still somewhere, and where; what she says after she was forgotten is none."""
    everything = {
        **await texts_of_database(world.short_term),
        **await texts_of_database(world.long_term),
        **await statistics_of_database(world.short_term),
        **await statistics_of_database(world.long_term),
        **texts_of_folder(world.storage_dir),
    }
    return {(place, secret) for place, words in everything.items() for secret in secrets_in(words)}


def secrets_in(words: str) -> Iterator[str]:
    """Yield the secrets that stand in some text."""
    for line in words.casefold().splitlines():
        yield from (secret for secret in SECRETS if secret in line)
