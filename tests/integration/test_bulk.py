"""The bulk path leaves in a memory what row by row would have left there, and keeps out of the vector index's way."""

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from sqlalchemy import select, text

from db.chunks import find_chunks, is_hypertable
from db.databases import Database
from db.engines import transaction
from db.schema import MessageRow
from db.vector_index import drop_all
from errors import RefusedRowError
from memory.index import bulk, store
from memory.index.bulk import MessageBatch
from memory.index.store import Indexed
from memory.message import Message, Revision, fold
from tests.builders import FULL, deletion, edit, every_order_of_states, message, minute
from util_async import no_progress

pytestmark = pytest.mark.server

WIDTH = 384


def indexed(one: Message) -> Indexed:
    """Return a message with a vector that belongs to its text, if it has one."""
    random = np.random.default_rng(len(one.content) + 1)
    vector = random.normal(size=WIDTH).astype(np.float32) if one.content else None
    return Indexed(one, one.content, vector, "made up" if one.content else None)


def batch(*messages: Message, position: int = 0, revisions: Sequence[Revision] = ()) -> MessageBatch:
    rows = [indexed(one) for one in messages]
    return MessageBatch(rows=rows, revisions=revisions, journal="demo", position=position)


async def load(database: Database, *batches: MessageBatch, expected: int = 1_000_000) -> int:
    async def coming() -> AsyncIterator[MessageBatch]:
        for one in batches:
            yield one

    return await bulk.load(database, coming(), expected=expected, report=no_progress)


async def stored(database: Database) -> dict[int, Message]:
    async with transaction(database.sessions) as session:
        rows = (await session.execute(select(*store.MESSAGE_COLUMNS))).mappings()
        return {row["message_id"]: store.to_message(row) for row in rows}


async def contents(database: Database) -> tuple[list[str], list[str]]:
    """Return every message, vector and all, and every revision, as PostgreSQL writes them."""
    async with transaction(database.sessions) as session:
        messages = await session.scalars(text("SELECT messages::text FROM messages ORDER BY message_id, sent_at"))
        revisions = await session.scalars(
            text("SELECT message_revisions::text FROM message_revisions ORDER BY message_id, revised_at")
        )
        return list(messages), list(revisions)


async def position(database: Database) -> int:
    async with transaction(database.sessions) as session:
        return await store.position(session, journal="demo")


async def vector_indexes(database: Database) -> list[bool]:
    """Tell of each table that messages stand in whether it has a vector index, in the order of their times."""
    async with database.engine.connect() as connection:
        known = await find_chunks(connection, hypertable=await is_hypertable(connection))
        return [part.indexed for part in known]


async def test_a_message_comes_out_as_it_went_in_with_its_vector(long_term: Database) -> None:
    plain = message(8, "hello")

    assert await load(long_term, batch(FULL, plain, deletion(9, at=10))) == 3

    assert await stored(long_term) == {7: FULL, 8: plain, 9: deletion(9, at=10)}
    async with transaction(long_term.sessions) as session:
        (vector,) = await session.scalars(select(MessageRow.embedding).where(MessageRow.message_id == 8))
    assert np.array_equal(np.asarray(vector, dtype=np.float32), indexed(plain).embedding)  # type: ignore[arg-type]


async def test_states_are_merged_as_memory_does_in_every_order(long_term: Database) -> None:
    orders = every_order_of_states()

    await load(long_term, *(batch(*heard_together) for heard_together in zip(*orders, strict=True)))

    assert await stored(long_term) == {order[0].message_id: fold(order)[0][0] for order in orders}


async def test_it_leaves_what_row_by_row_leaves(long_term: Database, short_term: Database) -> None:
    batches = [
        batch(message(1, "one"), message(2, "two"), deletion(3, at=4), position=10),
        batch(edit(1, "one!", at=5), message(2, "two, but not edited"), position=20),
        batch(
            edit(1, "one?!?", at=9),
            edit(2, "two", at=9),
            edit(3, "too late", at=9),
            revisions=[Revision(1, minute(7), "one?!")],
            position=30,
        ),
    ]
    for one in batches:
        async with transaction(short_term.sessions) as session:
            await store.write(
                session, batch=one.rows, revisions=one.revisions, journal=one.journal or "", position=one.position
            )

    await load(long_term, *batches)

    assert await contents(long_term) == await contents(short_term)
    assert (await contents(long_term))[1]
    assert await position(long_term) == await position(short_term) == 30


async def test_what_comes_again_changes_nothing(long_term: Database) -> None:
    batches = [batch(message(1, "first"), edit(2, "second", at=5)), batch(edit(1, "1st", at=6), deletion(3, at=6))]
    await load(long_term, *batches)
    before = await contents(long_term)

    await load(long_term, *batches)

    assert await contents(long_term) == before
    assert len(before[1]) == 1


async def test_rows_and_position_are_written_together_or_not_at_all(long_term: Database) -> None:
    good, bad = batch(message(1), position=10), batch(message(2), message(3, "a\0b"), position=20)

    with pytest.raises(RefusedRowError):
        await load(long_term, good, bad, batch(message(4), position=30))

    assert set(await stored(long_term)) == {1}
    assert await position(long_term) == 10


async def test_a_kind_that_does_not_exist_is_refused(long_term: Database) -> None:
    class Shout:
        value = "shout"

    with pytest.raises(RefusedRowError, match="messages_kind"):
        await load(long_term, batch(message(1, kind=Shout())))


async def test_progress_is_told_batch_by_batch(long_term: Database) -> None:
    heard: list[tuple[int, int]] = []

    async def coming() -> AsyncIterator[MessageBatch]:
        yield batch(message(1), message(2), position=1)
        yield batch(position=2)
        yield batch(message(3), position=3)

    await bulk.load(long_term, coming(), expected=4, report=lambda *report: heard.append(report))

    assert heard == [(2, 4), (2, 4), (3, 4)]
    assert await position(long_term) == 3


LATER = minute(60 * 24 * 200)
"""Far enough from the other messages for another chunk."""


async def index(database: Database) -> None:
    """Give every table that messages stand in a vector index, however few rows it has."""
    async with database.engine.begin() as connection:
        for part in await find_chunks(connection, hypertable=await is_hypertable(connection)):
            await connection.execute(text(f"CREATE INDEX ON {part.table} USING diskann (embedding vector_cosine_ops)"))
            await connection.execute(text(f"ANALYZE {part.table}"))


@pytest.fixture
async def searched(long_term: Database) -> Database:
    """A memory with ten messages of one time and ten of another, in as many chunks if it has any, and indexed."""
    async with long_term.engine.begin() as connection:
        await drop_all(connection)
    old = [message(number, f"old {number}") for number in range(1, 11)]
    await load(long_term, batch(*old, *(message(number, f"new {number}", sent_at=LATER) for number in range(11, 21))))
    await index(long_term)
    return long_term


async def test_a_large_load_drops_the_index_in_its_way_and_no_other(searched: Database) -> None:
    before = await vector_indexes(searched)

    await load(searched, batch(message(21, "newest", sent_at=LATER)), expected=1000)

    hypertable = searched.capabilities.hypertables
    assert (before, await vector_indexes(searched)) == (
        ([True, True], [True, False]) if hypertable else ([True], [False])
    )


@pytest.mark.parametrize(
    ("coming", "expected"),
    [
        pytest.param(message(21, "newest", sent_at=LATER), 1, id="a load that is small beside it"),
        pytest.param(message(21, "newest", sent_at=LATER), 999, id="a load that any index takes in"),
        pytest.param(message(11, "new 11", sent_at=LATER), 1000, id="what is there already"),
        pytest.param(deletion(11, at=7, sent_at=LATER), 1000, id="a deletion, which has no vector"),
    ],
)
async def test_an_index_stays_that_little_would_be_added_to(searched: Database, coming: Message, expected: int) -> None:
    await load(searched, batch(coming), expected=expected)

    there = await vector_indexes(searched)
    assert there
    assert all(there)


async def test_an_edit_needs_the_index_as_a_new_message_does(searched: Database) -> None:
    await load(searched, batch(edit(11, "other", at=7, sent_at=LATER)), expected=1000)

    assert not all(await vector_indexes(searched))
