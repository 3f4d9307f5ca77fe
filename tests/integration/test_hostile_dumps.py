"""A dump is a program that anybody may have written: of it nothing but rows of our own tables is ever used."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import sql

from db.databases import LONG_TERM, Database
from db.embedded import EmbeddedServer
from db.table_copy import TableComparison
from errors import DatabaseSetupError
from ops.backup.create import BackupPlan, create
from ops.backup.formats import Format
from ops.backup.manifest import read_manifest
from ops.backup.restore import restore, verify_by_restoring
from tests.conftest import open_new_database
from tests.lived_in import MODEL, PATIENCE, WIDTH, live_in, rows_of, run
from tests.sentences import is_one_sentence
from tests.servers import embedded_server
from util_async import no_progress

pytestmark = pytest.mark.server

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FUNCTION = sql.SQL(
    "CREATE FUNCTION strike(text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN EXECUTE {statement}; RETURN true; END$$"
)
Use = Callable[[Path, Database], Awaitable[list[TableComparison]]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that only a program which the server runs can have made."""

    path: Path

    def is_there(self) -> bool:
        return self.path.exists()

    def take_away(self) -> None:
        self.path.unlink(missing_ok=True)


@pytest.fixture
def hit() -> Iterator[Hit]:
    """A file that is not there, in a folder where the account of the server may make it."""
    folder = Path(tempfile.mkdtemp(prefix="backscroll-hit-"))
    folder.chmod(0o777)
    yield Hit(folder / "hit")
    shutil.rmtree(folder)


@pytest.fixture
async def source(embedded: EmbeddedServer, hit: Hit) -> AsyncIterator[Database]:
    """A memory on somebody else's server, with a function that lets the server run a program."""
    statement = f"COPY (SELECT 1) TO PROGRAM 'touch {hit.path}; cat >&2'"
    async with open_new_database(embedded_server(embedded), LONG_TERM, width=WIDTH) as database:
        await live_in(database)
        await run(database, FUNCTION.format(statement=sql.Literal(statement)).as_string())
        await run(database, "SELECT strike('')")
        assert hit.is_there()
        yield database


@pytest.fixture
async def target(embedded: EmbeddedServer) -> AsyncIterator[Database]:
    """A memory of ours, whose owner may do anything on the server."""
    async with open_new_database(embedded_server(embedded), LONG_TERM, width=WIDTH) as database:
        yield database


async def dumped(database: Database, backup_dir: Path, hit: Hit) -> Path:
    """Back a memory up as a dump, and take away what the function has left until then."""
    plan = BackupPlan(name="given", formats=[Format.DUMP])
    made = await create([database], plan, backup_dir=backup_dir, now=NOW, timeout=PATIENCE, report=no_progress)
    hit.take_away()
    return made.folder


async def proved(folder: Path, database: Database) -> list[TableComparison]:
    manifest = read_manifest(folder)
    return await verify_by_restoring(
        folder, manifest, database, source=Format.DUMP, timeout=PATIENCE, report=no_progress
    )


async def restored(folder: Path, database: Database) -> list[TableComparison]:
    found = await restore(
        folder,
        read_manifest(folder),
        database,
        source=Format.DUMP,
        erasures={},
        dimensions=WIDTH,
        model=MODEL,
        timeout=PATIENCE,
        report=no_progress,
    )
    return found.tables


@pytest.mark.parametrize("use", [proved, restored])
async def test_nothing_of_it_is_run(source: Database, target: Database, hit: Hit, tmp_path: Path, use: Use) -> None:
    await run(source, "ALTER TABLE messages ADD CHECK (strike(content))")
    folder, rows = await dumped(source, tmp_path, hit), await rows_of(source)

    compared = await use(folder, target)

    assert not hit.is_there()
    assert compared
    assert all(one.is_equal for one in compared)
    assert await rows_of(target) == (rows if use is restored else {name: [] for name in rows})


@pytest.mark.parametrize("use", [proved, restored])
async def test_tables_that_are_not_ours_are_refused_and_not_made(
    source: Database, target: Database, hit: Hit, tmp_path: Path, use: Use
) -> None:
    await run(source, "CREATE TABLE hits (hit text CHECK (strike(hit)))")
    await run(source, "INSERT INTO hits VALUES ('x')")
    folder, before = await dumped(source, tmp_path, hit), await rows_of(target)

    with pytest.raises(DatabaseSetupError, match="no column hit") as caught:
        await use(folder, target)

    assert is_one_sentence(str(caught.value))
    assert not hit.is_there()
    assert await rows_of(target) == before
