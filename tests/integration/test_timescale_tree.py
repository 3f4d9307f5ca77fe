"""The tests' TimescaleDB is made whole or not at all, and what goes wrong is said in one sentence."""

import os
import socket
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, TextIO

import psycopg
import pytest
from typer.testing import CliRunner

from db.databases import LONG_TERM
from errors import DatabaseSetupError
from tests.conftest import open_new_database
from tests.sentences import is_one_sentence
from tests.servers import Server
from tests.timescale import Place, find_address, is_running, remove, start, stop
from tests.timescale.__main__ import app
from tests.timescale.programs import run

LIMIT = timedelta(seconds=60)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "timescale")


@pytest.fixture
def made(place: Place) -> Place:
    """A place whose tree seems to be there."""
    place.data.mkdir(parents=True)
    return place


def refusal(place: Place, *, port: int = 1) -> str:
    """Return the sentence with which a start is refused."""
    with pytest.raises(DatabaseSetupError) as caught:
        start(place, port=port, report=lambda _: None)
    assert is_one_sentence(str(caught.value).replace(str(place.folder), "FOLDER"))
    return str(caught.value)


# The tree


@pytest.fixture
def debootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A debootstrap that makes some of the tree, and then fails."""
    monkeypatch.setattr("tests.timescale.tree._KEYRING", os.devnull)
    program = tmp_path / "bin" / "debootstrap"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nfor last; do :; done\nmkdir "$last" && echo "I: here" && echo "E: no line." && exit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@pytest.mark.usefixtures("debootstrap")
def test_a_tree_that_could_not_be_made_is_not_taken_for_one(place: Place) -> None:
    sentence = refusal(place)

    assert sentence == f"debootstrap failed: E: no line (see {place.log})."
    assert place.partial.exists()
    assert not place.tree.exists()


@pytest.mark.usefixtures("debootstrap")
def test_an_interrupted_build_is_begun_anew(place: Place) -> None:
    left_over = place.partial / "left over"
    left_over.mkdir(parents=True)

    refusal(place)

    assert place.partial.exists()
    assert not left_over.exists()


def test_it_can_be_removed(made: Place) -> None:
    remove(made)

    assert not made.folder.exists()


# The server


def test_a_port_that_is_taken_is_said(made: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert refusal(made, port=port) == f"Port {port} of 127.0.0.1 is taken: give another one with --port."


def test_a_process_id_that_something_else_has_by_now_is_not_the_server(made: Place) -> None:
    (made.data / "postmaster.pid").write_text(f"{os.getpid()}\n")

    assert not is_running(made)
    assert not stop(made)


def test_a_server_that_does_not_run_is_said(made: Place) -> None:
    with pytest.raises(DatabaseSetupError, match=r"does not run: start it with python -m tests\.timescale start"):
        find_address(made)


# Programs


def test_a_program_that_takes_too_long_ends_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, readers = tmp_path / "pipe", list[TextIO]()
    os.mkfifo(pipe)

    def lose_patience(process: subprocess.Popen[bytes], timeout: float) -> NoReturn:
        monkeypatch.undo()
        readers.append(pipe.open())
        readers[0].readline()  # once it has started what it starts
        raise subprocess.TimeoutExpired(process.args, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", lose_patience)
    script = f'exec 3> "{pipe}"; sleep 1000 & echo waiting; echo ready >&3; wait'
    with pytest.raises(DatabaseSetupError, match=r"^sh was not done within 60 s: waiting \(see "):
        run("sh", "-c", script, log=tmp_path / "log", limit=LIMIT)

    with readers[0] as reader:
        assert reader.read() == ""  # which is so when the last of them has gone


def test_a_program_that_is_not_installed_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatabaseSetupError, match=r"^no-such-program cannot be run"):
        run("no-such-program", log=tmp_path / "log", limit=LIMIT)


# The command


def test_the_command_says_that_it_does_not_run(place: Place) -> None:
    told = CliRunner().invoke(app, ["status", "--dir", str(place.folder)])

    assert (told.exit_code, told.output) == (1, "The tests' TimescaleDB does not run.\n")


def test_a_machine_that_cannot_run_it_has_an_exit_status_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.timescale.__main__.why_not", lambda _: "This machine is a toaster.")

    told = CliRunner().invoke(app, ["check"])

    assert (told.exit_code, told.output) == (3, "This machine is a toaster.\n")


# The server of this run


@pytest.mark.server
def test_it_offers_timescaledb_exactly_where_the_summary_says_so(server: Server) -> None:
    with psycopg.connect(server.dsn("postgres")) as connection:
        offered = connection.execute("SELECT FROM pg_available_extensions WHERE name = 'timescaledb'").fetchall()

    assert bool(offered) == server.hypertables == server.title.startswith("TimescaleDB")


@pytest.mark.server
def test_a_run_forgets_what_it_has_made_and_nothing_else(server: Server) -> None:
    other_run = Server(title=server.title, hypertables=server.hypertables, address=server.address)
    kept, dropped = server.create_database("memory"), other_run.create_database("memory")
    kept_user, dropped_user = server.create_user("ana", "secret"), other_run.create_user("ana", "secret")

    with psycopg.connect(server.dsn(dropped)):  # somebody is still there
        other_run.forget()

    with psycopg.connect(server.dsn("postgres")) as connection:
        databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        users = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    assert {kept, dropped} & databases == {kept}
    assert {kept_user, dropped_user} & users == {kept_user}


@pytest.mark.server
def test_a_database_goes_with_its_roles(server: Server) -> None:
    database = server.create_database("memory")
    with psycopg.connect(server.dsn(database), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {database}_reader")
        connection.execute(f"GRANT USAGE ON SCHEMA public TO {database}_reader")

    server.drop_database(database)

    with psycopg.connect(server.dsn("postgres")) as connection:
        assert not connection.execute("SELECT FROM pg_roles WHERE starts_with(rolname, %s)", [database]).fetchall()


_MADE = """
    SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'column', format('%s.%s %s', table_name, column_name, udt_name)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'right', format('%s %s %s', replace(grantee, current_database(), ''), privilege_type, table_name)
    FROM information_schema.role_table_grants WHERE table_schema = 'public'
    ORDER BY 1, 2
"""


@pytest.mark.server
async def test_a_database_with_tables_is_like_one_that_was_migrated(server: Server) -> None:
    made = []
    for ready in (None, 12):
        async with open_new_database(server, LONG_TERM, width=ready) as database:
            await database.migrate(dimensions=12)
            with psycopg.connect(database.dsn) as connection:
                made.append(connection.execute(_MADE).fetchall())

    assert {kind for kind, _ in made[0]} == {"index", "column", "right"}
    assert made[0] == made[1]
