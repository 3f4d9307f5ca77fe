"""The embedded server, on the real thing."""

import asyncio
import os
import resource
import secrets
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

from db.embedded import EmbeddedServer, ensure_database, is_running, open_embedded, server_settings, stop_embedded
from db.embedded.__main__ import app
from errors import DatabaseSetupError
from tests.sentences import is_one_sentence

LIMIT = timedelta(seconds=60)
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.own_server

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks into /proc")

OPENER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from db.embedded import open_embedded

async def main():
    async with open_embedded(Path(sys.argv[1]), start_timeout=timedelta(seconds=60), durable=False):
        print("open", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def opened(base: Path) -> AbstractAsyncContextManager[EmbeddedServer]:
    return open_embedded(base, start_timeout=LIMIT, durable=False)


async def connected(server: EmbeddedServer, database: str = "postgres") -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(server.dsn(database), autocommit=True)


def postmaster(server: EmbeddedServer) -> int:
    return int((server.data_dir / "postmaster.pid").read_text().splitlines()[0])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(scratch: Path) -> AsyncGenerator[EmbeddedServer]:
    """One server for all tests that leave it running, in a folder whose name a shell would stumble over."""
    async with opened(scratch / "it's a $HOME") as server:
        yield server


@pytest_asyncio.fixture
async def base(scratch: Path) -> AsyncGenerator[Path]:
    """A folder for a server of the test's own, which is stopped in the end."""
    folder = scratch / f"base-{secrets.token_hex(4)}"
    yield folder
    if (folder / "data" / "PG_VERSION").exists():
        await stop_embedded(folder)


# A server that runs


def test_only_its_owner_may_enter_the_folders(server: EmbeddedServer) -> None:
    folders = (server.home, server.data_dir, server.socket_dir, server.log_dir)

    assert {mode(folder) for folder in folders} == {0o700}
    assert {folder.stat().st_uid for folder in folders} == {server.account.uid}
    assert mode(server.socket_dir / ".s.PGSQL.5432") == 0o700


@needs_root
def test_root_hands_the_server_to_an_unprivileged_user(server: EmbeddedServer) -> None:
    assert server.account.uid != 0
    assert Path(f"/proc/{postmaster(server)}").stat().st_uid == server.account.uid


@needs_proc
def test_no_tcp_port_is_listened_on(server: EmbeddedServer) -> None:
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    listening = {line.split()[9] for table in tables for line in table if line.split()[3] == "0A"}
    handles = [str(handle.readlink()) for handle in Path(f"/proc/{postmaster(server)}/fd").iterdir()]
    sockets = {handle[8:-1] for handle in handles if handle.startswith("socket:[")}

    assert sockets
    assert not sockets & listening


@pytest.mark.parametrize("extension", ["vectorscale", "pg_textsearch"])
async def test_it_brings_the_extension(server: EmbeddedServer, extension: str) -> None:
    async with await connected(server) as connection:
        await connection.execute(f"CREATE EXTENSION {extension} CASCADE".encode())
        found = await connection.execute("SELECT FROM pg_extension WHERE extname = %s", [extension])

        assert await found.fetchone() is not None


async def test_words_are_folded_beyond_ascii(server: EmbeddedServer) -> None:
    async with await connected(server) as connection:
        found = await connection.execute("SELECT lower('ÉTÉ'), to_tsvector('simple', 'ÉTÉ') @@ 'été'")

        assert await found.fetchone() == ("été", True)


async def test_a_database_with_a_space_in_its_name_is_reached_by_both_drivers(server: EmbeddedServer) -> None:
    await ensure_database(server, "a memory")
    engine = create_async_engine(make_url(server.dsn("a memory")).set(drivername="postgresql+psycopg"))

    async with await connected(server, "a memory") as direct, engine.connect() as pooled:
        found = await (await direct.execute("SELECT current_database()")).fetchone()
        pooled_found = (await pooled.exec_driver_sql("SELECT current_database()")).scalar_one()
    await engine.dispose()

    assert found == ("a memory",)
    assert pooled_found == "a memory"


async def test_a_port_meant_for_another_server_is_not_used(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")

    async with await connected(server) as connection:
        assert connection.info.port == 5432


async def test_two_may_ensure_the_same_database_at_once(server: EmbeddedServer) -> None:
    await asyncio.gather(*(ensure_database(server, "shared") for _ in range(3)))

    async with await connected(server, "shared") as connection:
        assert connection.info.dbname == "shared"


def test_a_durable_server_syncs_and_another_does_not(server: EmbeddedServer) -> None:
    assert "fsync" not in server_settings(server, durable=True)
    assert server_settings(server, durable=False)["fsync"] == "off"


# Starting and stopping


async def test_two_openers_at_once_share_one_server(base: Path) -> None:
    async with AsyncExitStack() as stack:
        servers = await asyncio.gather(*(stack.enter_async_context(opened(base)) for _ in range(2)))

        assert servers[0] == servers[1]


async def test_the_last_to_leave_stops_it(base: Path) -> None:
    async with AsyncExitStack() as second:
        async with opened(base) as server:
            started = postmaster(server)
            await second.enter_async_context(opened(base))

        assert await is_running(base)
        assert postmaster(server) == started

    assert not await is_running(base)


async def test_it_is_not_stopped_while_another_client_is_connected(base: Path) -> None:
    async with AsyncExitStack() as stack:
        async with opened(base) as server:
            client = await stack.enter_async_context(await connected(server))

        assert await (await client.execute("SELECT 1")).fetchone() == (1,)

    assert await is_running(base)


async def test_a_server_whose_opener_was_killed_is_adopted(base: Path) -> None:
    opener = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OPENER, str(base), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert opener.stdout
    assert await asyncio.wait_for(opener.stdout.readline(), LIMIT.total_seconds()) == b"open\n"
    started = int((base / "data" / "postmaster.pid").read_text().splitlines()[0])
    opener.kill()
    await opener.wait()

    async with opened(base) as server:
        assert postmaster(server) == started

    assert not await is_running(base)


async def kill_with_a_row_stored(base: Path) -> EmbeddedServer:
    async with opened(base) as server:
        async with await connected(server) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postmaster(server), signal.SIGKILL)
    return server


async def test_a_killed_server_is_started_again_with_its_data(base: Path) -> None:
    killed = postmaster(await kill_with_a_row_stored(base))

    async with opened(base) as server, await connected(server) as connection:
        assert postmaster(server) != killed
        assert await (await connection.execute("SELECT answer FROM kept")).fetchone() == (42,)


@needs_proc
async def test_a_process_id_that_something_else_has_by_now_fools_nobody(base: Path) -> None:
    server = await kill_with_a_row_stored(base)
    impostor = subprocess.Popen(  # noqa: ASYNC220 - does not wait for anything
        ["sleep", "600"],  # noqa: S607 - wherever the system keeps it
        user=server.account.uid,
        group=server.account.gid,
        extra_groups=[] if server.account.is_service else None,
    )
    pid_file = server.data_dir / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(postmaster(server)), str(impostor.pid), 1))

    try:
        async with opened(base) as server, await connected(server) as connection:
            assert await (await connection.execute("SELECT answer FROM kept")).fetchone() == (42,)
    finally:
        impostor.kill()
        impostor.wait()


async def test_a_postmaster_pid_that_a_power_cut_left_empty_fools_nobody(base: Path) -> None:
    server = await kill_with_a_row_stored(base)
    (server.data_dir / "postmaster.pid").write_text("")

    async with opened(base) as server:
        assert await is_running(base)


# What cannot be used is told in one sentence


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("global/pg_control", b"", "pg_control", id="damage"),
        pytest.param("PG_VERSION", b"17\n", "initialized by PostgreSQL version 17", id="another major version"),
    ],
)
async def test_data_that_cannot_be_started_are_told_with_the_reason_and_the_log(
    base: Path, name: str, content: bytes, reason: str
) -> None:
    async with opened(base) as server:
        pass
    (server.data_dir / name).write_bytes(content)

    with pytest.raises(DatabaseSetupError, match=reason) as caught:
        async with opened(base):
            pass

    assert is_one_sentence(str(caught.value))
    assert str(server.log_dir) in str(caught.value)
    assert (server.data_dir / name).read_bytes() == content


@pytest.mark.parametrize(
    ("name", "folder_mode", "reason"),
    [
        pytest.param("data", 0o700, "no PG_VERSION", id="data without a version"),
        pytest.param("data", 0o755, "open to other users", id="data that others may read"),
        pytest.param("socket", 0o777, "open to other users", id="a socket that others may replace"),
    ],
)
async def test_an_unusable_folder_is_refused(base: Path, name: str, folder_mode: int, reason: str) -> None:
    make_folder(base / name, folder_mode)

    with pytest.raises(DatabaseSetupError, match=reason) as caught:
        async with opened(base):
            pass

    assert is_one_sentence(str(caught.value))
    assert mode(base / name) == folder_mode


def make_folder(folder: Path, folder_mode: int, owner: str | int = "backscroll") -> None:
    folder.parent.mkdir()
    folder.parent.chmod(0o755)
    folder.mkdir()
    folder.chmod(folder_mode)
    if os.geteuid() == 0:
        shutil.chown(folder, owner)


@needs_root
async def test_a_folder_of_somebody_else_is_refused(base: Path) -> None:
    make_folder(base / "socket", 0o700, owner=4_000_001)

    with pytest.raises(DatabaseSetupError, match="is not a folder of the user that runs the server"):
        async with opened(base):
            pass


async def test_a_file_in_place_of_the_folder_is_told_in_one_sentence() -> None:
    with pytest.raises(DatabaseSetupError) as caught:
        async with opened(Path(__file__) / "below a file"):
            pass

    assert is_one_sentence(str(caught.value))


# The operator's commands


def command(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_an_operator_starts_and_stops_it_by_hand_even_while_a_client_is_connected(scratch: Path) -> None:
    base = scratch / "by hand"

    code, words = command("start", "--dir", base)
    assert (code, f"runs on {base}" in words) == (0, True)
    assert command("status", "--dir", base) == (0, f"The embedded server in {base} runs.\n")
    with psycopg.connect(words.partition("'")[2].rstrip("'\n")):
        assert command("stop", "--dir", base) == (0, "The embedded server has stopped.\n")
    assert command("status", "--dir", base) == (1, f"The embedded server in {base} does not run.\n")
    assert command("stop", "--dir", base) == (0, "The embedded server was not running.\n")


@pytest.mark.parametrize("action", ["stop", "status"])
def test_a_folder_without_a_server_is_misuse(scratch: Path, action: str) -> None:
    code, words = command(action, "--dir", scratch / "nowhere")

    assert code == 2
    assert is_one_sentence(words.strip())
    assert not (scratch / "nowhere").exists()


def test_a_server_started_by_hand_outlives_whoever_uses_it(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = scratch / "kept by hand"
    monkeypatch.setenv("EMBEDDED_DIR", str(base))  # which is where the commands look without --dir

    async def use() -> int:
        async with opened(base) as server, await connected(server):
            return postmaster(server)

    assert command("start")[0] == 0
    first, second = asyncio.run(use()), asyncio.run(use())
    assert command("status")[0] == 0
    assert command("stop") == (0, "The embedded server has stopped.\n")
    third = asyncio.run(use())

    assert first == second != third
    assert command("status") == (1, f"The embedded server in {base} does not run.\n")


def test_a_server_that_was_started_by_hand_before_a_crash_is_kept_no_longer(scratch: Path) -> None:
    base = scratch / "by hand before a crash"
    command("start", "--dir", base)
    os.kill(int((base / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)

    async def use() -> None:
        async with opened(base):
            pass

    asyncio.run(use())

    assert command("status", "--dir", base)[0] == 1


def test_a_home_in_the_option_of_a_command_is_found(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(scratch))

    assert command("status", "--dir", "~/nowhere") == (
        2,
        f"There is no embedded server in {scratch}/nowhere: give its folder with --dir.\n",
    )
    assert command("status", "--dir", "~nobody-at-all/x")[1].startswith("--dir: '~nobody-at-all' is nobody's home")


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, in this process and those that it starts, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_disk_that_takes_no_new_server_is_told_with_the_reason(base: Path) -> None:
    with small_files(64 * 1024), pytest.raises(DatabaseSetupError) as caught:
        async with opened(base):
            pass

    assert is_one_sentence(str(caught.value))
    assert "File too large" in str(caught.value)
    assert "see that its disk has room" in str(caught.value)
    async with opened(base) as server:
        assert await is_running(server.home)


async def test_a_server_that_was_started_and_cannot_be_used_is_stopped_at_once(base: Path) -> None:
    async with opened(base) as server:
        pass
    (server.data_dir / "pg_hba.conf").write_text("local all all reject\n")

    with pytest.raises(DatabaseSetupError, match="rejects connection") as caught:
        async with asyncio.timeout(30), opened(base):
            pass

    assert is_one_sentence(str(caught.value).replace("pg_hba.conf", "it").replace(".s.PGSQL.5432", ""))
    assert not await is_running(base)


async def test_a_start_that_is_cancelled_leaves_no_server_behind(base: Path) -> None:
    async with opened(base):
        pass

    async def use() -> None:
        async with opened(base):
            await asyncio.Event().wait()

    for seconds in (0.05, 0.1, 0.2, 0.4):
        using = asyncio.create_task(use())
        await asyncio.sleep(seconds)
        using.cancel()
        await asyncio.gather(using, return_exceptions=True)

        assert not await is_running(base)
