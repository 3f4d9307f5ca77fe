"""What is said is in PostgreSQL as it was said, or in the CSV of what was not added; anything may be asked."""

import asyncio
import csv
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from db.databases import LONG_TERM, SHORT_TERM, Database
from db.engines import transaction
from memory.authors import Authors
from memory.capture.recorder import open_recorder
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.reembed import prepare
from memory.message import Message
from memory.search.memory import Memory
from memory.search_session import searchable_database
from tests.conftest import open_new_database
from tests.fuzz.strategies import messages, names, questions
from tests.fuzz.test_messages import as_written
from tests.servers import Server

FEW = settings(max_examples=max(2, settings().max_examples // 20))
LONG = timedelta(seconds=60)

different = st.lists(messages, min_size=4, max_size=10).map(
    lambda some: [replace(one, message_id=number, deleted_at=None) for number, one in enumerate(some)]
)


@asynccontextmanager
async def memories(server: Server, embedder: Embedder) -> AsyncIterator[tuple[Database, Database]]:
    """Yield an empty short-term and an empty long-term memory."""
    width = await embedder.dimensions()
    async with (
        open_new_database(server, SHORT_TERM, width=width) as short_term,
        open_new_database(server, LONG_TERM, width=width) as long_term,
    ):
        for database in (short_term, long_term):
            await prepare(database, embedder)
        yield short_term, long_term


async def recorded(folder: Path, database: Database, embedder: Embedder, some: list[Message]) -> dict[int, Message]:
    """Return what short-term memory holds after a session in which this was said."""
    async with open_recorder(
        session="demo",
        journal_path=folder / "demo.csv",
        not_added_path=folder / "demo_not_added.csv",
        sessions=database.sessions,
        embedder=embedder,
        batch=8,
    ) as recorder:
        for one in some:
            await recorder.record(one)
        assert await recorder.settle(timeout=LONG)
    async with transaction(database.sessions) as session:
        rows = (await session.execute(select(*store.MESSAGE_COLUMNS))).mappings()
        return {row["message_id"]: store.to_message(row) for row in rows}


def not_storable(message: Message) -> bool:
    """Return whether PostgreSQL takes no such text."""
    return "\0" in f"{message}" or "\\x00" in f"{message}"


@FEW
@given(different, st.lists(questions(), max_size=4), st.frozensets(names, max_size=3))
def test_what_is_said_is_stored_as_it_was_said_or_put_aside_and_anything_can_be_asked(
    server: Server, embedder: Embedder, some: list[Message], asked: list[str], authors: frozenset[str]
) -> None:
    async def check(folder: Path) -> None:
        async with memories(server, embedder) as (short_term, long_term):
            found = await recorded(folder, short_term, embedder, some)
            with (folder / "demo_not_added.csv").open(encoding="utf-8", newline="") as file:
                put_aside = {int(row["message_id"]) for row in csv.DictReader(file)}

            assert found == {one.message_id: as_written(one) for one in some if one.message_id in found}
            for one in some:
                assert one.message_id in found or (not_storable(one) and one.message_id in put_aside)
            memory = Memory(searchable_database(short_term), searchable_database(long_term), embedder)
            for question in asked:
                await memory.search(
                    question, places=frozenset(one.place_id for one in some), authors=Authors(names=authors)
                )

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))
