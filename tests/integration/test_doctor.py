"""The doctor finds what was broken on purpose, in a real PostgreSQL, a real language server and a Discord's wire."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.models import shared_model
from cli.commands.check import check_registration
from db.chunks import find_chunks, is_hypertable
from db.config import Addresses, Layout, Layouts
from db.databases import LONG_TERM, SHORT_TERM, Database
from db.embedded import is_running, start_embedded, stop_embedded
from db.engines import transaction
from db.vector_index import build, drop_all
from errors import DiscordSetupError
from memory.capture.journal import Journal
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.store import Indexed
from ops.checks import database as database_module
from ops.checks import indexes, models, storage
from ops.checks.database import open_if_made, read_only_session
from ops.checks.models import ModelToCheck
from ops.checks.result import CheckReport, CheckResult, Status, exit_status
from ops.checks.run import Deployment, examine
from storage.sessions import choose_session, open_session_folder, remember_session
from tests.builders import closed_port, message, minute, remember
from tests.conftest import open_existing_database
from tests.fake_discord import open_fake_discord
from tests.servers import Server
from util_async import background_task, no_progress

pytestmark = pytest.mark.server

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
MODEL = ModelToCheck(name="some", base_url=None, openai_api_key=None, hf_token=None, create=lambda: None)
BM25_READY = """
    UPDATE pg_index SET indisready = CAST(:ready AS boolean)
    FROM pg_class JOIN pg_am ON pg_am.oid = relam WHERE pg_class.oid = indexrelid AND amname = 'bm25'
"""  # an index that is not ready is left out of what is written


async def run(database: Database, statement: str, **values: str) -> None:
    """Run a statement as the owner."""
    async with database.engine.begin() as connection:
        await connection.execute(text(statement), values)


def said(finding: CheckResult, state: Status, *words: str) -> bool:
    """Tell whether a finding is of a state, with these words in it; show it when it is not."""
    assert finding.status is state, finding
    assert [one for one in words if one not in finding.message] == [], finding
    return True


@pytest.fixture
async def lived_in(short_term: Database, embedder: Embedder) -> Database:
    """A short-term memory with a few messages."""
    texts = ["the kiln reaches 1280 degrees", "lunch was good", "we ship the crates on Friday"]
    await remember(short_term, embedder, [message(number, words) for number, words in enumerate(texts, start=1)])
    return short_term


# ---- a database that is well


async def test_a_memory_that_is_well_is_found_well(lived_in: Database, embedder: Embedder) -> None:
    findings = [
        await database_module.server(lived_in),
        await database_module.extensions(lived_in),
        await database_module.migrations(lived_in),
        await database_module.table(lived_in),
        await database_module.roles(lived_in),
        await indexes.validity(lived_in),
        await indexes.words(lived_in),
        await indexes.without_vector(lived_in),
        await indexes.statistics(lived_in),
        await models.vectors(lived_in, embedder),
        await models.embedding(embedder),
    ]

    assert [finding for finding in findings if finding.status is not Status.OK] == []


async def test_every_message_of_a_small_memory_is_looked_for_by_its_words(lived_in: Database) -> None:
    assert said(await indexes.words(lived_in), Status.OK, "3 of 3 stored messages")


async def test_a_look_cannot_change_anything(lived_in: Database) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        async with read_only_session(lived_in) as session:
            await session.execute(text("DELETE FROM messages"))


# ---- databases that are not


async def test_a_database_that_nobody_has_used_is_not_made_yet(blank: Database) -> None:
    assert await database_module.extensions(blank) == database_module.NOT_MADE
    assert await database_module.migrations(blank) == database_module.NOT_MADE


@pytest.mark.parametrize(
    ("revision", "state", "words"),
    [
        pytest.param("0001", Status.WARNING, "the next start of the bot upgrades", id="an old one"),
        pytest.param("9999", Status.WRONG, "install a newer version", id="one of a later program"),
    ],
)
async def test_another_revision_is_told(short_term: Database, revision: str, state: Status, words: str) -> None:
    await run(short_term, "UPDATE alembic_version SET version_num = :revision", revision=revision)

    assert said(await database_module.migrations(short_term), state, revision, words)


async def test_an_extension_that_the_server_has_in_a_newer_version_is_told(short_term: Database) -> None:
    await run(short_term, "UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'vector'")

    finding = await database_module.extensions(short_term)

    assert said(finding, Status.WARNING, "vector 0.0.1 (available: 0.", "ALTER EXTENSION vector UPDATE;")
    assert "ALTER EXTENSION vectorscale" not in finding.message


async def test_an_index_that_was_not_built_to_its_end_is_named(short_term: Database) -> None:
    await run(short_term, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'messages_sent_at'::regclass")

    assert said(await indexes.validity(short_term), Status.WRONG, "REINDEX INDEX messages_sent_at;")


async def test_an_index_that_is_being_built_is_not_blamed(lived_in: Database) -> None:
    async with lived_in.engine.begin() as writing:
        (part,) = await find_chunks(writing, hypertable=await is_hypertable(writing))
        await writing.execute(text("UPDATE messages SET content = content"))
        async with background_task(_create_index(lived_in, part.table)):
            await _until_it_has_begun(writing)

            finding = await indexes.validity(lived_in)

    assert said(finding, Status.OK, "1 that is being built")


async def _create_index(database: Database, table: str) -> None:
    """Begin an index that has to wait for those who write."""
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE INDEX CONCURRENTLY grows ON {table} (author_name)"))


async def _until_it_has_begun(connection: AsyncConnection) -> None:
    async with asyncio.timeout(30):
        while not await connection.scalar(text("SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'grows')")):
            pass


async def test_an_index_that_is_missing_is_told_with_what_makes_it(short_term: Database) -> None:
    await run(short_term, "DROP INDEX messages_sent_at")
    finding = await indexes.validity(short_term)
    assert said(finding, Status.WRONG)

    await run(short_term, finding.message.partition("run ")[2])

    assert said(await indexes.validity(short_term), Status.OK)


async def test_a_missing_index_of_words_is_told(lived_in: Database) -> None:
    await run(lived_in, "DROP INDEX messages_bm25")

    assert said(await indexes.words(lived_in), Status.WRONG, "the next start builds it")


async def test_messages_that_the_index_of_words_has_lost_are_told(lived_in: Database, embedder: Embedder) -> None:
    await run(lived_in, BM25_READY, ready="false")
    await remember(lived_in, embedder, [message(4, "a zeppelin crosses the lagoon")])
    await run(lived_in, BM25_READY, ready="true")

    assert said(await indexes.words(lived_in), Status.WARNING, "3 of 4 stored messages", "REINDEX INDEX")


async def test_an_index_of_words_from_before_a_restart_is_not_blamed(lived_in: Database) -> None:
    await run(lived_in, "UPDATE facts SET value = 'an earlier start' WHERE name = 'word_index_whole_since'")

    assert said(await indexes.words(lived_in), Status.OK, "was restarted")


async def test_messages_without_a_vector_are_counted(lived_in: Database) -> None:
    await run(lived_in, "UPDATE messages SET embedding = NULL WHERE message_id > 1")

    assert said(await indexes.without_vector(lived_in), Status.WARNING, "2 messages have no vector", "re-embed")


async def test_messages_that_say_nothing_need_no_vector(lived_in: Database) -> None:
    await run(lived_in, "UPDATE messages SET embedding = NULL, search_text = '' WHERE message_id = 1")
    await run(lived_in, "UPDATE messages SET embedding = NULL, deleted_at = now() WHERE message_id = 2")

    assert said(await indexes.without_vector(lived_in), Status.OK)


async def test_a_memory_of_another_width_is_told_with_the_way_out(blank: Database, embedder: Embedder) -> None:
    await blank.migrate(dimensions=12)

    assert said(await models.vectors(blank, embedder), Status.WRONG, "(12 dimensions)", "(384)", "re-embed")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        pytest.param("another model", "'another model' (384 dimensions)", id="another model"),
        pytest.param("being replaced", "stopped half-way", id="half re-embedded"),
    ],
)
async def test_a_memory_of_another_model_is_told(
    short_term: Database, embedder: Embedder, fact: str, words: str
) -> None:
    await run(short_term, "UPDATE facts SET value = :fact WHERE name = 'embedding_model'", fact=fact)

    assert said(await models.vectors(short_term, embedder), Status.WRONG, words, "re-embed")


async def test_tools_that_may_write_are_told_with_the_way_out(short_term: Database) -> None:
    async with transaction(short_term.reading) as session:
        reader = await session.scalar(text("SELECT current_user::text"))
    grant = sql.SQL("GRANT DELETE ON facts TO {}").format(sql.Identifier(reader)).as_string()
    await run(short_term, grant)

    assert said(await database_module.roles(short_term), Status.WRONG, reader, "facts", "REVOKE")


async def test_two_addresses_of_one_database_are_told(server: Server, short_term: Database) -> None:
    held = short_term.engine.url.database
    assert held is not None
    async with open_existing_database(server, held, name=LONG_TERM) as other:
        assert said(await database_module.two_databases(short_term, other), Status.WRONG, "name the same database")


async def test_two_databases_of_one_server_are_two(short_term: Database, long_term: Database) -> None:
    assert said(await database_module.two_databases(short_term, long_term), Status.OK)


# ---- the vector index


WIDTH, ROWS = 24, indexes.FEW + 200
LAYOUT = Layout(hot_rows=0)


@pytest.fixture(scope="module")
def crowd(server: Server) -> Iterator[str]:
    """The name of a memory that is large enough for its vector index to be measured."""

    async def fill(name: str) -> None:
        async with open_existing_database(server, name, name=LONG_TERM) as database:
            await write_many(database)

    name = server.create_database("crowd", width=WIDTH)
    asyncio.run(fill(name))
    yield name
    server.drop_database(name)


async def write_many(database: Database) -> None:
    await database.migrate(dimensions=WIDTH)
    vectors = np.random.default_rng(7).normal(size=(ROWS, WIDTH)).astype(np.float32)
    rows = [
        Indexed(message(number, f"word{number}"), f"word{number}", vector, "model")
        for number, vector in enumerate(vectors)
    ]
    async with database.engine.begin() as connection:
        await drop_all(connection)
    for start in range(0, ROWS, 1000):
        async with transaction(database.sessions) as session:
            batch = rows[start : start + 1000]
            await store.write(session, batch=batch, revisions=(), journal="test", position=0)
    await run(database, "ANALYZE messages")


@pytest.fixture
async def crowded(server: Server, crowd: str) -> AsyncIterator[Database]:
    """That memory, without a vector index."""
    async with open_existing_database(server, crowd, name=LONG_TERM) as database:
        async with database.engine.begin() as connection:
            await drop_all(connection)
        yield replace(database, layout=LAYOUT)


async def test_the_recall_of_the_vector_index_is_measured(crowded: Database) -> None:
    await build(crowded.engine, LAYOUT, report=no_progress)

    assert said(await indexes.recall(crowded), Status.OK, f"nearest of {indexes.SIZE} stored messages are found")
    assert said(await database_module.table(crowded), Status.OK)


async def test_an_index_that_finds_too_little_is_worth_a_warning(
    crowded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await build(crowded.engine, LAYOUT, report=no_progress)

    async def misses(*_: object, **__: object) -> set[tuple[int, datetime]]:
        return {(number, minute(number)) for number in range(10)}

    monkeypatch.setattr("memory.search.vectors.nearest", misses)

    assert said(await indexes.recall(crowded), Status.WARNING, "less than 90%", "REINDEX INDEX")


async def test_a_vector_index_that_is_missing_is_told(crowded: Database) -> None:
    assert said(await database_module.table(crowded), Status.WARNING, "vector index", "the next start")
    assert said(await indexes.recall(crowded), Status.LEFT_OUT, "no vector index")


async def test_few_rows_tell_nothing_of_recall(lived_in: Database) -> None:
    assert said(await indexes.recall(lived_in), Status.LEFT_OUT, "every vector is compared anyway")


# ---- storage


async def test_how_far_a_session_is_stored_is_told(tmp_path: Path, short_term: Database) -> None:
    session = choose_session(tmp_path, name="demo", add_date=False, add_number=False, today=NOW.date())
    open_session_folder(session)
    remember_session(tmp_path, session)
    journal = Journal(session.journal_path)
    journal.open()
    journal.record([message(1, "hello")])
    journal.close()
    size = session.journal_path.stat().st_size

    nothing = await storage.journal(tmp_path, short_term)
    async with transaction(short_term.sessions) as writing:
        await store.write(writing, batch=(), revisions=(), journal="demo", position=size)
    everything = await storage.journal(tmp_path, short_term)

    assert said(nothing, Status.OK, f"0 of the CSV's {size} bytes", "the next start")
    assert said(everything, Status.OK, f"{size} of the CSV's {size} bytes are stored")


async def test_without_a_session_nothing_is_told_of_one(tmp_path: Path, short_term: Database) -> None:
    assert said(await storage.journal(tmp_path, short_term), Status.LEFT_OUT)


def test_a_storage_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "storage").write_text("no folder")

    assert said(storage.folder(tmp_path / "storage"), Status.WRONG, "is no folder")


def test_a_storage_folder_that_is_not_there_yet_is_well(tmp_path: Path) -> None:
    assert said(storage.folder(tmp_path / "new" / "storage"), Status.OK, "the first start makes it")
    assert not (tmp_path / "new").exists()


@pytest.mark.own_server
async def test_an_embedded_server_is_left_as_it_was_found(scratch: Path) -> None:
    folder, patience = scratch / "postgres", timedelta(minutes=1)
    await start_embedded(folder)

    async with open_if_made(folder, start_timeout=patience):
        pass
    still_runs = await is_running(folder)
    await stop_embedded(folder)
    async with open_if_made(folder, start_timeout=patience):
        runs_meanwhile = await is_running(folder)
    runs_afterwards = await is_running(folder)

    assert (still_runs, runs_meanwhile, runs_afterwards) == (True, True, False)


# ---- the language model


@asynccontextmanager
async def open_models(status: int) -> AsyncGenerator[tuple[str, list[str]]]:
    """Yield the address of a server that answers with a status, and the keys that it was sent."""
    keys: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        keys.append(request.headers.get("Authorization", ""))
        return web.json_response({"data": []}, status=status)

    app = web.Application()
    app.router.add_get("/v1/models", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1")), keys


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        pytest.param(200, Status.OK, "answers", id="that works"),
        pytest.param(404, Status.OK, "answers", id="that has no list of models"),
        pytest.param(401, Status.WRONG, "refuses the key", id="that refuses the key"),
        pytest.param(503, Status.WRONG, "does not work", id="that is out of order"),
    ],
)
async def test_a_server_of_language_models_is_asked(status: int, state: Status, words: str) -> None:
    async with open_models(status) as (url, keys):
        finding = await models.language(openai(url))

    assert said(finding, state, words)
    assert keys == ["Bearer the key"]
    assert "the key" not in finding.message.replace("refuses the key of", "")


async def test_a_server_that_is_away_is_named_without_its_password() -> None:
    finding = await models.language(openai(f"http://me:hidden@127.0.0.1:{closed_port()}/v1"))

    assert said(finding, Status.WRONG, "does not answer", "LLM_BASE_URL")
    assert "hidden" not in finding.message


def openai(url: str) -> ModelToCheck:
    return replace(MODEL, name="openai:some", base_url=url, openai_api_key="the key")


# ---- Discord


async def test_discord_tells_of_the_intent_and_the_server() -> None:
    async with open_fake_discord() as fake:
        guild = fake.world.guild("Harbour")
        there = await check_registration(fake.token, guild.id)
        fake.world.expel(guild)
        elsewhere = await check_registration(fake.token, guild.id)
        fake.gateway.flags = 0
        blind = await check_registration(fake.token, None)

    assert said(there, Status.OK, "backscroll", f"in server {guild.id}")
    assert said(elsewhere, Status.WARNING, "DISCORD_SERVER_ID")
    assert said(blind, Status.WRONG, "Message Content Intent")
    assert fake.gateway.identified == [], "the bot went online"


async def test_a_token_that_discord_refuses_is_told() -> None:
    async with open_fake_discord():
        with pytest.raises(DiscordSetupError, match="refuses DISCORD_TOKEN"):
            await check_registration("bad", None)


# ---- the whole


def deployment(storage_dir: Path, *, short_term: str | None, long_term: str | None) -> Deployment:
    return Deployment(
        storage_dir=storage_dir,
        backup_dir=storage_dir,
        addresses=Addresses(short_term=short_term, long_term=long_term, embedded_dir=storage_dir / "postgres"),
        layouts=Layouts(),
        embedding=shared_model(),
        time_zone=ZoneInfo("Europe/Paris"),
    )


async def test_one_server_that_is_away_keeps_nothing_else_from_being_looked_at(
    tmp_path: Path, long_term: Database
) -> None:
    report = CheckReport()
    away = f"postgresql://me:hidden@127.0.0.1:{closed_port()}/x"

    await examine(deployment(tmp_path, short_term=away, long_term=long_term.dsn), report, now=NOW)

    findings = {line.name: line.result for line in report.lines}
    assert exit_status(report.lines) != 0
    assert said(findings[f"{SHORT_TERM} server"], Status.WRONG, "does not answer")
    assert said(findings[f"{SHORT_TERM} memory"], Status.LEFT_OUT)
    assert [name for name, finding in findings.items() if finding.status is Status.WRONG] == [f"{SHORT_TERM} server"]
    assert said(findings[f"{LONG_TERM} migrations"], Status.OK)
    assert said(findings["time zone"], Status.OK, "11:00")
    assert "hidden" not in str(report.lines)


async def test_where_nothing_was_made_yet_nothing_is_made(tmp_path: Path) -> None:
    report = CheckReport()

    await examine(deployment(tmp_path / "storage", short_term=None, long_term=None), report, now=NOW)

    findings = {line.name: line.result for line in report.lines}
    assert exit_status(report.lines) == 0
    assert findings["embedded server"] == findings[f"{LONG_TERM} memory"] == database_module.NOT_MADE
    assert not (tmp_path / "storage").exists()
