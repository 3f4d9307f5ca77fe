"""A backup is proved in a database of its own, of which nothing is left afterwards."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

from db.databases import LONG_TERM, SHORT_TERM, Database, open_database
from db.engines import parse_dsn
from errors import DatabaseSetupError, InputFileError
from ops.backup import restore, scratch
from ops.backup.create import BackupPlan, create
from ops.backup.formats import Format
from ops.backup.manifest import read_manifest
from ops.backup.restore import verify_by_restoring
from ops.backup.scratch import open_scratch
from tests.conftest import open_new_database
from tests.lived_in import PATIENCE, WIDTH, live_in, rows_of
from tests.sentences import is_one_sentence
from tests.servers import Server
from util_async import no_progress

pytestmark = pytest.mark.server

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FORMATS = [Format.CSV, Format.BINARY, Format.DUMP]
EVERY_FORMAT = [pytest.param(one, id=one.value) for one in FORMATS]
NAMES = sql.SQL("SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles")


@pytest.fixture(scope="module", params=[SHORT_TERM, LONG_TERM])
def folder(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a memory in every format."""

    async def back_up() -> Path:
        async with open_new_database(server, request.param, width=WIDTH) as database:
            await live_in(database)
            plan, backup_dir = BackupPlan(name="proved", formats=FORMATS), tmp_path_factory.mktemp("backups")
            made = await create([database], plan, backup_dir=backup_dir, now=NOW, timeout=PATIENCE, report=no_progress)
            return made.folder

    return asyncio.run(back_up())


@pytest.fixture
async def beside(server: Server, folder: Path) -> AsyncIterator[Database]:
    """A memory beside which backups are proved; it is empty."""
    async with open_new_database(server, read_manifest(folder).databases[0].name) as database:
        yield database


async def left_of(database: Database) -> list[str]:
    """Return the names of all databases and roles on the server that were made for a while beside this database."""
    beginning = scratch.scratch_prefix(str(database.engine.url.database))
    async with await psycopg.AsyncConnection.connect(database.dsn) as connection:
        rows = await (await connection.execute(NAMES)).fetchall()
    return [name for (name,) in rows if name.startswith(beginning)]


@pytest.mark.parametrize("source", EVERY_FORMAT)
async def test_a_backup_holds_what_its_manifest_says(folder: Path, beside: Database, source: Format) -> None:
    manifest = read_manifest(folder)

    compared = await verify_by_restoring(folder, manifest, beside, source=source, timeout=PATIENCE, report=no_progress)

    assert [one.table for one in compared] == [table.name for table in manifest.databases[0].tables]
    assert [one for one in compared if not one.is_equal or not one.here.rows] == []
    assert await rows_of(beside) == {}
    assert await left_of(beside) == []


@pytest.mark.parametrize("source", EVERY_FORMAT)
async def test_it_tells_what_is_not_as_the_manifest_says(folder: Path, beside: Database, source: Format) -> None:
    manifest = read_manifest(folder)
    (entry,) = manifest.databases
    tables = [table.model_copy(update={"rows": table.rows + (table.name == "messages")}) for table in entry.tables]
    other = manifest.model_copy(update={"databases": [entry.model_copy(update={"tables": tables})]})

    compared = await verify_by_restoring(folder, other, beside, source=source, timeout=PATIENCE, report=no_progress)

    assert [one.table for one in compared if not one.is_equal] == ["messages"]
    assert await left_of(beside) == []


async def test_nothing_is_left_when_it_fails(folder: Path, beside: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise InputFileError("It fails.")

    monkeypatch.setattr(restore, "_replace_content", fail)

    with pytest.raises(InputFileError):
        await verify_by_restoring(
            folder, read_manifest(folder), beside, source=Format.CSV, timeout=PATIENCE, report=no_progress
        )

    assert await left_of(beside) == []


async def test_what_a_killed_run_left_is_dropped_by_the_next(blank: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave(*_: object, **__: object) -> None:
        """Drop nothing."""

    monkeypatch.setattr(scratch, "_drop_in_new_connection", leave)
    async with open_scratch(blank, timeout=PATIENCE) as address:
        await migrated(blank, address)
    assert len(await left_of(blank)) == 3  # a database and two roles
    monkeypatch.undo()

    async with open_scratch(blank, timeout=PATIENCE) as another:
        assert await left_of(blank) == [another.database]

    assert await left_of(blank) == []


async def test_what_another_run_needs_is_not_dropped(blank: Database) -> None:
    async with open_scratch(blank, timeout=PATIENCE) as one, open_scratch(blank, timeout=PATIENCE) as other:
        assert sorted(await left_of(blank)) == sorted([str(one.database), str(other.database)])


async def test_a_database_whose_name_only_begins_like_that_is_not_dropped(server: Server, blank: Database) -> None:
    theirs = f"{scratch.scratch_prefix(str(blank.engine.url.database))}of_somebody"
    async with await psycopg.AsyncConnection.connect(blank.dsn, autocommit=True) as connection:
        await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(theirs)))
    try:
        async with open_scratch(blank, timeout=PATIENCE):
            assert theirs in await left_of(blank)
    finally:
        await asyncio.to_thread(server.drop_database, theirs)


async def test_names_that_are_as_long_as_can_be_still_differ() -> None:
    ours, theirs = scratch.scratch_prefix("x" * 62 + "1"), scratch.scratch_prefix("x" * 62 + "2")

    assert ours != theirs
    assert len(ours) + 8 <= 63


async def test_a_user_who_may_not_create_databases_is_told_what_to_do(server: Server, blank: Database) -> None:
    name, user = str(blank.engine.url.database), server.create_user("owner", "secret")
    url = parse_dsn(server.dsn(name, user=user, password="secret"), name="DSN")
    opening = open_database(url, name=LONG_TERM, pool_size=1, timeout=PATIENCE, layout=blank.layout)
    async with opening as theirs:
        with pytest.raises(DatabaseSetupError) as caught:
            async with open_scratch(theirs, timeout=PATIENCE):
                pass

    assert is_one_sentence(str(caught.value))
    assert f'ALTER ROLE "{user}" CREATEDB' in str(caught.value)


async def migrated(beside: Database, address: URL) -> None:
    """Migrate a scratch database, which gives it roles."""
    opening = open_database(address, name=LONG_TERM, pool_size=1, timeout=PATIENCE, layout=beside.layout)
    async with opening as database:
        await database.migrate(dimensions=WIDTH)
