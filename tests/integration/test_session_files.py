"""The files of the current session go into a backup, and come back where they are gone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.databases import LONG_TERM, SHORT_TERM, Database
from db.engines import transaction
from db.metadata import get_metadata, set_metadata
from errors import InputFileError, SessionError
from memory.capture.journal import BadRecord, Journal, NotAdded
from memory.capture.members import JOURNAL_FACT, SESSION_FACT
from ops.backup.catalogue import Backup
from ops.backup.create import BackupPlan, create
from ops.backup.formats import Format
from ops.backup.manifest import read_manifest
from ops.backup.restore import secure_session
from ops.backup.session_files import Continued, go_on_with_session, refuse_damaged_session
from ops.backup.verify import check_files
from storage.sessions import ProgramSession, choose_session, open_session_folder, remember_session, remembered_session
from tests.builders import message, whole
from tests.conftest import open_new_database
from tests.lived_in import MESSAGES, PATIENCE, WIDTH, live_in
from tests.sentences import is_one_sentence
from tests.servers import Server
from util_async import no_progress

pytestmark = pytest.mark.server

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SAID = [message(number, f"note {number}\nin two lines", author_id=number % 2 + 1) for number in range(1, 7)]


@pytest.fixture
async def short_term(server: Server) -> AsyncIterator[Database]:
    """A short-term memory that holds the session demo."""
    async with open_new_database(server, SHORT_TERM, width=WIDTH) as database:
        await live_in(database)
        yield database


@pytest.fixture
def session(tmp_path: Path) -> ProgramSession:
    """The session demo, with both of its files."""
    found = choose_session(tmp_path / "storage", name="demo", add_date=False, add_number=False, today=NOW.date())
    open_session_folder(found)
    remember_session(tmp_path / "storage", found)
    journal, not_added = Journal(found.journal_path), NotAdded(found.not_added_path)
    journal.open()
    journal.record(SAID)
    journal.close()
    not_added.open()
    not_added.refuse_record(BadRecord("torn", "cut short"))
    not_added.close()
    return found


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """The storage folder of a computer that has nothing yet."""
    return tmp_path / "elsewhere"


async def back_up(
    database: Database, session: ProgramSession | None, backup_dir: Path, *, compress: bool = True
) -> Backup:
    return await create(
        [database],
        BackupPlan(name="whole", formats=[Format.CSV], compress=compress),
        session=session,
        backup_dir=backup_dir,
        now=NOW,
        timeout=PATIENCE,
        report=no_progress,
    )


async def put_back(
    backup: Backup, database: Database, storage_dir: Path, erasures: dict[int, datetime] | None = None
) -> list[Path]:
    return (await go_on(backup, database, storage_dir, erasures)).written


async def go_on(
    backup: Backup, database: Database, storage_dir: Path, erasures: dict[int, datetime] | None = None
) -> Continued:
    manifest = read_manifest(backup.folder)
    return await go_on_with_session(backup.folder, manifest, database, storage_dir=storage_dir, erasures=erasures or {})


@pytest.mark.parametrize("compress", [True, False], ids=["compressed", "plain"])
async def test_files_that_are_gone_come_back_as_they_were(
    short_term: Database, session: ProgramSession, lost: Path, tmp_path: Path, compress: bool
) -> None:
    backup = await back_up(short_term, session, tmp_path / "backups", compress=compress)

    written = await put_back(backup, short_term, lost)

    again = remembered_session(lost)
    assert again == ProgramSession("demo", "demo", lost / "demo")
    assert written == [again.journal_path, again.not_added_path]
    assert [path.read_bytes() for path in written] == [
        path.read_bytes() for path in (session.journal_path, session.not_added_path)
    ]
    assert sorted(path.name for path in again.folder.iterdir()) == [
        "demo.csv",
        "demo_not_added.csv",
        "file_numbers.pkl",
    ]


async def test_memory_knows_where_its_csv_is_now(
    short_term: Database, session: ProgramSession, lost: Path, tmp_path: Path
) -> None:
    backup = await back_up(short_term, session, tmp_path / "backups")

    await put_back(backup, short_term, lost)

    async with transaction(short_term.sessions) as transacting:
        assert await get_metadata(transacting, JOURNAL_FACT) == str(lost / "demo" / "demo.csv")


async def test_files_that_are_there_are_left_alone(
    short_term: Database, session: ProgramSession, tmp_path: Path
) -> None:
    backup = await back_up(short_term, session, tmp_path / "backups")
    session.journal_path.write_text("newer")
    session.not_added_path.unlink()

    assert await put_back(backup, short_term, tmp_path / "storage") == [session.not_added_path]
    assert session.journal_path.read_text() == "newer"


def other_session(storage_dir: Path) -> ProgramSession:
    """Make another session the current one, which has a CSV."""
    other = choose_session(storage_dir, name="other", add_date=False, add_number=False, today=NOW.date())
    open_session_folder(other)
    other.journal_path.write_text("theirs")
    remember_session(storage_dir, other)
    return other


async def test_the_session_that_was_restored_is_the_current_one_again(
    short_term: Database, session: ProgramSession, lost: Path, tmp_path: Path
) -> None:
    backup = await back_up(short_term, session, tmp_path / "backups")
    other = other_session(lost)

    going = await go_on(backup, short_term, lost)

    assert going.before == other
    assert going.session == remembered_session(lost) == ProgramSession("demo", "demo", lost / "demo")
    assert other.journal_path.read_text() == "theirs"


@pytest.mark.parametrize("stem", ["demo", "demo_2026-11-02_1"])
@pytest.mark.parametrize("has_csv", [True, False], ids=["with a CSV", "without any"])
async def test_a_backup_without_session_files_names_the_session_too(
    short_term: Database, tmp_path: Path, stem: str, has_csv: bool
) -> None:
    async with transaction(short_term.sessions) as transacting:
        await set_metadata(transacting, SESSION_FACT, stem)
    backup = await back_up(short_term, None, tmp_path / "backups")
    storage = tmp_path / "storage"
    other_session(storage)
    wanted = ProgramSession("demo" if has_csv else stem, stem, storage / ("demo" if has_csv else stem))
    if has_csv:
        open_session_folder(wanted)
        wanted.journal_path.touch()

    await go_on(backup, short_term, storage)

    assert remembered_session(storage) == wanted


@pytest.mark.parametrize("stem", ["../demo", "a/b", ".", "x\n", "", "CON"])
async def test_a_memory_whose_session_no_session_can_be_changes_nothing(
    short_term: Database, tmp_path: Path, stem: str
) -> None:
    async with transaction(short_term.sessions) as transacting:
        await set_metadata(transacting, SESSION_FACT, stem)
    backup = await back_up(short_term, None, tmp_path / "backups")
    other = other_session(tmp_path / "storage")

    going = await go_on(backup, short_term, tmp_path / "storage")

    assert going.session is None
    assert remembered_session(tmp_path / "storage") == other


async def test_the_files_are_those_of_the_session_that_memory_holds(
    short_term: Database, session: ProgramSession, tmp_path: Path
) -> None:
    other = other_session(session.folder.parent)

    manifest = (await back_up(short_term, other, tmp_path / "backups")).manifest

    assert manifest.session is not None
    assert manifest.session.stem == "demo"
    assert [Path(file.path).name for file in manifest.session.files] == ["demo.csv.zst", "demo_not_added.csv.zst"]


async def hold(database: Database, journal: Path) -> None:
    """Let short-term memory hold another session, which has its CSV there."""
    async with transaction(database.sessions) as transacting:
        await set_metadata(transacting, SESSION_FACT, "sailing")
        await set_metadata(transacting, JOURNAL_FACT, str(journal))


async def test_a_session_that_only_memory_has_is_written_back_before_it_is_replaced(
    short_term: Database, tmp_path: Path
) -> None:
    entry = (await back_up(short_term, None, tmp_path / "backups")).manifest.databases[0]
    await hold(short_term, tmp_path / "gone.csv")

    await secure_session(short_term, entry, tmp_path, erasures={}, timeout=PATIENCE)

    written = [message for batch in Journal(tmp_path / "gone.csv").read_all() for message in batch.messages]
    assert {message.key for message in written} == {message.key for message in MESSAGES}


async def test_a_session_that_cannot_be_written_back_is_not_replaced(short_term: Database, tmp_path: Path) -> None:
    entry = (await back_up(short_term, None, tmp_path / "backups")).manifest.databases[0]
    await hold(short_term, tmp_path / "no such folder" / "gone.csv")

    with pytest.raises(SessionError, match="'sailing'") as caught:
        await secure_session(short_term, entry, tmp_path, erasures={}, timeout=PATIENCE)

    assert is_one_sentence(str(caught.value))


async def test_the_session_of_the_backup_itself_may_be_replaced(short_term: Database, tmp_path: Path) -> None:
    entry = (await back_up(short_term, None, tmp_path / "backups")).manifest.databases[0]

    await secure_session(short_term, entry, tmp_path, erasures={}, timeout=PATIENCE)

    assert not await asyncio.to_thread(lambda: list(tmp_path.glob("*.csv")))


async def test_a_server_that_holds_nothing_yet_loses_nothing(
    short_term: Database, server: Server, tmp_path: Path
) -> None:
    entry = (await back_up(short_term, None, tmp_path / "backups")).manifest.databases[0]

    async with open_new_database(server, SHORT_TERM) as blank:
        await secure_session(blank, entry, tmp_path, erasures={}, timeout=PATIENCE)


async def test_a_record_that_the_bot_is_writing_is_left_out(
    short_term: Database, session: ProgramSession, lost: Path, tmp_path: Path
) -> None:
    before = session.journal_path.read_bytes()
    session.journal_path.write_bytes(before + b'9,2026-11-03T09:09:00+00:00,demo,,1,,,,ana,general,message,"half of')

    await put_back(await back_up(short_term, session, tmp_path / "backups"), short_term, lost)

    assert (lost / "demo" / "demo.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("erased_at", "left"),
    [
        pytest.param(NOW + timedelta(days=1), [2, 4, 6], id="since the backup"),
        pytest.param(NOW - timedelta(days=1), [1, 2, 3, 4, 5, 6], id="before, when the files were rewritten"),
    ],
)
async def test_those_who_were_forgotten_are_left_out(
    short_term: Database, session: ProgramSession, lost: Path, tmp_path: Path, erased_at: datetime, left: list[int]
) -> None:
    backup = await back_up(short_term, session, tmp_path / "backups")

    await put_back(backup, short_term, lost, {2: erased_at})

    assert [one.message_id for one in whole(Journal(lost / "demo" / "demo.csv")).messages] == left


async def test_a_damaged_file_is_named_and_nothing_is_put_back(
    short_term: Database, session: ProgramSession, lost: Path, tmp_path: Path
) -> None:
    backup = await back_up(short_term, session, tmp_path / "backups")
    (backup.folder / "session" / "demo_not_added.csv.zst").write_bytes(b"")

    with pytest.raises(InputFileError, match=r"demo_not_added\.csv\.zst"):
        check_files(backup.folder, backup.manifest, no_progress)
    with pytest.raises(InputFileError, match=r"demo_not_added\.csv\.zst"):
        await put_back(backup, short_term, lost)
    with pytest.raises(InputFileError, match=r"demo_not_added\.csv\.zst"):
        await refuse_damaged_session(backup.folder, backup.manifest, storage_dir=lost)
    await refuse_damaged_session(backup.folder, backup.manifest, storage_dir=tmp_path / "storage")  # it has the files

    assert not (lost / "demo").exists()


@pytest.mark.parametrize(
    ("name", "stem"),
    [pytest.param("../demo", "../demo", id="a folder above"), pytest.param("demo", "../demo", id="a file elsewhere")],
)
async def test_a_manifest_that_leads_elsewhere_is_refused(
    short_term: Database, session: ProgramSession, lost: Path, tmp_path: Path, name: str, stem: str
) -> None:
    backup = await back_up(short_term, session, tmp_path / "backups")
    assert backup.manifest.session is not None
    other = backup.manifest.session.model_copy(update={"name": name, "stem": stem})
    manifest = backup.manifest.model_copy(update={"session": other})

    with pytest.raises(InputFileError, match="session that cannot be"):
        await go_on_with_session(backup.folder, manifest, short_term, storage_dir=lost, erasures={})


async def test_there_is_no_session_in_a_backup_of_long_term_memory(
    server: Server, session: ProgramSession, lost: Path, tmp_path: Path
) -> None:
    async with open_new_database(server, LONG_TERM, width=WIDTH) as database:
        await live_in(database)
        backup = await back_up(database, session, tmp_path / "backups")

        assert backup.manifest.session is None
        assert await put_back(backup, database, lost) == []


async def test_a_session_without_files_leaves_no_trace(short_term: Database, tmp_path: Path) -> None:
    new = choose_session(tmp_path / "storage", name="new", add_date=False, add_number=False, today=NOW.date())

    assert (await back_up(short_term, new, tmp_path / "backups")).manifest.session is None
