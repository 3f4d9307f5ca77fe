"""A move brings every row over, exactly once and whatever happens on the way, or refuses before it changes anything."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from unittest.mock import AsyncMock

import pytest
from sqlalchemy import insert, text

from agent.conversations import Conversations
from db.databases import LONG_TERM, Database
from db.embedded import EmbeddedServer
from db.engines import transaction
from db.metadata import MoveProgress, set_metadata
from db.schema import (
    AnswerRow,
    Base,
    CatchUpRow,
    CoverageRow,
    DecisionRow,
    DigestRow,
    ErasureRow,
    GuildSettingRow,
    MessageRow,
    OptOutRow,
    PlaceRow,
    PromotionRow,
    RatingRow,
    ReminderRow,
    ReplacedMessageRow,
    TimeZoneRow,
    TraceRow,
)
from db.table_copy import TableComparison
from db.vector_index import build
from errors import DatabaseSetupError, RefusedRowError
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.reembed import prepare
from ops import move as move_module
from ops.move import Move, open_move
from tests.builders import FULL, deletion, edit, message, minute
from tests.conftest import open_existing_database, open_new_database
from tests.lived_in import (
    ASKED,
    AT_ONCE,
    CONVERSATION,
    DECISION,
    DIGEST,
    PATIENCE,
    PLACE,
    REMINDER,
    TRACE,
    TURN,
    WIDTH,
    write,
)
from tests.sentences import is_one_sentence
from tests.servers import Server, embedded_server
from util_async import Progress, no_progress

pytestmark = pytest.mark.server

MESSAGES = [FULL, *(message(number, f"note {number}") for number in range(8, 14)), deletion(14, at=15), *AT_ONCE]


async def fill_source(server: Server, name: str) -> None:
    async with open_existing_database(server, name, name=LONG_TERM) as database:
        await database.migrate(dimensions=WIDTH)
        await write(database, *MESSAGES)
        await write(database, edit(9, "changed", at=90))
        async with transaction(database.sessions) as session:
            await set_metadata(session, "session", "demo")
            zone = insert(TimeZoneRow).values(owner_kind="person", owner_id=1, zone="Europe/Paris", set_at=minute(1))
            await session.execute(zone)
            batch = insert(PromotionRow).values(promotion_id=1, source="demo", digest="made up", started_at=minute(1))
            await session.execute(batch)
            replaced = insert(ReplacedMessageRow).values(
                replaced_by=1, message_id=7, sent_at=minute(7), content="before", attachments=[], search_text="before"
            )
            await session.execute(replaced)
            await session.execute(insert(ErasureRow).values(user_id=9, erased_at=minute(2)))
            await session.execute(insert(PlaceRow).values(PLACE))
            await session.execute(insert(OptOutRow).values(person_id=8, kind="who_knows", opted_out_at=minute(2)))
            setting = insert(GuildSettingRow).values(guild_id=1, name="restricting_roles", value=[4], set_at=minute(1))
            await session.execute(setting)
            await session.execute(insert(CatchUpRow).values(person_id=1, guild_id=5, shown_at=minute(7)))
            await session.execute(insert(DigestRow).values(DIGEST))
            read = {"oldest_id": 7, "newest_id": 14, "reaches_start": True, "journal_end": 100}
            interval = insert(CoverageRow).values(
                place_id=1, session="demo", read_at=minute(1), widened_at=minute(1), **read
            )
            await session.execute(interval)
            await session.execute(insert(AnswerRow).values(ASKED))
            rating = insert(RatingRow).values(question_id=1, rater_id=2, rating=1, rated_at=minute(3))
            await session.execute(rating)
            await session.execute(insert(DecisionRow).values(DECISION))
            await session.execute(insert(ReminderRow).values(REMINDER))
            await session.execute(insert(TraceRow).values(TRACE))
        await Conversations(database.sessions).append(CONVERSATION, TURN)


@pytest.fixture(scope="module")
def old_server(embedded: EmbeddedServer) -> Server:
    """The server that is moved from."""
    return embedded_server(embedded)


@pytest.fixture(scope="module")
def old_name(old_server: Server) -> Iterator[str]:
    """The name of a database with something in each of its tables, which no test changes."""
    name = old_server.create_database("source")
    asyncio.run(fill_source(old_server, name))
    yield name
    old_server.drop_database(name)


@pytest.fixture
async def source(old_server: Server, old_name: str) -> AsyncIterator[Database]:
    """A long-term memory with something in each of its tables."""
    async with open_existing_database(old_server, old_name, name=LONG_TERM) as database:
        yield database


@pytest.fixture
async def target(server: Server) -> AsyncIterator[Database]:
    """An empty database."""
    async with open_new_database(server, LONG_TERM) as database:
        yield database


async def move(source: Database, target: Database, report: Progress = no_progress) -> list[TableComparison]:
    """Move everything as the script does, and compare."""
    async with open_move(source, target, timeout=PATIENCE) as opened:
        await opened.fill(report=report)
        await target.migrate(dimensions=await opened.width())
        return await opened.compare()


async def compare(source: Database, target: Database) -> dict[str, TableComparison]:
    async with open_move(source, target, timeout=PATIENCE) as opened:
        return {one.table: one for one in await opened.compare()}


async def count(database: Database) -> int:
    async with transaction(database.sessions) as session:
        return await store.count(session)


async def run(database: Database, statement: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))


async def contents(database: Database, table: str) -> list[str]:
    """Return the rows of a table as PostgreSQL writes them."""
    own = "WHERE row.name NOT IN ('moved_from', 'word_index_whole_since')" if table == "facts" else ""
    async with database.engine.connect() as connection:
        rows = await connection.scalars(text(f"SELECT row::text FROM {table} AS row {own} ORDER BY 1"))  # noqa: S608
        return list(rows)


async def test_every_row_of_every_table_arrives(source: Database, target: Database) -> None:
    compared = await move(source, target)

    assert {one.table for one in compared} == set(Base.metadata.tables)
    assert [one.table for one in compared if not one.is_equal] == []
    assert [one.table for one in compared if not one.there.rows] == []
    for one in compared:
        assert await contents(target, one.table) == await contents(source, one.table)
    assert (await contents(target, "facts"))[-1] == "(session,demo)"


async def test_the_conversation_goes_on_at_the_target(source: Database, target: Database) -> None:
    await move(source, target)

    assert await Conversations(target.sessions).recall(CONVERSATION) == [TURN]


async def test_a_target_that_holds_conversations_only_is_refused(source: Database, target: Database) -> None:
    await target.migrate(dimensions=WIDTH)
    await Conversations(target.sessions).append(CONVERSATION, TURN)

    with pytest.raises(DatabaseSetupError, match="holds something in its table conversation_turns"):
        await move(source, target)


async def test_the_source_is_never_changed(source: Database, target: Database) -> None:
    tables = sorted(Base.metadata.tables)
    before = [await contents(source, table) for table in tables]

    await move(source, target)

    assert [await contents(source, table) for table in tables] == before
    async with open_move(source, target, timeout=PATIENCE) as opened:
        with pytest.raises(Exception, match="read-only"):
            await opened.reading.execute("DELETE FROM messages")


async def test_the_search_indexes_are_built_in_the_end(source: Database, target: Database) -> None:
    await move(source, target)
    await build(target.engine, replace(target.layout, hot_rows=0), report=no_progress)

    async with target.engine.connect() as connection:
        indexes = set(await connection.scalars(text("SELECT indexname FROM pg_indexes WHERE tablename = 'messages'")))
    word_index = "messages_bm25" if target.capabilities.bm25 else "messages_full_text"
    assert word_index in indexes
    assert ("messages_diskann" in indexes) is not target.capabilities.hypertables


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move_module, "_BATCH", 5)


class Stopped(Exception):  # noqa: N818  # nothing went wrong
    """What ends a move half-way."""


@pytest.mark.usefixtures("small_batches")
async def test_it_is_stopped_and_goes_on_where_it_was(source: Database, target: Database) -> None:
    heard: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        heard.append((done, total))
        if done == 10:
            raise Stopped

    with pytest.raises(Stopped):
        await move(source, target, stop)
    assert await count(target) == 10

    compared = await move(source, target, stop)

    assert heard == [(5, 12), (10, 12), (12, 12)]
    assert_all_moved(compared)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("stopped_at", [pytest.param(2, id="in a batch"), pytest.param(4, id="in the other tables")])
async def test_rows_and_how_far_they_are_come_together_or_not_at_all(
    source: Database, target: Database, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    notes: list[MoveProgress] = []
    write = Move._write_progress

    async def stopping(self: Move, note: MoveProgress) -> None:
        notes.append(note)
        if len(notes) == stopped_at + 1:
            raise Stopped
        await write(self, note)

    monkeypatch.setattr(Move, "_write_progress", stopping)
    with pytest.raises(Stopped):
        await move(source, target)
    monkeypatch.setattr(Move, "_write_progress", write)
    noted = notes[-2]

    assert await count(target) == noted.messages
    assert await contents(target, "time_zones") == []
    assert_all_moved(await move(source, target))


def assert_all_moved(compared: list[TableComparison]) -> None:
    """Check that every table that holds something is there with all its rows."""
    assert {one.table for one in compared if one.there.rows} >= {"messages", "time_zones", "erasures"}
    assert [one.table for one in compared if not one.is_equal] == []


async def test_what_has_been_moved_is_not_moved_again_over_what_was_written_since(
    source: Database, target: Database
) -> None:
    await move(source, target)
    await write(target, message(99, "written here"))

    (messages,) = [one for one in await move(source, target) if one.table == "messages"]

    assert (messages.there.rows, messages.here.rows) == (12, 13)


async def test_a_target_that_was_emptied_is_filled_anew(source: Database, target: Database) -> None:
    await move(source, target)
    await run(target, f"TRUNCATE {', '.join(set(Base.metadata.tables) - {'facts'})}")

    assert_all_moved(await move(source, target))


async def refused(source: Database, target: Database) -> str:
    with pytest.raises(DatabaseSetupError) as caught:
        await move(source, target)
    assert is_one_sentence(str(caught.value))
    return str(caught.value)


@pytest.mark.parametrize("table", ["messages", "time_zones"])
async def test_a_target_that_holds_something_else_is_refused(source: Database, target: Database, table: str) -> None:
    await target.migrate(dimensions=WIDTH)
    if table == "messages":
        await write(target, message(1, "theirs"))
        await run(target, "TRUNCATE message_revisions, journal_positions")
    else:
        await run(target, "INSERT INTO time_zones VALUES ('guild', 1, 'UTC', now())")
    before = await contents(target, table)

    assert table in await refused(source, target)

    assert await contents(target, table) == before
    assert await contents(target, "message_revisions") == []


async def test_a_target_with_vectors_of_another_width_is_refused(source: Database, target: Database) -> None:
    await target.migrate(dimensions=WIDTH + 1)

    assert f"embedding of type vector({WIDTH})" in await refused(source, target)


@pytest.mark.usefixtures("small_batches")
async def test_a_target_that_another_database_fills_is_refused(
    source: Database, target: Database, old_server: Server
) -> None:
    def stop(_: int, __: int) -> None:
        raise Stopped

    async with open_new_database(old_server, LONG_TERM) as other:
        await other.migrate(dimensions=WIDTH)
        await write(other, *MESSAGES)
        with pytest.raises(Stopped):
            await move(other, target, stop)

    assert "from another one" in await refused(source, target)
    assert await count(target) == 5


@pytest.mark.usefixtures("small_batches")
async def test_a_half_filled_target_that_was_written_to_is_refused(source: Database, target: Database) -> None:
    def stop(_: int, __: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        await move(source, target, stop)
    await write(target, message(99, "written here"))

    assert "written to" in await refused(source, target)


@pytest.mark.usefixtures("small_batches")
async def test_the_bot_does_not_start_on_a_half_filled_target(
    source: Database, target: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: int, __: int) -> None:
        raise Stopped

    monkeypatch.setattr(Embedder, "dimensions", AsyncMock(return_value=WIDTH))
    with pytest.raises(Stopped):
        await move(source, target, stop)

    with pytest.raises(DatabaseSetupError, match=r"stopped half-way: finish it with: python backups\.py move"):
        await prepare(target, embedder)

    await move(source, target)
    await prepare(target, embedder)


async def test_a_database_is_not_moved_onto_itself(source: Database) -> None:
    assert "onto itself" in await refused(source, source)


async def test_a_source_without_memory_is_refused(server: Server, target: Database) -> None:
    async with open_new_database(server, LONG_TERM) as blank:
        assert "nothing to move" in await refused(blank, target)


async def test_comparing_sees_every_column_of_a_message(source: Database, target: Database) -> None:
    await move(source, target)
    others = {
        "BIGINT": "coalesce({0}, 0) + 1000",
        "BOOLEAN": "NOT {0}",
        "TIMESTAMP": "coalesce({0}, now()) + interval '1 microsecond'",
        "TEXT": "coalesce({0}, '') || ' '",
        "JSONB": "'[{{}}]'",
        "VECTOR": "array_fill(0.5::real, ARRAY[12])::vector",
    }
    unseen = []
    for column in MessageRow.__table__.columns:
        type_name = str(column.type.compile(dialect=source.engine.dialect)).split()[0].split("(")[0]
        value = "'system'" if column.name == "kind" else others[type_name].format(column.name)
        await run(target, "CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM messages WHERE message_id = 7")
        await run(target, f"UPDATE messages SET {column.name} = {value} WHERE message_id = 7")  # noqa: S608
        if (await compare(source, target))["messages"].is_equal:
            unseen.append(column.name)
        await run(target, "DELETE FROM messages WHERE message_id IN (7, 1007)")
        await run(target, "INSERT INTO messages SELECT * FROM kept")

    assert unseen == []
    assert (await compare(source, target))["messages"].is_equal


@pytest.mark.parametrize(
    ("table", "change"),
    [
        pytest.param("messages", "DELETE FROM messages WHERE message_id = 8", id="a row less"),
        pytest.param("message_revisions", "INSERT INTO message_revisions VALUES (1, now(), '')", id="a row more"),
        pytest.param(
            "messages",
            "UPDATE messages SET content = (SELECT max(content) FROM messages other WHERE other.message_id IN (8, 10)"
            " AND other.message_id <> messages.message_id) WHERE message_id IN (8, 10)",
            id="two texts that have changed places",
        ),
        pytest.param("facts", "UPDATE facts SET value = 'other' WHERE name = 'session'", id="a fact"),
        pytest.param("time_zones", "DROP TABLE time_zones", id="a table less"),
        pytest.param("conversation_turns", "UPDATE conversation_turns SET audience = '{9}'", id="a list of numbers"),
    ],
)
async def test_comparing_sees(source: Database, target: Database, table: str, change: str) -> None:
    await move(source, target)
    await run(target, change)

    compared = await compare(source, target)

    assert {name for name, one in compared.items() if not one.is_equal} == {table}


async def test_a_row_that_the_target_refuses_ends_the_move(source: Database, target: Database) -> None:
    await target.migrate(dimensions=WIDTH)
    await run(target, "ALTER TABLE messages ADD CONSTRAINT short CHECK (length(content) < 9)")

    with pytest.raises(RefusedRowError, match="short"):
        await move(source, target)

    assert await count(target) == 0
