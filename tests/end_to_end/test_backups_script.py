"""backups.py backs up, lists, proves, restores and prunes, or says in one sentence why not."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from bench.processes import ROOT, Finished, Program, Workplace, open_workplace, until
from db.databases import LONG_TERM, SHORT_TERM, Database
from db.embedded import EmbeddedServer
from db.engines import transaction
from db.metadata import set_metadata
from memory.index import store
from memory.index.reembed import MODEL_FACT
from memory.index.store import Indexed
from ops.backup.manifest import MANIFEST, VERIFIED
from storage.sessions import session_lock
from tests.builders import message
from tests.conftest import open_existing_database
from tests.end_to_end.processes import Fresh, open_program, open_terminal, run_program
from tests.sentences import is_one_sentence
from tests.servers import Server, embedded_server

SCRIPT = ROOT / "backups.py"
PATIENCE = timedelta(seconds=60)
WIDTH = 12
MODEL = "all-MiniLM-L6-v2"
PASSWORD = "not-to-be-seen"


async def fill(server: Server, database: str, name: str) -> None:
    async with open_existing_database(server, database, name=name) as opened:
        await opened.migrate(dimensions=WIDTH)
        await remember(opened, 1, 2, 3)


async def remember(database: Database, *numbers: int) -> None:
    batch = [Indexed(message(number, f"note {number}"), f"note {number}", None, None) for number in numbers]
    async with transaction(database.sessions) as session:
        await store.write(session, batch=batch, revisions=(), journal="demo", position=1)
        await set_metadata(session, MODEL_FACT, MODEL)


@pytest.fixture
def trusting(embedded: EmbeddedServer) -> Server:
    """A server that asks for no password, and so takes any."""
    return embedded_server(embedded)


def new_workplace(server: Server) -> Iterator[Workplace]:
    names = {name: server.create_database(name, width=WIDTH) for name in (SHORT_TERM, LONG_TERM)}
    for name, database in names.items():
        asyncio.run(fill(server, database, name))
    dsns = {f"{name.upper().replace('-', '_')}_DSN": server.dsn(database) for name, database in names.items()}
    with open_workplace(**dsns) as opened:
        yield opened
    for database in names.values():
        server.drop_database(database)


@pytest.fixture(scope="module")
def lived_in(server: Server) -> Iterator[Workplace]:
    """A workplace with three messages in each memory, which no test changes."""
    yield from new_workplace(server)


@pytest.fixture
def place(server: Server) -> Iterator[Workplace]:
    """A workplace of a test's own with three messages in each memory."""
    yield from new_workplace(server)


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, str]:
    """A folder of a test's own for backups, as a setting."""
    return {"BACKUP_DIR": str(tmp_path / "backups")}


async def run(place: Workplace, *arguments: str, **settings: str) -> Finished:
    return await run_program(place, *arguments, script=SCRIPT, **settings)


async def done(place: Workplace, *arguments: str, **settings: str) -> str:
    finished = await run(place, *arguments, **settings)
    assert finished.status == 0, finished.err
    return finished.out


async def refused(place: Workplace, *arguments: str, **settings: str) -> str:
    finished = await run(place, *arguments, **settings)
    assert finished.status == 2, finished.out
    assert is_one_sentence(finished.err.strip()), finished.err
    assert "Traceback" not in finished.err
    return finished.err


def seen(settings: dict[str, str]) -> list[str]:
    """Return what lies in the folder of backups and is not its lock."""
    folder = Path(settings["BACKUP_DIR"])
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock") if folder.exists() else []


def query(place: Workplace, statement: str, *, memory: str = "SHORT_TERM_DSN") -> list[tuple[object, ...]]:
    with psycopg.connect(place.settings[memory], autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


COUNT = "SELECT count(*) FROM messages"


@pytest.mark.server
async def test_a_backup_is_made_listed_verified_and_pruned(lived_in: Workplace, folder: dict[str, str]) -> None:
    created = await done(lived_in, "create", "--format", "both", "--format", "binary", "--name", "nightly", **folder)
    (name,) = seen(folder)

    assert name.startswith("nightly_")
    assert name in created
    listed = (await done(lived_in, "list", **folder)).splitlines()
    assert len(listed) == 2
    assert name in listed[1]
    assert "short-term, long-term" in listed[1]
    assert "csv, dump, binary" in listed[1]
    assert not listed[1].endswith("no")

    assert name in await done(lived_in, "verify", name, **folder)

    await done(lived_in, "create", "--name", "nightly", "--database", "short", "--no-verify", **folder)
    other = next(one for one in seen(folder) if one != name)
    assert (await done(lived_in, "list", **folder)).splitlines()[2].endswith("no")
    dry = await done(lived_in, "prune", "--keep-daily", "1", "--dry-run", **folder)
    assert "Nothing would be removed" in dry  # as the newer one lacks long-term memory
    await done(lived_in, "create", "--name", "nightly", **folder)
    assert seen(folder)[2:]

    pruned = await done(lived_in, "prune", "--keep-daily", "1", "--keep-weekly", "1", **folder)

    assert pruned.splitlines() == [f"removed: {name}", f"removed: {other}"]
    assert len(seen(folder)) == 1


async def test_every_run_has_a_log_of_its_own(lived_in: Workplace, folder: dict[str, str]) -> None:
    await done(lived_in, "create", "--database", "short", "--name", "logged", **folder)

    logs = sorted((lived_in.storage_dir / "logs" / "backups").glob("backups_????-??-??_??????*.log"))
    assert f"{seen(folder)[0]} is whole: 3 messages" in logs[-1].read_text(encoding="utf-8")


@pytest.mark.server
async def test_it_restores_what_was_lost(place: Workplace, folder: dict[str, str]) -> None:
    await done(place, "create", "--format", "csv", "--format", "dump", **folder)
    (name,) = seen(folder)
    proved = await done(place, "verify", name, "--restore", **folder)
    assert "DIFFERENT" not in proved
    assert proved.splitlines()[-1].endswith(", restored")
    for memory in ("SHORT_TERM_DSN", "LONG_TERM_DSN"):
        query(place, "DELETE FROM messages WHERE message_id < 3 RETURNING 1", memory=memory)

    restored = await done(place, "restore", name, "--yes", **folder)

    assert "DIFFERENT" not in restored
    assert query(place, COUNT) == query(place, COUNT, memory="LONG_TERM_DSN") == [(3,)]


async def test_only_the_database_that_is_asked_for_is_restored(place: Workplace, folder: dict[str, str]) -> None:
    await done(place, "create", "--format", "binary", **folder)
    for memory in ("SHORT_TERM_DSN", "LONG_TERM_DSN"):
        query(place, "DELETE FROM messages WHERE message_id < 3 RETURNING 1", memory=memory)

    await done(place, "restore", *seen(folder), "--database", "long", "--yes", **folder)

    assert query(place, COUNT) == [(1,)]
    assert query(place, COUNT, memory="LONG_TERM_DSN") == [(3,)]


async def test_short_term_memory_is_emptied_when_a_backup_holds_it(place: Workplace, folder: dict[str, str]) -> None:
    out = await done(place, "create", "--empty-short-term", **folder)

    assert "3 messages" in out
    assert query(place, COUNT) == [(0,)]


async def test_a_running_bot_keeps_its_memory(lived_in: Workplace, folder: dict[str, str]) -> None:
    await done(lived_in, "create", **folder)
    (name,) = seen(folder)

    with session_lock(lived_in.storage_dir):
        assert "runs on the storage folder" in await refused(lived_in, "restore", name, "--yes", **folder)
        assert "runs on the storage folder" in await refused(lived_in, "create", "--empty-short-term", **folder)
        await done(lived_in, "create", **folder)
        await done(lived_in, "verify", name, **folder)

    assert query(lived_in, COUNT) == [(3,)]
    assert len(seen(folder)) == 2


async def test_with_nobody_to_ask_the_flags_are_told(lived_in: Workplace, folder: dict[str, str]) -> None:
    assert "--database both --format csv" in await refused(lived_in, **folder)
    await done(lived_in, "create", **folder)
    assert "--yes" in await refused(lived_in, "restore", *seen(folder), **folder)

    assert query(lived_in, COUNT) == [(3,)]


async def test_somebody_at_a_terminal_is_asked(lived_in: Workplace, folder: dict[str, str]) -> None:
    async with open_terminal(lived_in, script=SCRIPT, **folder) as terminal:
        for question, answer in (
            ("Which database?", "short"),
            ("CSV, dump or both?", "both"),
            ("Name", "by hand"),
            ("Empty the short-term table afterwards?", "n"),
        ):
            await terminal.shows(question)
            terminal.press(f"{answer}\r")
        status, shown = await terminal.ends()

    assert status == 0, shown
    (name,) = seen(folder)
    listed = await done(lived_in, "list", **folder)
    assert name.startswith("by hand_")
    assert "short-term  csv, dump" in listed


async def test_whoever_says_no_restores_nothing(place: Workplace, folder: dict[str, str]) -> None:
    await done(place, "create", **folder)
    query(place, "DELETE FROM messages RETURNING 1")

    async with open_terminal(place, "restore", *seen(folder), script=SCRIPT, **folder) as terminal:
        await terminal.shows("Replace all that the short-term and the long-term database hold")
        terminal.press("n\r")
        status, _ = await terminal.ends()

    assert status == 0
    assert query(place, COUNT) == [(0,)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("create", "--name", "../x"), "backup name", id="a name that leads elsewhere"),
        pytest.param(("create", "--every", "soon"), "--every", id="no length of time"),
        pytest.param(("create", "--every", "24"), "its unit", id="a length of time without its unit"),
        pytest.param(("create", "--every", "NaT"), "--every", id="not a time"),
        pytest.param(("create", "--every", "24h", "--empty-short-term"), "does not go with", id="emptying for ever"),
        pytest.param(("create", "--keep-daily", "7"), "--every", id="keeping without a schedule"),
        pytest.param(("create", "--empty-short-term", "--no-verify"), "--no-verify", id="emptying unverified"),
        pytest.param(("verify", "nightly_2026-01-01_1"), "There is no backup", id="no such backup"),
        pytest.param(("restore", "..", "--yes"), "There is no backup", id="no backup but a folder"),
        pytest.param(("prune",), "--keep-daily", id="pruning without a rule"),
    ],
)
async def test_what_cannot_be_done_is_told_in_one_sentence(
    lived_in: Workplace, folder: dict[str, str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in await refused(lived_in, *arguments, **folder)

    assert seen(folder) == []
    assert query(lived_in, COUNT) == [(3,)]


async def test_what_a_backup_does_not_hold_is_not_restored(lived_in: Workplace, folder: dict[str, str]) -> None:
    await done(lived_in, "create", "--database", "short", "--format", "parquet", "--format", "csv", **folder)
    (name,) = seen(folder)

    assert "long-term" in await refused(lived_in, "restore", name, "--database", "long", "--yes", **folder)
    assert "from parquet" in await refused(lived_in, "restore", name, "--format", "parquet", "--yes", **folder)
    assert "from dump" in await refused(lived_in, "restore", name, "--format", "dump", "--yes", **folder)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


async def test_a_changed_file_is_told(lived_in: Workplace, folder: dict[str, str]) -> None:
    await done(lived_in, "create", "--database", "short", **folder)
    (name,) = seen(folder)
    flip(Path(folder["BACKUP_DIR"], name, "short_term", "messages.csv.zst"))

    assert "was changed" in await refused(lived_in, "verify", name, **folder)
    assert "was changed" in await refused(lived_in, "restore", name, "--yes", **folder)

    assert query(lived_in, COUNT) == [(3,)]


async def test_a_damaged_backup_is_marked_refused_and_does_not_count(place: Workplace, folder: dict[str, str]) -> None:
    days: list[str] = []
    for day in (1, 2, 3):
        await done(place, "create", "--database", "short", **folder)
        (name,) = set(seen(folder)) - set(days)
        days.append(move_to_day(Path(folder["BACKUP_DIR"]), name, day))
    first, second, third = days
    for name in days:
        await done(place, "verify", name, **folder)
    flip(Path(folder["BACKUP_DIR"], third, "short_term", "messages.csv.zst"))

    dry = await done(place, "prune", "--keep-daily", "1", "--dry-run", **folder)
    pruned = await done(place, "prune", "--keep-daily", "1", **folder)

    assert f"would be removed: {first}" in dry.splitlines()
    assert f"removed: {first}" in pruned.splitlines()
    assert "was changed since it was written" in pruned
    assert seen(folder) == [second, third]
    assert (await done(place, "list", **folder)).splitlines()[2].endswith("DAMAGED")
    assert "failed to verify" in await refused(place, "restore", third, "--yes", **folder)
    assert "was changed" in await refused(place, "verify", third, **folder)
    flip(Path(folder["BACKUP_DIR"], third, "short_term", "messages.csv.zst"))
    await done(place, "verify", third, **folder)
    assert f"removed: {second}" in await done(place, "prune", "--keep-daily", "1", **folder)


def move_to_day(backup_dir: Path, name: str, day: int) -> str:
    """Let a backup be one of that day, before it is verified; return its name."""
    other = f"backup_2026-11-{day:02}_1"
    path = backup_dir / name
    manifest = json.loads((path / MANIFEST).read_bytes())
    manifest.update(name=other, created_at=f"2026-11-{day:02}T03:00:00Z")
    (path / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    (path / VERIFIED).unlink()
    path.rename(backup_dir / other)
    return other


async def test_a_server_that_does_not_answer_is_named(lived_in: Workplace, folder: dict[str, str]) -> None:
    gone = "postgresql://postgres@127.0.0.1:1/gone"

    assert "does not answer" in await refused(lived_in, "create", SHORT_TERM_DSN=gone, **folder)

    assert seen(folder) == []


async def test_no_embedded_server_is_made_to_back_it_up(folder: dict[str, str]) -> None:
    with open_workplace() as nowhere:
        assert "no embedded server" in await refused(nowhere, "create", **folder)

        assert not nowhere.embedded_dir.exists()


@asynccontextmanager
async def held_up(place: Workplace) -> AsyncGenerator[None]:
    """Let pg_dump wait for a table that nothing else reads, for as long as the context lasts."""
    async with await psycopg.AsyncConnection.connect(place.settings["SHORT_TERM_DSN"]) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS not_ours ()")
        await connection.commit()
        await connection.execute("LOCK TABLE not_ours")
        yield
        await connection.rollback()


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if entry.name.isdigit() and parent == pid:
                found.append(int(entry.name))
    return found


def command_line(pid: int) -> str:
    """Return how a process was started; nothing of one that has ended meanwhile."""
    with suppress(OSError):
        return Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def runs_pg_dump(program: Program) -> bool:
    return any("--snapshot=" in command_line(pid) for pid in children_of(program.process.pid))


@pytest.fixture
def with_password(trusting: Server) -> Iterator[Workplace]:
    """A workplace whose addresses carry a password."""
    for place in new_workplace(trusting):
        secret = {
            name: make_url(dsn).set(password=PASSWORD).render_as_string(hide_password=False)
            for name, dsn in place.settings.items()
        }
        yield Workplace(folder=place.folder, settings=secret)


def texts(folder: Path, pattern: str) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in folder.rglob(pattern)]


def runs(pid: int) -> bool:
    return Path("/proc", str(pid)).exists()


async def test_the_password_is_on_no_command_line_and_in_no_log(
    with_password: Workplace, folder: dict[str, str]
) -> None:
    arguments = ("create", "--database", "short", "--format", "dump")
    async with open_program(with_password, *arguments, script=Fresh(SCRIPT), **folder) as program:
        async with held_up(with_password):
            await until(lambda: runs_pg_dump(program), program)
            shown = [command_line(pid) for pid in (program.process.pid, *children_of(program.process.pid))]
        finished = await program.finish()

    assert finished.status == 0, finished.err
    assert any("pg_dump" in line for line in shown)
    logs = texts(with_password.storage_dir, "*.log")
    files = texts(Path(folder["BACKUP_DIR"]), "*.json")
    assert logs
    assert files
    assert [text for text in (*shown, *logs, *files, finished.out, finished.err) if PASSWORD in text] == []


async def kill(program: Program) -> None:
    program.process.send_signal(signal.SIGKILL)


async def stop(program: Program) -> None:
    program.process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("end", [kill, stop], ids=["killed", "Ctrl+C"])
async def test_stopped_half_way_it_leaves_nothing_that_looks_whole(
    place: Workplace, folder: dict[str, str], end: Callable[[Program], Awaitable[None]]
) -> None:
    arguments = ("create", "--database", "short", "--format", "csv", "--format", "dump")
    async with held_up(place), open_program(place, *arguments, script=SCRIPT, **folder) as program:
        await until(lambda: runs_pg_dump(program), program)
        (dumping,) = children_of(program.process.pid)
        await end(program)
        assert (await program.finish()).status != 0
        left = seen(folder)

    if end is kill:
        assert [name.endswith(".partial") for name in left] == [True]
    else:
        assert left == []
        assert not runs(dumping)
    assert "There is no backup" in await done(place, "list", **folder)
    await done(place, "create", **folder)
    assert [name.startswith("backup_") for name in seen(folder)] == [True]


async def test_two_at_once_are_one_too_many(place: Workplace, folder: dict[str, str]) -> None:
    arguments = ("create", "--database", "short", "--format", "dump")
    async with open_program(place, *arguments, script=SCRIPT, **folder) as program:
        async with held_up(place):
            await until(lambda: runs_pg_dump(program), program)
            assert "Another backups.py" in await refused(place, "create", **folder)
            assert "Another backups.py" in await refused(place, "prune", "--keep-daily", "1", **folder)
        finished = await program.finish()

    assert finished.status == 0, finished.err
    assert len(seen(folder)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "SIGTERM"])
async def test_a_schedule_makes_the_first_at_once_and_ends_with_a_signal(
    lived_in: Workplace, folder: dict[str, str], number: signal.Signals
) -> None:
    arguments = ("create", "--every", "24h", "--keep-daily", "1", "--database", "short")
    await done(lived_in, "create", "--database", "short", **folder)
    (before,) = seen(folder)
    async with open_program(lived_in, *arguments, script=SCRIPT, **folder) as program:
        await until(lambda: before not in seen(folder), program)
        os.kill(program.process.pid, number)
        finished = await program.finish()

    assert finished.status == 0, finished.err
    (kept,) = seen(folder)
    assert kept in finished.out
    assert kept != before
    assert finished.err == ""


async def test_a_schedule_goes_on_when_a_backup_fails(lived_in: Workplace, folder: dict[str, str]) -> None:
    gone = "postgresql://postgres@127.0.0.1:1/gone"
    logs = lived_in.storage_dir / "logs" / "backups"
    known = set(logs.glob("*.log"))

    def has_failed() -> bool:
        return any("does not answer" in path.read_text(encoding="utf-8") for path in set(logs.glob("*.log")) - known)

    arguments = ("create", "--every", "24h")
    async with open_program(lived_in, *arguments, script=SCRIPT, SHORT_TERM_DSN=gone, **folder) as program:
        await until(has_failed, program)
        program.process.send_signal(signal.SIGTERM)
        finished = await program.finish()

    assert finished.status == 0
    assert "tried again at the next time" in finished.err
    assert seen(folder) == []
