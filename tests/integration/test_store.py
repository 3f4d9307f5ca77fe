"""Rows in the database obey the same rule as messages in memory, however often and in whatever order they come."""

from typing import Any

import pytest
from sqlalchemy import select

from db.databases import Database
from db.engines import transaction
from db.metadata import get_metadata, set_metadata
from db.schema import MessageRow, RevisionRow
from errors import RefusedRowError
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.store import Indexed
from memory.message import Message, Reaction, Revision, fold
from tests.builders import FULL, deletion, edit, every_order_of_states, message, minute, remember

pytestmark = pytest.mark.server


async def write(
    database: Database, *messages: Message, position: int = 0, revisions: tuple[Revision, ...] = ()
) -> None:
    batch = [Indexed(one, one.content, None, None) for one in messages]
    async with transaction(database.sessions) as session:
        await store.write(session, batch=batch, revisions=revisions, journal="demo", position=position)


async def stored(database: Database) -> dict[int, Message]:
    async with transaction(database.sessions) as session:
        rows = (await session.execute(select(*store.MESSAGE_COLUMNS))).mappings()
        return {row["message_id"]: store.to_message(row) for row in rows}


async def texts_before(database: Database) -> list[tuple[int, str]]:
    statement = select(RevisionRow.message_id, RevisionRow.content).order_by(
        RevisionRow.message_id, RevisionRow.revised_at
    )
    async with transaction(database.sessions) as session:
        return [(row.message_id, row.content) for row in await session.execute(statement)]


async def position(database: Database) -> int:
    async with transaction(database.sessions) as session:
        return await store.position(session, journal="demo")


async def test_a_message_comes_out_as_it_went_in(long_term: Database) -> None:
    await write(long_term, FULL, message(8))

    assert await stored(long_term) == {7: FULL, 8: message(8)}


async def test_the_database_merges_states_as_memory_does_in_every_order(long_term: Database) -> None:
    orders = every_order_of_states()

    for heard_together in zip(*orders, strict=True):
        await write(long_term, *heard_together)

    expected = [fold(order)[0][0] for order in orders]
    assert await stored(long_term) == {one.message_id: one for one in expected}
    assert len(expected) == 120
    assert all(one.deleted_at for one in expected)
    assert {one.content for one in expected} == {"third"}
    assert {one.reactions for one in expected} == {(Reaction(emoji="👍", count=3),)}


async def test_a_batch_that_comes_again_changes_nothing(long_term: Database, embedder: Embedder) -> None:
    batch = [message(1, "first"), edit(2, "second", at=5), deletion(3, at=6)]
    await remember(long_term, embedder, batch)
    before = await stored(long_term)

    await remember(long_term, embedder, batch)

    assert await stored(long_term) == before
    assert await texts_before(long_term) == []


async def test_an_edit_brings_its_text_and_its_vector_and_keeps_what_was_said(
    long_term: Database, embedder: Embedder
) -> None:
    async def vector() -> Any:
        async with transaction(long_term.sessions) as session:
            return await session.scalar(select(MessageRow.embedding))

    await remember(long_term, embedder, [message(1, "a cat")])
    as_sent = await vector()

    await remember(long_term, embedder, [edit(1, "a submarine", at=5)])

    assert (await stored(long_term))[1] == edit(1, "a submarine", at=5)
    assert await texts_before(long_term) == [(1, "a cat")]
    assert as_sent != await vector()


async def test_an_edit_that_says_the_same_keeps_no_revision(long_term: Database) -> None:
    await write(long_term, message(1, "same"))

    await write(long_term, edit(1, "same", at=5))

    assert await texts_before(long_term) == []


async def test_a_completion_brings_its_text_and_keeps_no_revision(long_term: Database) -> None:
    await write(long_term, edit(1, "see the log", at=5))

    await write(long_term, edit(1, "see the log\nkiln at 900", at=5, completed_at=minute(6)))
    await write(long_term, edit(1, "see the log", at=5))

    assert (await stored(long_term))[1].content == "see the log\nkiln at 900"
    assert await texts_before(long_term) == []


async def test_texts_replaced_within_a_batch_are_kept_with_the_one_that_was_stored(long_term: Database) -> None:
    await write(long_term, message(1, "first"))

    await write(long_term, edit(1, "third", at=9), revisions=(Revision(1, minute(5), "second"),))

    assert await texts_before(long_term) == [(1, "second"), (1, "first")]


async def test_a_refused_batch_leaves_neither_rows_nor_position(long_term: Database) -> None:
    await write(long_term, message(1), position=10)

    with pytest.raises(RefusedRowError):
        await write(long_term, message(2), message(3, "a\0b"), position=20)

    assert set(await stored(long_term)) == {1}
    assert await position(long_term) == 10


async def test_a_position_moves_without_rows_too(long_term: Database) -> None:
    await write(long_term, position=10)
    await write(long_term, position=30)

    assert await position(long_term) == 30


async def test_a_journal_that_is_unknown_stands_at_its_start(long_term: Database) -> None:
    assert await position(long_term) == 0


async def test_emptying_keeps_facts(short_term: Database) -> None:
    await write(short_term, message(1), edit(2, "x", at=5), position=10, revisions=(Revision(2, minute(5), "y"),))
    async with transaction(short_term.sessions) as session:
        await set_metadata(session, "colour", "red")
        await set_metadata(session, "colour", "blue")

        await store.empty(session)

        assert await store.count(session) == 0
        assert await get_metadata(session, "colour") == "blue"
        assert await get_metadata(session, "shape") is None
    assert (await texts_before(short_term), await position(short_term)) == ([], 0)
