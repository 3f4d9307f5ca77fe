"""A restore brings back every row of a backup, on any server, or leaves the database as it was."""

import asyncio
import hashlib
import json
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import zstandard
from alembic import command
from sqlalchemy import Connection, text

from bench.processes import ROOT
from db import table_copy
from db.databases import LONG_TERM, SHORT_TERM, Database, open_database
from db.embedded import EmbeddedServer
from db.engines import parse_dsn
from db.metadata import MOVE_FACT, WORD_INDEX_FACT
from db.migrate import alembic_config
from db.vector_index import build
from errors import (
    BackscrollError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    EmbeddingModelError,
    InputFileError,
)
from ops.backup import restore as restore_module
from ops.backup.create import BackupPlan, create
from ops.backup.formats import Format
from ops.backup.manifest import MANIFEST, Manifest, read_manifest
from ops.backup.restore import Restored, restore, verify_by_restoring
from tests.builders import message, minute
from tests.conftest import open_new_database
from tests.lived_in import MODEL, PATIENCE, WIDTH, indexes_of, live_in, rows_of, run, write
from tests.sentences import is_one_sentence
from tests.servers import Server, embedded_server
from util_async import no_progress

pytestmark = pytest.mark.server

CREATED = datetime(2026, 12, 1, tzinfo=UTC)
FORMATS = [Format.CSV, Format.BINARY, Format.DUMP]
EVERY_FORMAT = [pytest.param(one, id=one.value) for one in FORMATS]
DUMP = Path("long_term", "long_term.dump")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup, and the rows of the database that it was made of."""

    folder: Path
    rows: dict[str, list[str]]

    def manifest(self) -> Manifest:
        return read_manifest(self.folder)


async def back_up(database: Database, backup_dir: Path, *, compress: bool = True) -> Backup:
    plan = BackupPlan(name="lived in", formats=FORMATS, compress=compress)
    made = await create([database], plan, backup_dir=backup_dir, now=CREATED, timeout=PATIENCE, report=no_progress)
    return Backup(made.folder, await rows_of(database))


async def live_and_back_up(server: Server, backup_dir: Path, name: str, *, compress: bool = True) -> Backup:
    async with open_new_database(server, name, width=WIDTH) as database:
        await live_in(database)
        return await back_up(database, backup_dir, compress=compress)


@pytest.fixture(scope="module")
def backup(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """A backup of a long-term memory on the tests' server; whoever changes its files takes a copy."""
    return asyncio.run(live_and_back_up(server, tmp_path_factory.mktemp("backups"), LONG_TERM))


@pytest.fixture
def damaged(backup: Backup, tmp_path: Path) -> Backup:
    """A copy of the backup, for a test to damage."""
    return replace(backup, folder=shutil.copytree(backup.folder, tmp_path / backup.folder.name))


@pytest.fixture
async def target(server: Server) -> AsyncIterator[Database]:
    """A database that nobody has used before."""
    async with open_new_database(server, LONG_TERM) as database:
        yield database


@pytest.fixture
async def filled(server: Server) -> AsyncIterator[Database]:
    """A long-term memory that holds other messages."""
    async with open_new_database(server, LONG_TERM, width=WIDTH) as database:
        await database.migrate(dimensions=WIDTH)
        await write(database, message(1, "what was here before"), message(2, "and what came with it"))
        yield database


async def restored(backup: Backup, database: Database, source: Format = Format.BINARY, **changes: Any) -> Restored:
    arguments: dict[str, Any] = {
        "source": source,
        "erasures": {},
        "dimensions": WIDTH,
        "model": MODEL,
        "timeout": PATIENCE,
        "report": no_progress,
    }
    return await restore(backup.folder, backup.manifest(), database, **{**arguments, **changes})


@pytest.mark.parametrize("source", EVERY_FORMAT)
async def test_every_row_of_every_table_comes_back(backup: Backup, target: Database, source: Format) -> None:
    found = await restored(backup, target, source)

    assert await rows_of(target) == backup.rows
    assert backup.rows
    assert all(backup.rows.values())
    assert {one.table: one.is_equal for one in found.tables} == dict.fromkeys(backup.rows, True)


@pytest.mark.parametrize("source", EVERY_FORMAT)
async def test_what_was_there_before_is_gone(backup: Backup, filled: Database, source: Format) -> None:
    await restored(backup, filled, source)

    assert await rows_of(filled) == backup.rows


async def test_short_term_memory_comes_back_without_compression_too(server: Server, tmp_path: Path) -> None:
    backup = await live_and_back_up(server, tmp_path, SHORT_TERM, compress=False)
    async with open_new_database(server, SHORT_TERM) as database:
        for source in FORMATS:
            await restored(backup, database, source)

            assert await rows_of(database) == backup.rows


@pytest.mark.parametrize("many", [pytest.param(0, id="made anew"), pytest.param(10**9, id="kept up")])
async def test_all_indexes_are_there_in_the_end(
    backup: Backup, filled: Database, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    before = await indexes_of(filled)
    monkeypatch.setattr(restore_module, "_MANY", many)

    await restored(backup, filled)
    await filled.migrate(dimensions=WIDTH)
    await build(filled.engine, filled.layout, report=no_progress)

    ours = [index for index in before if "_timescaledb_internal" not in index]
    assert set(ours) <= set(await indexes_of(filled))
    with pytest.raises(psycopg.errors.UniqueViolation):
        await insert_twice(filled)


async def insert_twice(database: Database) -> None:
    """Insert a message that is there already."""
    async with await psycopg.AsyncConnection.connect(database.dsn) as connection:
        await connection.execute("INSERT INTO messages SELECT * FROM messages WHERE message_id = 8")


@pytest.mark.parametrize("source", EVERY_FORMAT)
@pytest.mark.parametrize("there", [True, False], ids=["from the embedded server", "to the embedded server"])
async def test_it_crosses_from_one_server_to_another(
    server: Server, embedded: EmbeddedServer, tmp_path: Path, source: Format, there: bool
) -> None:
    servers = embedded_server(embedded), server
    origin, goal = servers if there else reversed(servers)
    backup = await live_and_back_up(origin, tmp_path, LONG_TERM)
    async with open_new_database(goal, LONG_TERM) as database:
        await restored(backup, database, source)

        assert await rows_of(database) == backup.rows


async def test_a_backup_of_an_older_revision_comes_back_in_the_tables_of_today(
    server: Server, target: Database, tmp_path: Path
) -> None:
    def upgrade(connection: Connection) -> None:
        command.upgrade(alembic_config(connection, dimensions=WIDTH), "0003")

    async with open_new_database(server, LONG_TERM) as old:
        async with old.engine.begin() as connection:
            await connection.run_sync(upgrade)
            await connection.execute(text(OLD_ROW))
        backup = await back_up(old, tmp_path)

    for source in FORMATS:
        await restored(backup, target, source)

        (row,) = (await rows_of(target))["messages"]
        assert "said long ago" in row
        assert row.endswith(",)")


@pytest.fixture
async def of_earlier_version(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backup:
    """A backup of a memory that has a table of an earlier version, in which it kept conversations."""
    async with open_new_database(server, LONG_TERM) as old:
        await live_in(old)
        await run(old, "CREATE TABLE checkpoints (thread_id text PRIMARY KEY, checkpoint jsonb NOT NULL)")
        await run(old, """INSERT INTO checkpoints VALUES ('1:7', '{"v": 1}')""")
        with monkeypatch.context() as patched:
            patched.setattr(table_copy, "_NOT_CONTENT", frozenset({"alembic_version"}))
            backup = await back_up(old, tmp_path)
    assert "checkpoints" in {table.name for table in backup.manifest().databases[0].tables}
    return backup


@pytest.mark.parametrize("source", EVERY_FORMAT)
async def test_a_table_that_only_an_earlier_version_had_is_left_out_and_the_rest_comes_back(
    of_earlier_version: Backup, filled: Database, source: Format
) -> None:
    found = await restored(of_earlier_version, filled, source)

    assert all(one.is_equal for one in found.tables)
    before = {name: rows for name, rows in of_earlier_version.rows.items() if name != "checkpoints"}
    assert await rows_of(filled) == before


@pytest.mark.parametrize("source", EVERY_FORMAT)
async def test_a_backup_with_such_a_table_is_proved_by_restoring_the_rest(
    of_earlier_version: Backup, target: Database, source: Format
) -> None:
    manifest = of_earlier_version.manifest()

    compared = await verify_by_restoring(
        of_earlier_version.folder, manifest, target, source=source, timeout=PATIENCE, report=no_progress
    )

    tables = {table.name for table in manifest.databases[0].tables}
    assert {one.table for one in compared if one.is_equal} == tables - {"checkpoints"}


OLD_ROW = """
    INSERT INTO messages (message_id, sent_at, session, channel_id, author_name, channel_name, kind, content,
                          search_text)
    VALUES (1, now(), 's', 1, 'ana', 'general', 'message', 'said long ago', '')
"""


async def test_vectors_of_another_width_give_way(backup: Backup, target: Database) -> None:
    await target.migrate(dimensions=WIDTH + 1)

    await restored(backup, target)

    assert await rows_of(target) == backup.rows


async def test_what_the_database_says_of_its_own_server_does_not_outlive_it(backup: Backup, filled: Database) -> None:
    await run(filled, f"INSERT INTO facts VALUES ('{MOVE_FACT}', 'half-filled')")  # noqa: S608

    await restored(backup, filled)

    async with filled.engine.connect() as connection:
        facts = set(await connection.scalars(text("SELECT name FROM facts")))
    assert not facts & {MOVE_FACT, WORD_INDEX_FACT}
    assert "session" in facts


async def test_the_report_ends_when_all_is_read(backup: Backup, target: Database) -> None:
    heard: list[tuple[int, int]] = []

    await restored(backup, target, report=lambda done, total: heard.append((done, total)))

    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1] > 0


async def test_those_who_were_forgotten_since_stay_forgotten(backup: Backup, target: Database) -> None:
    found = await restored(backup, target, erasures={1: minute(10**6)})

    rows = await rows_of(target)
    assert found.erased is not None
    assert not [row for row in rows["messages"] if "note 8" in row or "note 10" in row]
    assert [row for row in rows["messages"] if "note 11" in row]
    assert {row.split(",")[0] for row in rows["erasures"]} == {"(999", "(1"}


async def test_those_of_whom_the_database_itself_knew_stay_forgotten(backup: Backup, filled: Database) -> None:
    await run(filled, "INSERT INTO erasures VALUES (1, '2030-01-01Z')")

    await restored(backup, filled, erasures={1: minute(1)})

    rows = await rows_of(filled)
    assert not [row for row in rows["messages"] if "note 8" in row]
    assert '(1,"2030-01-01 00:00:00+00")' in rows["erasures"]


async def test_who_opted_out_since_stays_so_and_the_newest_wish_counts(backup: Backup, filled: Database) -> None:
    later = "2030-01-01 00:00:00+00"
    for wish in ("1, 'everything', '2030-01-01Z'", "998, 'none', '2001-01-01Z'", "2, 'none', '2030-01-01Z'"):
        await run(filled, f"INSERT INTO opt_outs VALUES ({wish})")  # noqa: S608

    await restored(backup, filled)

    rows = (await rows_of(filled))["opt_outs"]
    from_backup = [row for row in backup.rows["opt_outs"] if row.startswith("(998,")]
    assert sorted(rows) == sorted([f'(1,everything,"{later}")', f'(2,none,"{later}")', *from_backup])


async def test_pauses_and_ignored_channels_set_since_stay_and_other_settings_are_those_of_the_backup(
    backup: Backup, filled: Database
) -> None:
    settings = [("pauses", "[]"), ("ignored_channels", "{}"), ("restricting_roles", "[9]"), ("log_channel", "7")]
    for name, value in settings:
        await run(filled, f"INSERT INTO guild_settings VALUES (1, '{name}', '{value}', '2030-01-01Z')")  # noqa: S608

    await restored(backup, filled)

    rows = {row.split(",")[1]: row for row in (await rows_of(filled))["guild_settings"]}
    assert rows.keys() == {"pauses", "ignored_channels", "restricting_roles"}
    assert "[4]" in rows["restricting_roles"]


@pytest.mark.parametrize(
    ("erased_at", "position"),
    [
        pytest.param(CREATED - timedelta(days=1), 123, id="before the backup"),
        pytest.param(CREATED + timedelta(days=1), 0, id="since the backup"),
    ],
)
async def test_session_files_are_read_again_when_they_were_rewritten(
    backup: Backup, target: Database, erased_at: datetime, position: int
) -> None:
    await restored(backup, target, erasures={5: erased_at})

    assert (await rows_of(target))["journal_positions"] == [f"(demo,{position})"]


def change(backup: Backup, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the manifest of a backup."""
    path = backup.folder / MANIFEST
    manifest = json.loads(path.read_bytes())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def file_of(backup: Backup, table: str, source: Format) -> Path:
    entry = backup.manifest().databases[0]
    (found,) = [one for one in entry.tables if one.name == table]
    return backup.folder / found.files[source].path


def sign(backup: Backup, path: Path) -> None:
    """Let the manifest say that a file is what it is now."""
    content = path.read_bytes()

    def edit(manifest: dict[str, Any]) -> None:
        (database,) = manifest["databases"]
        files = [file for table in database["tables"] for file in table["files"].values()] + [database["dump"]]
        for file in files:
            if file["path"] == path.relative_to(backup.folder).as_posix():
                file.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())

    change(backup, edit)


async def refused(
    backup: Backup,
    database: Database,
    error: type[BackscrollError] = InputFileError,
    *,
    source: Format = Format.BINARY,
    **changes: Any,
) -> str:
    """Return why a backup is not restored; the database has to be as it was."""
    before = await rows_of(database), await indexes_of(database)
    with pytest.raises(error) as caught:
        await restored(backup, database, source, **changes)
    assert (await rows_of(database), await indexes_of(database)) == before
    words = str(caught.value)
    assert is_one_sentence(f"{words}." if error is DatabaseUnavailableError else words)  # to which a script adds more
    return words


@pytest.mark.parametrize("source", EVERY_FORMAT)
@pytest.mark.parametrize("damage", ["a flipped byte", "a truncated file", "a missing file"])
async def test_a_damaged_file_is_named(damaged: Backup, filled: Database, source: Format, damage: str) -> None:
    dump = damaged.folder / DUMP
    path = dump if source is Format.DUMP else file_of(damaged, "messages", source)
    content = path.read_bytes()
    middle = len(content) // 2
    path.unlink()
    if damage == "a flipped byte":
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif damage == "a truncated file":
        path.write_bytes(content[:middle])

    assert path.name in await refused(damaged, filled, source=source)


async def test_a_dump_that_was_truncated_before_it_was_signed_is_named(damaged: Backup, filled: Database) -> None:
    path = damaged.folder / DUMP
    path.write_bytes(path.read_bytes()[:-2000])
    sign(damaged, path)

    assert "long_term.dump could not be read" in await refused(damaged, filled, source=Format.DUMP)


@pytest.mark.parametrize(
    ("source", "content"),
    [
        pytest.param(Format.CSV, b"message_id,sent_at,words\n1,2026-01-01Z,hello\n", id="csv with other columns"),
        pytest.param(Format.CSV, b"", id="empty csv"),
        pytest.param(Format.CSV, b"\xff\xfe\n", id="csv that is no text"),
        pytest.param(Format.BINARY, b"PGCOPY\n\xff\r\n\0no rows at all", id="binary without rows"),
        pytest.param(Format.BINARY, b"hello", id="something else than binary"),
    ],
)
async def test_a_file_that_its_table_does_not_take_is_named(
    damaged: Backup, filled: Database, source: Format, content: bytes
) -> None:
    path = file_of(damaged, "messages", source)
    path.write_bytes(zstandard.compress(content))
    sign(damaged, path)

    assert path.name in await refused(damaged, filled, source=source)


async def test_a_file_that_ends_too_early_for_its_compression_is_named(damaged: Backup, filled: Database) -> None:
    path = file_of(damaged, "messages", Format.CSV)
    path.write_bytes(path.read_bytes()[:-50])
    sign(damaged, path)

    assert path.name in await refused(damaged, filled, source=Format.CSV)


async def test_the_manifest_of_another_backup_is_refused(damaged: Backup, filled: Database, tmp_path: Path) -> None:
    await run(filled, "INSERT INTO facts VALUES ('colour', 'red')")
    other = await back_up(filled, tmp_path / "others")
    shutil.copy(other.folder / MANIFEST, damaged.folder / MANIFEST)

    await refused(damaged, filled)


def _rows(manifest: dict[str, Any]) -> None:
    next(table for table in manifest["databases"][0]["tables"] if table["name"] == "messages")["rows"] += 1


def _checksum(manifest: dict[str, Any]) -> None:
    next(table for table in manifest["databases"][0]["tables"] if table["name"] == "messages")["checksum"] = "1"


def _database(changes: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest["databases"][0].update(changes)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        pytest.param(_rows, "the table messages", id="more rows"),
        pytest.param(_checksum, "the table messages", id="another checksum"),
        pytest.param(_database({"schema_revision": "9999"}), "made by a newer version", id="a newer revision"),
        pytest.param(lambda manifest: manifest.update(version=2), "newer version", id="a newer manifest"),
        pytest.param(_database({"name": "short-term"}), "does not hold the long-term", id="of another database"),
    ],
)
async def test_a_manifest_that_was_edited_is_refused(
    damaged: Backup, filled: Database, edit: Callable[[dict[str, Any]], None], words: str
) -> None:
    change(damaged, edit)

    assert words in await refused(damaged, filled)


async def test_a_format_that_the_backup_lacks_is_refused(damaged: Backup, filled: Database) -> None:
    def without_csv(manifest: dict[str, Any]) -> None:
        for table in manifest["databases"][0]["tables"]:
            del table["files"]["csv"]

    change(damaged, without_csv)
    change(damaged, _database({"dump": None}))

    for source in (Format.CSV, Format.DUMP, Format.PARQUET):
        assert "another format" in await refused(damaged, filled, source=source)


@pytest.mark.parametrize(
    "changes", [pytest.param({"dimensions": 13}, id="dimension"), pytest.param({"model": "other"}, id="model")]
)
async def test_another_embedding_is_refused_with_the_model_to_set(
    backup: Backup, filled: Database, changes: dict[str, Any]
) -> None:
    words = await refused(backup, filled, EmbeddingModelError, **changes)

    assert f"was embedded with '{MODEL}' ({WIDTH} dimensions)" in words
    assert "EMBEDDING_PASSAGE_PROMPT) to the backup's" in words


async def test_a_dump_without_a_table_of_its_manifest_is_refused(
    backup: Backup, damaged: Backup, filled: Database, server: Server, tmp_path: Path
) -> None:
    async with open_new_database(server, LONG_TERM, width=WIDTH) as other:
        await run(other, "DROP TABLE message_revisions CASCADE")
        shutil.copy((await back_up(other, tmp_path)).folder / DUMP, damaged.folder / DUMP)
    sign(damaged, damaged.folder / DUMP)

    assert "does not hold the tables" in await refused(damaged, filled, source=Format.DUMP)


async def test_a_dump_whose_table_has_other_columns_is_refused(damaged: Backup, filled: Database) -> None:
    def without_a_column(manifest: dict[str, Any]) -> None:
        tables = manifest["databases"][0]["tables"]
        del next(table for table in tables if table["name"] == "messages")["columns"]["reply_to"]

    change(damaged, without_a_column)

    assert "messages that is not as its manifest says" in await refused(damaged, filled, source=Format.DUMP)


async def test_a_column_that_is_not_there_is_named(damaged: Backup, filled: Database) -> None:
    def with_a_column(manifest: dict[str, Any]) -> None:
        manifest["databases"][0]["tables"][-1]["columns"]["colour"] = "text"

    change(damaged, with_a_column)

    assert "no column colour" in await refused(damaged, filled, DatabaseSetupError)


async def test_a_user_who_may_not_replace_anything_is_told_so(backup: Backup, filled: Database, server: Server) -> None:
    user, name = server.create_user("guest", "secret"), str(filled.engine.url.database)
    await run(filled, f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{user}"')
    url = parse_dsn(server.dsn(name, user=user, password="secret"), name="DSN")
    opening = open_database(url, name=LONG_TERM, pool_size=1, timeout=PATIENCE, layout=filled.layout)
    async with opening as as_a_guest:
        words = await refused(backup, as_a_guest, DatabaseSetupError)

    assert "owner" in words
    assert "secret" not in words


async def test_a_database_that_something_else_uses_is_refused(backup: Backup, filled: Database) -> None:
    async with filled.engine.begin() as connection:
        await connection.execute(text("SELECT FROM messages"))

        words = await refused(backup, filled, DatabaseSetupError, timeout=timedelta(seconds=2))

    assert "Another program" in words


@pytest.mark.parametrize("share", [pytest.param(0.51, id="while it loads"), pytest.param(1, id="before the end")])
async def test_a_connection_that_breaks_changes_nothing(backup: Backup, filled: Database, share: float) -> None:
    def end(done: int, total: int) -> None:
        if done >= share * total:
            with psycopg.connect(filled.dsn) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'backscroll copying'"
                )

    assert "PostgreSQL gave up" in await refused(backup, filled, DatabaseUnavailableError, report=end)


@pytest.mark.parametrize("share", [pytest.param(0.51, id="while it loads"), pytest.param(1, id="before the end")])
async def test_a_process_that_is_killed_changes_nothing(backup: Backup, filled: Database, share: float) -> None:
    before = await rows_of(filled), await indexes_of(filled)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.restoring_process", filled.dsn, str(backup.folder), str(share)), cwd=ROOT
    )
    async with asyncio.timeout(PATIENCE.total_seconds()):
        status = await process.wait()

    assert status == -signal.SIGKILL
    assert (await rows_of(filled), await indexes_of(filled)) == before
    await restored(backup, filled)
    assert await rows_of(filled) == backup.rows
