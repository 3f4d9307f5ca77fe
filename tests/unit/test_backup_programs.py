"""PostgreSQL's programs are found in a version that suits, and run without showing a password."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from db import programs
from db.programs import choose_program, find_binaries, find_program, run_program
from errors import DatabaseSetupError, OperatorError
from tests.sentences import is_one_sentence

PATIENCE = timedelta(seconds=60)
PASSWORD = "pa:ss\\wörd 'x'"
QUOTED = "pa%3Ass%5Cw%C3%B6rd%20%27x%27"


def program(folder: Path, script: str, name: str = "pg_dump") -> Path:
    """Make a program out of lines of a shell."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def of_version(folder: Path, version: str) -> Path:
    return program(folder, f'echo "pg_dump (PostgreSQL) {version}"')


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below which programs are found in `embedded`, in `path` and in `debian/VERSION/bin`."""

    def binaries() -> Path:
        if not (tmp_path / "embedded").exists():
            raise DatabaseSetupError("The embedded server is not installed.")
        return tmp_path / "embedded"

    monkeypatch.setattr(programs, "find_binaries", binaries)
    monkeypatch.setattr(programs, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "path").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("there", "server", "chosen"),
    [
        pytest.param(
            {"embedded": "18.1", "path": "17.4"}, "17.11 (Debian)", "path", id="the same version before a newer"
        ),
        pytest.param({"embedded": "18.1", "path": "17.4"}, "16.2", "path", id="the next newer version"),
        pytest.param({"embedded": "18.1", "path": "18.3"}, "18.6", "embedded", id="the embedded one of two"),
        pytest.param({"path": "16.1", "debian/17/bin": "17.1"}, "17.0", "debian/17/bin", id="in Debian's place"),
        pytest.param({"path": "15.1", "embedded": "18beta2"}, "17.0", "embedded", id="a beta version"),
    ],
)
def test_the_program_that_suits_the_server_is_chosen(
    places: Path, there: dict[str, str], server: str, chosen: str
) -> None:
    for place, version in there.items():
        of_version(places / place, version)

    found = choose_program("pg_dump", server)

    assert (found.path, found.version) == (places / chosen / "pg_dump", there[chosen])


def test_programs_that_are_too_old_are_refused_and_told(places: Path) -> None:
    of_version(places / "path", "15.3")

    with pytest.raises(OperatorError, match=r"no pg_dump for PostgreSQL 98 here \(of others: 15\.3\)") as caught:
        find_program("pg_dump", "98.1")

    assert is_one_sentence(str(caught.value))


@pytest.mark.parametrize(
    "script", ["exit 1", "echo hello", "kill $$"], ids=["fails", "is no program of theirs", "dies"]
)
def test_what_tells_no_version_is_not_taken(places: Path, script: str) -> None:
    program(places / "path", script)
    (places / "embedded").mkdir()

    with pytest.raises(OperatorError, match="of others: none"):
        choose_program("pg_dump", "17.1")


@pytest.mark.parametrize("name", ["pg_dump", "pg_restore"])
def test_the_embedded_server_brings_its_programs(name: str) -> None:
    assert find_program(name, "18.1") == find_binaries() / name


SHOWS = """
echo "arguments: $@"
cat "$PGPASSFILE"
stat -c %a "$PGPASSFILE"
echo "environment: $PGPASSWORD"
"""


async def test_a_password_is_in_a_private_file_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "another one, which would come first")
    shows = program(tmp_path, f"{SHOWS}\ncat /proc/$$/cmdline | tr '\\0' ' '; cat /proc/$$/environ | tr '\\0' '\\n'")
    dsn = f"postgresql://ana:{QUOTED}@example.org:5433/long?sslmode=prefer&passfile=/nowhere"

    out = await run_program(shows, "--format=custom", dsn=dsn, timeout=PATIENCE)

    arguments, line, mode, environment, *rest = out.splitlines()
    assert "host=example.org" in arguments
    assert "dbname=long" in arguments
    assert "sslmode=prefer" in arguments
    assert arguments.endswith("--format=custom")
    assert "/nowhere" not in arguments
    assert line == r"*:*:*:*:pa\:ss\\wörd 'x'"
    assert (mode, environment) == ("600", "environment: ")
    assert rest
    assert all(PASSWORD not in shown and QUOTED not in shown for shown in (arguments, *rest))


def is_there(path: str) -> bool:
    return Path(path).exists()


async def test_the_file_with_the_password_is_gone_afterwards(tmp_path: Path) -> None:
    fails = program(tmp_path, 'echo "$PGPASSFILE" >&2; exit 1')

    with pytest.raises(OperatorError) as caught:
        await run_program(fails, dsn="postgresql://ana:secret@example.org/long", timeout=PATIENCE)

    passfile = str(caught.value).removeprefix("pg_dump failed: ").removesuffix(".")
    assert passfile.startswith("/")
    assert not is_there(passfile)


async def test_a_file_of_passwords_that_the_address_names_is_left_to_the_program(tmp_path: Path) -> None:
    shows = program(tmp_path, 'echo "$@"')

    out = await run_program(shows, dsn="postgresql://ana@example.org/long?passfile=/root/mine", timeout=PATIENCE)

    assert "passfile=/root/mine" in out


@pytest.mark.parametrize(
    "dsn",
    [
        pytest.param("postgresql://ana@example.org/long?sslpassword=secret", id="the password of a key"),
        pytest.param("postgresql://ana:sec%0Aret@example.org/long", id="a line break"),
    ],
)
async def test_a_password_that_would_show_is_refused(tmp_path: Path, dsn: str) -> None:
    shows = program(tmp_path, 'echo "$@"')

    with pytest.raises(OperatorError) as caught:
        await run_program(shows, dsn=dsn, timeout=PATIENCE)

    assert is_one_sentence(str(caught.value))
    assert "sec" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(
            "echo first >&2; echo 'pg_dump: error: could not write file: No space left on device' >&2; exit 1",
            "pg_dump failed: could not write file: No space left on device.",
            id="its last line",
        ),
        pytest.param("exit 3", "pg_dump failed: it said nothing.", id="silent"),
        pytest.param("kill -9 $$", "pg_dump failed: it said nothing.", id="killed"),
        pytest.param("head -c 300 /dev/urandom >&2; echo; echo '\\377 bad' >&2; exit 1", "bad.", id="no text"),
    ],
)
async def test_a_failure_is_told_in_one_sentence(tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(OperatorError) as caught:
        await run_program(program(tmp_path, script), timeout=PATIENCE)

    assert str(caught.value).endswith(words)
    assert "\n" not in str(caught.value)


async def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be started") as caught:
        await run_program(tmp_path / "missing", timeout=PATIENCE)

    assert is_one_sentence(str(caught.value))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_program_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    endless = program(tmp_path / "bin", f"echo $$ > {pid}; exec sleep 600")

    with pytest.raises(OperatorError, match="did not end within") as caught:
        await run_program(endless, timeout=timedelta(seconds=3))

    assert is_one_sentence(str(caught.value))
    assert not is_alive(int(pid.read_text()))


async def test_a_program_is_killed_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    endless = program(tmp_path / "bin", f"echo $$ > {started}; exec sleep 600")
    running = asyncio.create_task(run_program(endless, timeout=PATIENCE))
    pid = int(await asyncio.to_thread(started.read_text))

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not is_alive(pid)
