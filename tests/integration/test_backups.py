"""A backup is all of a database at one moment, in files that prove themselves, or it is not there at all."""

import asyncio
import csv
import errno
import io
import json
import os
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pytest
import zstandard
from psycopg import sql
from sqlalchemy import text

from db.databases import LONG_TERM, SHORT_TERM, Database
from db.engines import transaction
from db.metadata import set_metadata
from db.migrate import NEWEST
from db.programs import find_program, run_program
from db.table_copy import Content, content_of, content_tables, open_connection, tables_of
from errors import BackscrollError, DatabaseSetupError, DatabaseUnavailableError, InputFileError, OperatorError
from memory.capture.members import SESSION_FACT
from memory.index.reembed import MODEL_FACT
from ops.backup import files
from ops.backup.catalogue import Backup, find_backup, list_backups, verified_of
from ops.backup.create import BackupPlan, create
from ops.backup.files import remove_folder, writing_lock
from ops.backup.formats import Format
from ops.backup.manifest import MANIFEST, TableEntry
from ops.backup.retention import RetentionPolicy, expired
from ops.backup.verify import note_verified, verify
from storage.files import open_decompressed
from tests.builders import FULL, deletion, message, minute
from tests.conftest import open_existing_database, open_new_database
from tests.lived_in import indexed, write
from tests.sentences import is_one_sentence
from tests.servers import Server
from util_async import Progress, no_progress

pytestmark = pytest.mark.server

WIDTH = 12
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PATIENCE = timedelta(seconds=60)
MESSAGES = [FULL, message(8, 'say "hi",\n\n"" and \\.\n'), message(9, "\\."), message(10, ""), deletion(11, at=12)]
ALL = (Format.CSV, Format.BINARY, Format.DUMP, Format.PARQUET)
MANY = text("""
    INSERT INTO messages
        (message_id, sent_at, session, channel_id, author_name, channel_name, kind, content, search_text)
    SELECT number, timestamptz '2026-01-01' + number * interval '1 second', 'demo', 1, 'ana', 'general', 'message',
           repeat(md5(number::text), 4), '' FROM generate_series(1000, 30000) AS number
""")  # two megabytes do not fit into what is on its way between a server and us


async def fill(database: Database) -> None:
    await database.migrate(dimensions=WIDTH)
    await write(database, *MESSAGES)
    async with transaction(database.sessions) as session:
        await set_metadata(session, MODEL_FACT, "made up")
        await set_metadata(session, SESSION_FACT, "demo")
        await set_metadata(session, "word_index_whole_since", "its own server's")


@pytest.fixture(scope="module")
def names(server: Server) -> Iterator[dict[str, str]]:
    """The names of a short-term and a long-term database that no test changes."""

    async def fill_both(named: dict[str, str]) -> None:
        for name, database in named.items():
            async with open_existing_database(server, database, name=name) as opened:
                await fill(opened)

    named = {name: server.create_database(name, width=WIDTH) for name in (SHORT_TERM, LONG_TERM)}
    asyncio.run(fill_both(named))
    yield named
    for database in named.values():
        server.drop_database(database)


@pytest.fixture
async def both(server: Server, names: dict[str, str]) -> AsyncIterator[list[Database]]:
    """Both databases, which no test changes."""
    async with (
        open_existing_database(server, names[SHORT_TERM], name=SHORT_TERM) as short_term,
        open_existing_database(server, names[LONG_TERM], name=LONG_TERM) as long_term,
    ):
        yield [short_term, long_term]


@pytest.fixture
def one(both: list[Database]) -> list[Database]:
    """The short-term database, which no test changes."""
    return both[:1]


@pytest.fixture
async def large(server: Server) -> AsyncIterator[Database]:
    """A database of a test's own, whose messages take a while to copy."""
    async with open_new_database(server, SHORT_TERM, width=WIDTH) as database:
        await fill(database)
        async with database.engine.begin() as connection:
            await connection.execute(MANY)
        yield database


async def back_up(
    databases: list[Database],
    folder: Path,
    *formats: Format,
    compress: bool = True,
    report: Progress = no_progress,
    name: str = "backup",
) -> Backup:
    plan = BackupPlan(name=name, formats=formats or [Format.CSV], compress=compress)
    return await create(databases, plan, backup_dir=folder, now=NOW, timeout=PATIENCE, report=report)


async def contents(database: Database) -> dict[str, Content]:
    async with open_connection(database.dsn, timeout=PATIENCE, read_only=True) as connection:
        tables = content_tables(await tables_of(connection))
        return {table.name: await content_of(connection, table) for table in tables}


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def seen(folder: Path) -> list[str]:
    """Return what lies in a folder of backups and is not a lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def table(backup: Backup, name: str = "messages") -> TableEntry:
    return next(one for one in backup.manifest.databases[0].tables if one.name == name)


def path_of(backup: Backup, written_as: Format, name: str = "messages") -> Path:
    return backup.folder / table(backup, name).files[written_as].path


async def refused(work: Any, error: type[BackscrollError]) -> str:
    with pytest.raises(error) as caught:
        await work
    assert is_one_sentence(str(caught.value)) or error is DatabaseUnavailableError  # whose sentence the script ends
    return str(caught.value)


async def test_every_table_is_there_in_every_format(both: list[Database], tmp_path: Path) -> None:
    backup = await back_up(both, tmp_path, *ALL)

    expected = {MANIFEST, "short_term/short_term.dump", "long_term/long_term.dump"}
    for database in both:
        folder = database.name.replace("-", "_")
        for name in await contents(database):
            expected |= {f"{folder}/{name}{end}" for end in (".csv.zst", ".copy.zst", ".parquet")}
    assert files_in(backup.folder) == expected
    assert {file.path for file in backup.manifest.files} == expected - {MANIFEST}
    assert seen(tmp_path) == [backup.name] == ["backup_2026-11-21_1"]


async def test_the_manifest_tells_what_the_databases_hold(both: list[Database], tmp_path: Path) -> None:
    await back_up(both, tmp_path, Format.BINARY, Format.DUMP)

    manifest = find_backup(tmp_path, "backup_2026-11-21_1").manifest

    assert manifest.created_at == NOW
    for database, entry in zip(both, manifest.databases, strict=True):
        assert {one.name: Content(one.rows, one.checksum) for one in entry.tables} == await contents(database)
        assert (entry.name, entry.messages) == (database.name, len(MESSAGES))
        assert (entry.embedding_model, entry.dimensions, entry.session) == ("made up", WIDTH, "demo")
        assert (entry.first_message, entry.last_message) == (minute(7), minute(11))
        assert entry.extensions.keys() >= {"vector", "vectorscale"}
        assert entry.schema_revision == NEWEST
        assert entry.dump_made_by is not None
        assert int(entry.dump_made_by.split(".")[0]) >= int(entry.server_version.split(".")[0])


async def test_nobody_else_may_read_a_backup(one: list[Database], tmp_path: Path) -> None:
    backup = await back_up(one, tmp_path / "new", *ALL)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in (backup.folder.parent, *backup.folder.rglob("*"))}
    assert modes == {0o700, 0o600}


async def test_a_csv_is_what_other_programs_expect(one: list[Database], tmp_path: Path) -> None:
    backup = await back_up(one, tmp_path, Format.CSV, compress=False)

    path = path_of(backup, Format.CSV)
    with path.open(encoding="utf-8", newline="") as file:
        rows = {int(row["message_id"]): row for row in csv.DictReader(file)}
    assert path.name == "messages.csv"
    assert {number: row["content"] for number, row in rows.items()} == {one.message_id: one.content for one in MESSAGES}
    assert rows[7]["sent_at"] == "2026-11-03 09:07:00+00"
    assert json.loads(rows[7]["attachments"])[0]["name"] == "plän.pdf"
    assert len(json.loads(rows[8]["embedding"])) == WIDTH


@pytest.mark.parametrize("written_as", [Format.CSV, Format.BINARY])
@pytest.mark.parametrize("compress", [True, False], ids=["compressed", "plain"])
async def test_what_is_loaded_again_has_the_same_checksum(
    both: list[Database], server: Server, tmp_path: Path, written_as: Format, *, compress: bool
) -> None:
    backup = await back_up(both[1:], tmp_path, written_as, compress=compress)
    option = sql.SQL("FORMAT CSV, HEADER MATCH" if written_as is Format.CSV else "FORMAT BINARY")

    async with open_new_database(server, LONG_TERM, width=WIDTH) as database:
        await database.migrate(dimensions=WIDTH)
        async with open_connection(database.dsn, timeout=PATIENCE) as connection:
            for entry in backup.manifest.databases[0].tables:
                await connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(entry.name)))
                copying = sql.SQL("COPY {} FROM STDIN ({})").format(sql.Identifier(entry.name), option)
                with open_decompressed(path_of(backup, written_as, entry.name)) as file:
                    async with connection.cursor() as cursor, cursor.copy(copying) as copy:
                        await copy.write(file.read())

        assert await contents(database) == await contents(both[1])


async def test_parquet_is_read_by_pandas(one: list[Database], tmp_path: Path) -> None:
    backup = await back_up(one, tmp_path, Format.PARQUET)

    frame = pd.read_parquet(path_of(backup, Format.PARQUET)).set_index("message_id")

    assert str(frame["sent_at"].dtype) == "datetime64[us, UTC]"
    assert frame.loc[7, "sent_at"] == minute(7)
    assert frame["edited_at"].isna().to_dict() == {one.message_id: one.edited_at is None for one in MESSAGES}
    assert frame["content"].to_dict() == {one.message_id: one.content for one in MESSAGES}
    assert json.loads(str(frame.loc[7, "attachments"]))[0]["name"] == "plän.pdf"
    vector = indexed(MESSAGES[1]).embedding
    assert vector is not None
    assert list(frame["embedding"].loc[8]) == list(vector)
    assert frame.loc[10, "embedding"] is None
    assert frame["embedding"].loc[9].dtype == np.float32


async def test_parquet_is_read_by_duckdb(one: list[Database], tmp_path: Path) -> None:
    backup = await back_up(one, tmp_path, Format.PARQUET, compress=False)

    asked = "SELECT content, epoch(sent_at), len(embedding), guild_id FROM read_parquet(?) WHERE message_id = 7"
    found = duckdb.execute(asked, [str(path_of(backup, Format.PARQUET))]).fetchall()

    assert found == [(FULL.content, FULL.sent_at.timestamp(), WIDTH, 2)]


async def test_parquet_holds_every_row_of_many_groups(large: Database, tmp_path: Path) -> None:
    backup = await back_up([large], tmp_path, Format.PARQUET)

    path = str(path_of(backup, Format.PARQUET))
    assert duckdb.execute("SELECT count(*), count(DISTINCT message_id) FROM read_parquet(?)", [path]).fetchone() == (
        table(backup).rows,
        table(backup).rows,
    )


async def test_all_files_are_of_one_moment(large: Database, tmp_path: Path) -> None:
    before = (await contents(large))["messages"]
    added: list[int] = []

    def meanwhile(done: int, _: int) -> None:
        with psycopg.connect(large.dsn) as connection:
            connection.execute("DELETE FROM messages WHERE message_id < 20000")
        added.append(done)

    backup = await back_up([large], tmp_path, *ALL, report=meanwhile)
    verified = await verify(backup.folder, backup.manifest, now=NOW, report=no_progress)

    assert added
    assert (table(backup).rows, table(backup).checksum) == (before.rows, before.checksum)
    assert verified.restored is False
    assert await messages_in_dump(backup) == before.rows


async def messages_in_dump(backup: Backup) -> int:
    program = find_program("pg_restore", backup.manifest.databases[0].server_version)
    path = str(backup.folder / "short_term" / "short_term.dump")
    out = await run_program(program, "--data-only", "--file=-", path, timeout=PATIENCE)
    return sum("\tdemo\t" in line for line in out.splitlines())  # a message is of that session


async def test_progress_counts_the_rows_of_all_tables_in_all_formats(large: Database, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []

    backup = await back_up([large], tmp_path, *ALL, report=lambda done, total: heard.append((done, total)))

    rows = sum(one.rows for one in backup.manifest.databases[0].tables)
    assert {total for _, total in heard} == {4 * rows}
    assert heard == sorted(heard)
    assert heard[-1] == (4 * rows, 4 * rows)


async def test_two_backups_of_a_day_have_two_names(one: list[Database], tmp_path: Path) -> None:
    first = await back_up(one, tmp_path)
    kept = (first.folder / MANIFEST).read_bytes()

    second = await back_up(one, tmp_path)

    assert [first.name, second.name] == ["backup_2026-11-21_1", "backup_2026-11-21_2"]
    assert (first.folder / MANIFEST).read_bytes() == kept


async def test_what_appears_under_the_name_meanwhile_is_never_overwritten(one: list[Database], tmp_path: Path) -> None:
    theirs = tmp_path / "backup_2026-11-21_1"

    def meanwhile(_: int, __: int) -> None:
        theirs.mkdir(exist_ok=True)

    assert "already" in await refused(back_up(one, tmp_path, report=meanwhile), OperatorError)

    assert list(theirs.iterdir()) == []
    assert seen(tmp_path) == [theirs.name]


async def test_a_bad_name_is_refused_before_anything_is_made(one: list[Database], tmp_path: Path) -> None:
    await refused(back_up(one, tmp_path / "new", name="../elsewhere"), OperatorError)

    assert seen(tmp_path) == []


async def test_a_database_without_memory_is_refused(blank: Database, tmp_path: Path) -> None:
    assert "start the bot once" in await refused(back_up([blank], tmp_path), DatabaseSetupError)

    assert seen(tmp_path) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param("UPDATE alembic_version SET version_num = '9999'", "newer version", id="a newer revision"),
        pytest.param(
            "INSERT INTO facts VALUES ('moved_from', '{\"source\": \"elsewhere\"}')",
            "stopped half-way",
            id="half a move",
        ),
    ],
)
async def test_a_database_that_cannot_be_trusted_is_refused(
    one: list[Database], server: Server, tmp_path: Path, statement: str, words: str
) -> None:
    async with open_new_database(server, LONG_TERM, width=WIDTH) as database:
        await fill(database)
        async with database.engine.begin() as connection:
            await connection.execute(text(statement.replace(":", r"\:")))

        assert words in await refused(back_up([*one, database], tmp_path), DatabaseSetupError)

    assert seen(tmp_path) == []


async def test_a_folder_that_is_none_is_refused(one: list[Database], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    sentence = await refused(back_up(one, tmp_path / "file" / "backups"), OperatorError)

    assert "BACKUP_DIR" in sentence
    assert str(tmp_path) in sentence


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_is_closed_to_us_is_refused(one: list[Database], tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o500)  # noqa: PTH101

    assert "permission denied" in await refused(back_up(one, tmp_path / "backups"), OperatorError)


class _NotWritable(io.FileIO):
    """A file on a disk that this account may not write to."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


class _Full(io.FileIO):
    """A file on a disk that takes a little, then nothing."""

    def write(self, data: Any, /) -> int:
        if self.tell() > 1000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data[:100])


@pytest.mark.parametrize(
    ("file", "words"),
    [pytest.param(_Full, "no space left", id="full"), pytest.param(_NotWritable, "permission denied", id="closed")],
)
@pytest.mark.parametrize("written_as", [Format.CSV, Format.BINARY, Format.PARQUET])
async def test_a_disk_that_does_not_take_it_leaves_nothing(
    large: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: type[io.FileIO],
    words: str,
    written_as: Format,
) -> None:
    monkeypatch.setattr(io, "FileIO", file)

    assert words in await refused(back_up([large], tmp_path, written_as), OperatorError)

    assert seen(tmp_path) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that has room for half a megabyte."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk, and not everywhere")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


@pytest.mark.parametrize("written_as", ALL)
async def test_a_full_disk_leaves_nothing_and_is_told_in_one_sentence(
    large: Database, tiny_disk: Path, written_as: Format
) -> None:
    sentence = await refused(back_up([large], tiny_disk, written_as), OperatorError)

    assert "no space left" in sentence.lower()
    assert seen(tiny_disk) == []


def end_connections(database: Database) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'backscroll copying'"
        )


@pytest.mark.parametrize("written_as", [Format.CSV, Format.BINARY, Format.PARQUET])
async def test_a_server_that_goes_away_half_way_leaves_nothing(
    large: Database, tmp_path: Path, written_as: Format
) -> None:
    ended: list[int] = []

    def meanwhile(done: int, _: int) -> None:
        if done >= 1000 and not ended:
            end_connections(large)
            ended.append(done)

    await refused(back_up([large], tmp_path, written_as, report=meanwhile), DatabaseUnavailableError)

    assert ended[0] < 28_000
    assert seen(tmp_path) == []


async def test_cancelled_half_way_it_leaves_nothing(large: Database, tmp_path: Path) -> None:
    task: list[asyncio.Task[Any]] = []

    def meanwhile(done: int, _: int) -> None:
        if done >= 1000:
            task[0].cancel()

    task.append(asyncio.create_task(back_up([large], tmp_path, report=meanwhile)))
    with pytest.raises(asyncio.CancelledError):
        await task[0]

    assert seen(tmp_path) == []


async def test_two_at_once_are_one_too_many(one: list[Database], tmp_path: Path) -> None:
    with writing_lock(tmp_path):
        assert "Another backups.py" in await refused(back_up(one, tmp_path), OperatorError)

    assert (await back_up(one, tmp_path)).folder.exists()


async def test_what_a_killed_run_left_is_not_listed_and_the_next_removes_it(
    one: list[Database], tmp_path: Path
) -> None:
    for name in (".backup_2026-11-21_1.partial", ".backup_2026-11-20_1.removed"):
        (tmp_path / name / "short_term").mkdir(parents=True)
        (tmp_path / name / "short_term" / "messages.csv.zst").write_bytes(b"half")
    (tmp_path / ".theirs").mkdir()
    assert list_backups(tmp_path).backups == []
    assert list_backups(tmp_path).unreadable == {}

    backup = await back_up(one, tmp_path)

    assert seen(tmp_path) == [".theirs", backup.name]


async def test_the_list_is_in_the_order_of_time_and_tells_of_folders_that_are_none(
    one: list[Database], tmp_path: Path
) -> None:
    first = await back_up(one, tmp_path, name="z")
    second = await create(
        one,
        BackupPlan(name="a", formats=[Format.CSV]),
        backup_dir=tmp_path,
        now=NOW + timedelta(days=1),
        timeout=PATIENCE,
        report=no_progress,
    )
    (tmp_path / "photos").mkdir()

    listed = list_backups(tmp_path)

    assert [backup.name for backup in listed.backups] == [first.name, second.name]
    assert listed.unreadable.keys() == {"photos"}
    assert is_one_sentence(listed.unreadable["photos"])
    assert list_backups(tmp_path / "not there").backups == []


@pytest.mark.parametrize("name", ["backup_2026-11-21_9", "..", "../backups", ".lock", ""])
def test_a_backup_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with writing_lock(tmp_path), pytest.raises(InputFileError, match="There is no backup") as caught:
        find_backup(tmp_path, name)

    assert is_one_sentence(str(caught.value))


async def test_a_verified_backup_says_so_until_its_manifest_is_another(one: list[Database], tmp_path: Path) -> None:
    backup = await back_up(one, tmp_path, *ALL)
    assert backup.verified is None

    verified = await verify(backup.folder, backup.manifest, now=NOW, report=no_progress)

    assert find_backup(tmp_path, backup.name).verified == verified
    manifest = backup.folder / MANIFEST
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    assert find_backup(tmp_path, backup.name).verified is None


async def test_that_it_was_restored_is_not_forgotten_when_it_is_read_again(one: list[Database], tmp_path: Path) -> None:
    backup = await back_up(one, tmp_path)

    note_verified(backup.folder, now=NOW, restored=True)
    await verify(backup.folder, backup.manifest, now=NOW, report=no_progress)

    found = verified_of(backup.folder)
    assert found is not None
    assert found.restored


async def test_reading_again_reports_every_byte(one: list[Database], tmp_path: Path) -> None:
    backup = await back_up(one, tmp_path, Format.CSV, Format.BINARY)
    heard: list[tuple[int, int]] = []

    await verify(backup.folder, backup.manifest, now=NOW, report=lambda done, total: heard.append((done, total)))

    assert heard[-1] == (2 * backup.manifest.size, 2 * backup.manifest.size)
    assert heard == sorted(heard)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink, replace_by_folder])
@pytest.mark.parametrize("written_as", ALL)
async def test_a_damaged_file_is_named(
    one: list[Database], tmp_path: Path, damage: Callable[[Path], None], written_as: Format
) -> None:
    backup = await back_up(one, tmp_path, written_as)
    dump = backup.folder / "short_term" / "short_term.dump"
    path = dump if written_as is Format.DUMP else path_of(backup, written_as)
    damage(path)

    sentence = await refused(verify(backup.folder, backup.manifest, now=NOW, report=no_progress), InputFileError)

    assert str(path) in sentence
    assert verified_of(backup.folder) is None


def with_file(backup: Backup, written_as: Format, content: bytes) -> Backup:
    """Return a backup whose manifest speaks of another content of messages, as one that was always wrong would."""
    path = path_of(backup, written_as)
    path.unlink()
    with files.open_writer(path.with_suffix("")) as writer:
        writer.write(content)
    path.with_suffix("").rename(path)
    entry = writer.entry(backup.folder).model_copy(update={"path": path.relative_to(backup.folder).as_posix()})
    changed = table(backup).model_copy(update={"files": {written_as: entry}})
    database = backup.manifest.databases[0]
    tables = [changed if one.name == "messages" else one for one in database.tables]
    manifest = backup.manifest.model_copy(update={"databases": [database.model_copy(update={"tables": tables})]})
    return replace(backup, manifest=manifest)


@pytest.mark.parametrize("written_as", [Format.CSV, Format.BINARY, Format.PARQUET])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda plain: plain[: len(plain) // 2], id="half of it"),
        pytest.param(lambda plain: plain[:-1], id="without its last byte"),
        pytest.param(lambda plain: plain + b"more", id="with something behind it"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"something else" * 10, id="something else"),
    ],
)
async def test_a_file_whose_rows_are_not_those_of_the_manifest_is_named(
    one: list[Database], tmp_path: Path, written_as: Format, change: Callable[[bytes], bytes]
) -> None:
    backup = await back_up(one, tmp_path, written_as)
    with open_decompressed(path_of(backup, written_as)) as file:
        plain = change(file.read())
    if path_of(backup, written_as).suffix == ".zst":
        plain = zstandard.ZstdCompressor().compress(plain)
    other = with_file(backup, written_as, plain)

    sentence = await refused(verify(other.folder, other.manifest, now=NOW, report=no_progress), InputFileError)

    assert "messages." in sentence


@pytest.mark.parametrize("path", ["../../secret", "/etc/passwd", "short_term/../../x", "..\\x"])
async def test_a_manifest_that_leads_elsewhere_is_refused(one: list[Database], tmp_path: Path, path: str) -> None:
    backup = await back_up(one, tmp_path)
    written = (backup.folder / MANIFEST).read_text(encoding="utf-8")
    changed = json.loads(written)
    changed["databases"][0]["tables"][0]["files"]["csv"]["path"] = path
    (backup.folder / MANIFEST).write_text(json.dumps(changed), encoding="utf-8")
    found = find_backup(tmp_path, backup.name)

    assert "elsewhere" in await refused(
        verify(found.folder, found.manifest, now=NOW, report=no_progress), InputFileError
    )


async def test_retention_leaves_alone_what_is_no_backup_of_ours(one: list[Database], tmp_path: Path) -> None:
    backups = [await back_up(one, tmp_path) for _ in range(3)]
    by_hand = backups[0].folder.rename(tmp_path / "the one before the upgrade")
    damaged = backups[1].folder / MANIFEST
    damaged.write_text("{}", encoding="utf-8")
    last = await back_up(one, tmp_path)

    old = expired(list_backups(tmp_path).backups, RetentionPolicy(0, 0), NOW.tzinfo)  # type: ignore[arg-type]

    assert [backup.name for backup in old] == ["backup_2026-11-21_3"]
    remove_folder(old[0].folder)
    assert seen(tmp_path) == sorted([by_hand.name, backups[1].name, last.name])


async def test_a_removal_that_is_stopped_leaves_nothing_that_looks_whole(
    one: list[Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = await back_up(one, tmp_path)

    def stop(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", stop)
    with pytest.raises(KeyboardInterrupt):
        remove_folder(backup.folder)
    monkeypatch.undo()

    assert list_backups(tmp_path).backups == []
    with writing_lock(tmp_path):
        assert seen(tmp_path) == []


async def test_analysis_does_not_take_the_place_of_what_can_be_restored(one: list[Database], tmp_path: Path) -> None:
    restorable = await back_up(one, tmp_path, Format.CSV)
    analysed = await back_up(one, tmp_path, Format.PARQUET)

    listed = list_backups(tmp_path).backups

    assert [backup.name for backup in listed] == [restorable.name, analysed.name]
    assert expired(listed, RetentionPolicy(1, 1), NOW.tzinfo) == []  # type: ignore[arg-type]
