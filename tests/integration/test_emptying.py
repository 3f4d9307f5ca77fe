"""Short-term memory is emptied when every row of it is safe elsewhere, and otherwise not at all."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from db.databases import LONG_TERM, SHORT_TERM, Database
from db.engines import transaction
from errors import DatabaseSetupError, OperatorError
from memory.capture.ingest import Ingest, running
from memory.capture.journal import Journal, NotAdded
from memory.embedding.embedder import Embedder
from memory.index import store
from ops.backup import empty_short_term as empty_short_term_module
from ops.backup.create import BackupPlan, create
from ops.backup.empty_short_term import empty_short_term
from ops.backup.formats import Format
from ops.backup.manifest import MANIFEST, VERIFIED, Manifest
from ops.backup.verify import note_verified
from tests.builders import edit
from tests.conftest import open_new_database
from tests.lived_in import MESSAGES, PATIENCE, WIDTH, live_in, rows_of, run, write
from tests.sentences import is_one_sentence
from tests.servers import Server
from util_async import no_progress

pytestmark = pytest.mark.server

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
async def here(server: Server) -> AsyncIterator[Database]:
    """A short-term memory with something in each of its tables."""
    async with open_new_database(server, SHORT_TERM, width=WIDTH) as database:
        await live_in(database)
        yield database


@pytest.fixture
async def there(server: Server) -> AsyncIterator[Database]:
    """A long-term memory, empty."""
    async with open_new_database(server, LONG_TERM, width=WIDTH) as database:
        await database.migrate(dimensions=WIDTH)
        yield database


async def promote(here: Database, there: Database) -> None:
    """Bring all messages and their earlier texts to the other memory."""
    for table in ("messages", "message_revisions"):
        for row in (await rows_of(here))[table]:
            async with there.engine.begin() as connection:
                await connection.execute(text(f"INSERT INTO {table} SELECT (CAST(:row AS {table})).*"), {"row": row})


async def back_up(database: Database, backup_dir: Path, formats: list[Format]) -> tuple[Path, Manifest]:
    plan = BackupPlan(name="safe", formats=formats)
    made = await create([database], plan, backup_dir=backup_dir, now=NOW, timeout=PATIENCE, report=no_progress)
    note_verified(made.folder, now=NOW, restored=False)
    return made.folder, made.manifest


async def refused(here: Database, there: Database, backup: tuple[Path, Manifest] | None = None) -> str:
    """Return why short-term memory is not emptied."""
    before = await rows_of(here)
    with pytest.raises(OperatorError) as caught:
        await empty_short_term(here, there, backup, timeout=PATIENCE)
    assert await rows_of(here) == before
    assert is_one_sentence(str(caught.value))
    return str(caught.value)


async def nothing_is_safe(here: Database) -> str:
    """Return what a refusal says where no row is safe."""
    rows = await rows_of(here)
    return (
        "neither in a verified backup nor in long-term memory "
        f"(messages: {len(rows['messages'])}, earlier texts: {len(rows['message_revisions'])})"
    )


async def count(database: Database) -> int:
    async with transaction(database.sessions) as session:
        return await store.count(session)


@pytest.mark.parametrize("restored_from", [pytest.param(one, id=one.value) for one in (Format.CSV, Format.DUMP)])
async def test_a_verified_backup_of_every_row_lets_it_be_emptied(
    here: Database, there: Database, tmp_path: Path, restored_from: Format
) -> None:
    backup = await back_up(here, tmp_path, [restored_from])

    emptied = await empty_short_term(here, there, backup, timeout=PATIENCE)

    rows = await rows_of(here)
    assert emptied == len(MESSAGES)
    assert (rows["messages"], rows["message_revisions"]) == ([], [])
    assert rows["journal_positions"] == ["(demo,123)"]


async def test_long_term_memory_that_holds_every_row_lets_it_be_emptied(here: Database, there: Database) -> None:
    await promote(here, there)
    await run(there, "UPDATE messages SET embedding = NULL, promotion_id = 1, session = 'other', author_name = 'Ana'")

    assert await empty_short_term(here, there, None, timeout=PATIENCE) == len(MESSAGES)
    assert await count(here) == 0
    assert await count(there) == len(MESSAGES)


async def test_what_nobody_else_holds_is_counted(here: Database, there: Database) -> None:
    assert len((await rows_of(here))["messages"]) == len(MESSAGES)

    assert await nothing_is_safe(here) in await refused(here, there)


async def test_a_long_term_memory_that_was_never_used_holds_nothing(here: Database, server: Server) -> None:
    async with open_new_database(server, LONG_TERM) as blank:
        assert f"messages: {len(MESSAGES)}," in await refused(here, blank)


async def test_a_short_term_memory_that_was_never_used_has_nothing_to_empty(server: Server, there: Database) -> None:
    async with open_new_database(server, SHORT_TERM) as blank:
        assert await empty_short_term(blank, there, None, timeout=PATIENCE) == 0


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        pytest.param("DELETE FROM messages WHERE message_id = 8", (1, 0), id="a message less"),
        pytest.param("DELETE FROM message_revisions WHERE message_id = 7", (0, 1), id="a text less"),
        pytest.param("UPDATE messages SET content = '' WHERE message_id < 10", (4, 0), id="other texts"),
        pytest.param("UPDATE messages SET deleted_at = NULL", (2, 0), id="not deleted there"),
        pytest.param("UPDATE messages SET edited_at = now() WHERE message_id = 9", (1, 0), id="edited"),
        pytest.param("UPDATE messages SET attachments = '[]'", (1, 0), id="without a file"),
        pytest.param("UPDATE messages SET author_id = 6 WHERE message_id = 9", (1, 0), id="an author"),
    ],
)
async def test_what_long_term_memory_holds_otherwise_is_counted(
    here: Database, there: Database, change: str, counts: tuple[int, int]
) -> None:
    await promote(here, there)
    await run(there, change)

    assert "messages: {}, earlier texts: {}".format(*counts) in await refused(here, there)


async def test_many_rows_are_compared_a_few_at_a_time(
    here: Database, there: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(empty_short_term_module, "_BATCH", 2)
    await promote(here, there)
    await run(there, "DELETE FROM messages WHERE message_id IN (8, 20, 21)")

    assert "messages: 3," in await refused(here, there)


async def test_what_was_written_since_the_backup_is_not_lost(here: Database, there: Database, tmp_path: Path) -> None:
    backup = await back_up(here, tmp_path, [Format.CSV])
    await write(here, edit(10, "changed since", at=95))

    assert await nothing_is_safe(here) in await refused(here, there, backup)


async def test_a_backup_that_was_not_verified_is_no_reason(here: Database, there: Database, tmp_path: Path) -> None:
    backup = await back_up(here, tmp_path, [Format.CSV])
    (backup[0] / VERIFIED).unlink()

    assert await nothing_is_safe(here) in await refused(here, there, backup)


async def test_a_backup_whose_manifest_was_changed_is_no_reason(
    here: Database, there: Database, tmp_path: Path
) -> None:
    backup = await back_up(here, tmp_path, [Format.CSV])
    with (backup[0] / MANIFEST).open("a") as manifest:
        manifest.write(" ")

    assert await nothing_is_safe(here) in await refused(here, there, backup)


async def test_a_backup_that_is_damaged_by_now_is_no_reason(here: Database, there: Database, tmp_path: Path) -> None:
    backup = await back_up(here, tmp_path, [Format.BINARY])
    (backup[0] / "short_term" / "messages.copy.zst").write_bytes(b"")

    assert await nothing_is_safe(here) in await refused(here, there, backup)


async def test_a_backup_from_which_nothing_can_be_restored_is_no_reason(
    here: Database, there: Database, tmp_path: Path
) -> None:
    backup = await back_up(here, tmp_path, [Format.PARQUET])

    assert await nothing_is_safe(here) in await refused(here, there, backup)


async def test_a_backup_of_long_term_memory_alone_is_no_reason(here: Database, there: Database, tmp_path: Path) -> None:
    backup = await back_up(there, tmp_path, [Format.CSV])

    assert await nothing_is_safe(here) in await refused(here, there, backup)


@pytest.mark.parametrize("writer", ["short-term", "long-term"])
async def test_memory_that_is_being_written_to_is_not_emptied(here: Database, there: Database, writer: str) -> None:
    await promote(here, there)
    written = here if writer == SHORT_TERM else there
    async with written.engine.begin() as connection:
        await connection.execute(text("DELETE FROM messages WHERE message_id = 8"))

        with pytest.raises(DatabaseSetupError, match=f"writing to the {writer} database|using the {writer} database"):
            await empty_short_term(here, there, None, timeout=timedelta(seconds=2))

    assert await count(here) > 0


async def test_a_bot_that_is_started_afterwards_does_not_fill_it_again(
    here: Database, there: Database, embedder: Embedder, tmp_path: Path
) -> None:
    journal, not_added = Journal(tmp_path / "demo.csv"), NotAdded(tmp_path / "demo_not_added.csv")
    journal.open()
    not_added.open()
    journal.record(MESSAGES)
    await run(here, f"UPDATE journal_positions SET position = {journal.end}")  # noqa: S608
    backup = await back_up(here, tmp_path / "backups", [Format.BINARY])

    await empty_short_term(here, there, backup, timeout=PATIENCE)

    async with running(
        Ingest(journal=journal, not_added=not_added, sessions=here.sessions, embedder=embedder, session="demo", batch=5)
    ) as ingest:
        assert await ingest.settle(timeout=PATIENCE)
        assert ingest.stored == journal.end
    journal.close()
    not_added.close()
    assert await count(here) == 0
