"""What many tests share: one PostgreSQL and one embedding model for the whole run, new databases for each test."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from db.databases import Database
from db.embedded import EmbeddedServer, ensure_database, open_embedded
from db.engines import open_engine, parse_dsn, sessions_of
from db.readiness import find_capabilities
from memory.embedder import Embedder
from memory.preparation import prepare
from memory.search import Memory
from memory.visit import shelf_of

_PATIENCE = timedelta(seconds=60)
_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A real PostgreSQL of the tests' own, forgotten at the end."""
    folder = Path(tempfile.mkdtemp(prefix="backscroll-tests-"))
    folder.chmod(0o755)  # else root's server, which runs as another user, would live in /var/lib/backscroll
    opening = open_embedded(folder / "postgres", start_timeout=_PATIENCE, durable=False)
    with asyncio.Runner() as runner:
        running = runner.run(opening.__aenter__())
        try:
            yield running
        finally:
            runner.run(opening.__aexit__(None, None, None))
            shutil.rmtree(running.home, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder that the server's user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="backscroll-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def embedder() -> Iterator[Embedder]:
    """The real embedding model, loaded once."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        yield Embedder("all-MiniLM-L6-v2", batch_size=16, worker=worker)


@asynccontextmanager
async def open_new_database(server: EmbeddedServer, name: str) -> AsyncGenerator[Database]:
    """Yield a database that nobody has used before, not migrated."""
    database = f"{name.replace('-', '_')}_{next(_numbers)}"
    await ensure_database(server, database)
    url = parse_dsn(server.dsn(database), name="DSN")
    async with open_engine(url, pool_size=3, timeout=_PATIENCE) as engine:
        yield Database(name, engine, sessions_of(engine), await find_capabilities(engine, name=name))


@pytest.fixture
async def blank(server: EmbeddedServer) -> AsyncGenerator[Database]:
    """A database without any of our tables."""
    async with open_new_database(server, "blank") as database:
        yield database


@pytest.fixture
async def short_term(server: EmbeddedServer, embedder: Embedder) -> AsyncGenerator[Database]:
    """An empty short-term memory."""
    async with open_new_database(server, "short-term") as database:
        await prepare(database, embedder)
        yield database


@pytest.fixture
async def long_term(server: EmbeddedServer, embedder: Embedder) -> AsyncGenerator[Database]:
    """An empty long-term memory."""
    async with open_new_database(server, "long-term") as database:
        await prepare(database, embedder)
        yield database


@pytest.fixture
def long_term_dsn(long_term: Database) -> str:
    """The address of the long-term memory, for psycopg."""
    return long_term.dsn


@pytest.fixture
def memory(short_term: Database, long_term: Database, embedder: Embedder) -> Memory:
    """Both memories, as the agent sees them."""
    return Memory(shelf_of(short_term), shelf_of(long_term), embedder)
