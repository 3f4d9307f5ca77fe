"""The word index is whole again after the server has been restarted, and looking after it harms nobody."""

import logging
import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from db.config import LONG_TERM_LAYOUT
from db.databases import Database, open_database
from db.embedded import ensure_database, open_embedded
from db.engines import open_engine, parse_dsn, transaction
from db.word_index import rebuild_damaged
from memory.embedding.embedder import Embedder
from memory.filters import Filters
from memory.index.reembed import prepare
from memory.search.candidates import find_candidates
from tests.builders import already, message, remember
from util_async import FailureLog

pytestmark = pytest.mark.server

LONG = timedelta(seconds=60)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="backscroll-words-"))
    folder.chmod(0o755)
    yield folder / "postgres"
    shutil.rmtree(folder)


@asynccontextmanager
async def _started(place: Path) -> AsyncGenerator[Database]:
    """Start the server for the length of the block, with one database as it was left."""
    async with open_embedded(place, start_timeout=LONG, durable=False) as server:
        await ensure_database(server, "words")
        url = parse_dsn(server.dsn("words"), name="DSN")
        async with open_database(url, name="words", pool_size=2, timeout=LONG, layout=LONG_TERM_LAYOUT) as database:
            yield database


async def _words_found(database: Database, embedder: Embedder) -> float:
    """Return the best score that words alone give."""
    vector = (await embedder.embed(["lantern"]))[0]
    filters = Filters(places=frozenset({message().place_id}))
    async with transaction(database.sessions) as session:
        found, _ = await find_candidates(
            session,
            text="lantern",
            vector=already(vector),
            filters=filters,
            wanted=3,
            bm25=True,
            hypertable=database.capabilities.hypertables,
        )
    return max(one.lexical for one in found)


@pytest.mark.own_server
async def test_words_are_found_after_a_restart_of_the_server(place: Path, embedder: Embedder) -> None:
    async with _started(place) as database:
        await prepare(database, embedder)
        await remember(database, embedder, [message(1, "the lantern is lit"), message(2, "good night")])
        before = await _words_found(database, embedder)

    async with _started(place) as database:
        await rebuild_damaged(database.engine, FailureLog(logging.getLogger(__name__)))
        after = await _words_found(database, embedder)

    assert before > 0
    assert after == pytest.approx(before)


async def test_a_database_without_a_free_connection_is_left_to_the_next_look(
    short_term: Database, caplog: pytest.LogCaptureFixture
) -> None:
    hurry = timedelta(milliseconds=200)

    async with open_engine(short_term.engine.url, pool_size=1, timeout=hurry) as engine, engine.connect():
        await rebuild_damaged(engine, FailureLog(logging.getLogger(__name__)))

    assert "could not be looked at: PostgreSQL did not answer" in caplog.text
