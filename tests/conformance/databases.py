"""A short-term and a long-term database with messages in them, and the real memory over both."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from db.databases import LONG_TERM, SHORT_TERM
from memory.embedding.embedder import Embedder
from memory.index.reembed import prepare
from memory.message import Message
from memory.search.memory import Memory
from memory.search_session import searchable_database
from tests.builders import remember
from tests.conftest import open_existing_database
from tests.servers import Server


def create_databases(
    server: Server, embedder: Embedder, *, short: Sequence[Message], long: Sequence[Message]
) -> tuple[str, str]:
    """Return the names of a new short-term and a new long-term database that hold these messages."""

    async def create() -> tuple[str, str]:
        names = []
        for name, stored in ((SHORT_TERM, short), (LONG_TERM, long)):
            created = await asyncio.to_thread(partial(server.create_database, name, width=await embedder.dimensions()))
            async with open_existing_database(server, created, name=name) as database:
                await prepare(database, embedder)
                await remember(database, embedder, stored)
            names.append(created)
        return names[0], names[1]

    with asyncio.Runner() as runner:
        return runner.run(create())


@asynccontextmanager
async def open_memory(server: Server, embedder: Embedder, databases: tuple[str, str]) -> AsyncGenerator[Memory]:
    """Yield the real memory over a short-term and a long-term database, with all names known."""
    short, long = databases
    async with (
        open_existing_database(server, short, name=SHORT_TERM) as short_term,
        open_existing_database(server, long, name=LONG_TERM) as long_term,
    ):
        memory = Memory(searchable_database(short_term), searchable_database(long_term), embedder)
        await memory.load_names()
        yield memory
