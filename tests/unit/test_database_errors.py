"""Every error of the driver becomes one of ours, which says whether the row, the statement or the connection failed."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import lookup
from sqlalchemy.exc import DBAPIError, PendingRollbackError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from db.errors import (
    NO_LOCK,
    NO_RIGHT,
    WHAT_FAILS,
    driver_errors,
    server_message,
    setup_error_for,
    suppress_sqlstates,
    translated_errors,
)
from errors import (
    BackscrollError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    InputFileError,
    RefusedRowError,
    StatementFailedError,
)
from ops.backup.table_files import translate_refusals


def ours(error: Exception) -> BackscrollError:
    """Return what an error becomes."""
    with pytest.raises(BackscrollError) as raised, translated_errors():
        raise error
    assert raised.value.__cause__ is error
    return raised.value


def by_sqlalchemy(error: Exception, *, disconnected: bool = False) -> DBAPIError:
    """Return an error of the driver as SQLAlchemy hands it on."""
    wrapped = DBAPIError.instance("SELECT", {}, error, psycopg.Error, connection_invalidated=disconnected)
    assert isinstance(wrapped, DBAPIError)
    return wrapped


def of_state(sqlstate: str) -> psycopg.Error:
    """Return what psycopg raises for a SQLSTATE, even for one that it does not know."""
    try:
        kind = lookup(sqlstate)
    except KeyError:
        kind = psycopg.DatabaseError
    error = kind("it failed\nDETAIL: what somebody said")
    error.sqlstate = sqlstate
    return error


KNOWN = [kind for kind in vars(psycopg.errors).values() if isinstance(kind, type) and issubclass(kind, psycopg.Error)]
EVERY_STATE = sorted({*(kind.sqlstate for kind in KNOWN if kind.sqlstate), *WHAT_FAILS, "ZZ999"})


@pytest.mark.parametrize("wrap", [pytest.param(lambda e: e, id="driver"), pytest.param(by_sqlalchemy, id="SQLAlchemy")])
def test_there_is_no_sqlstate_that_is_left_as_it_is(wrap: Callable[[Exception], Exception]) -> None:
    assert len(EVERY_STATE) > 200
    sorts = {state: type(ours(wrap(of_state(state)))) for state in EVERY_STATE}

    assert {kind for state, kind in sorts.items() if state.startswith(("22", "23", "54"))} == {RefusedRowError}
    assert {kind for state, kind in sorts.items() if state.startswith(("08", "57P"))} == {DatabaseUnavailableError}
    others = [kind for state, kind in sorts.items() if not state.startswith(("08", "22", "23", "54", "57P"))]
    assert set(others) == {StatementFailedError}


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        pytest.param(of_state("25006"), StatementFailedError, "PostgreSQL is read-only: make it", id="read-only"),
        pytest.param(
            of_state("P0001"), StatementFailedError, "refuses a statement (SQLSTATE P0001: it failed)", id="raised"
        ),
        pytest.param(of_state("22P05"), RefusedRowError, "it failed (SQLSTATE 22P05)", id="untranslatable"),
        pytest.param(of_state("57P01"), DatabaseUnavailableError, "PostgreSQL gave up: it failed", id="shut down"),
        pytest.param(psycopg.DataError("cannot contain NUL"), RefusedRowError, "cannot contain NUL", id="NUL"),
        pytest.param(psycopg.OperationalError("refused"), DatabaseUnavailableError, "did not answer", id="no server"),
        pytest.param(
            psycopg.OperationalError("FATAL: sorry, too many clients already"),
            DatabaseUnavailableError,
            "has no connection left: lower DB_POOL_SIZE",
            id="too many connections",
        ),
        pytest.param(
            by_sqlalchemy(psycopg.DatabaseError("?"), disconnected=True),
            DatabaseUnavailableError,
            "did not answer",
            id="broken",
        ),
        pytest.param(
            StatementError("x", "INSERT", {}, ValueError("no vector")), RefusedRowError, "no vector", id="value"
        ),
        pytest.param(PoolTimeoutError(), DatabaseUnavailableError, "did not answer", id="pool"),
        pytest.param(PendingRollbackError(), DatabaseUnavailableError, "did not answer", id="rolled back"),
        pytest.param(ConnectionResetError(), DatabaseUnavailableError, "did not answer", id="system"),
        pytest.param(TimeoutError(), DatabaseUnavailableError, "did not answer", id="time-out"),
    ],
)
def test_it_says_what_failed_and_what_to_do(error: Exception, kind: type[BackscrollError], sentence: str) -> None:
    found = ours(error)

    assert type(found) is kind
    assert sentence in str(found)
    assert "what somebody said" not in str(found)


def test_what_the_system_says_of_a_file_is_left_alone_where_files_are_at_work() -> None:
    with pytest.raises(FileNotFoundError), driver_errors():
        raise FileNotFoundError


def test_a_failure_that_the_operator_mends_has_the_sentence_of_whoever_knows_what_for() -> None:
    with pytest.raises(DatabaseSetupError, match="stop it") as raised, setup_error_for(NO_LOCK, "Another: stop it."):
        raise of_state(NO_LOCK)
    assert raised.value.__cause__ is not None

    with pytest.raises(StatementFailedError, match=NO_RIGHT), setup_error_for(NO_LOCK, "Another: stop it."):
        raise of_state(NO_RIGHT)


@pytest.mark.parametrize("wrap", [pytest.param(lambda e: e, id="driver"), pytest.param(by_sqlalchemy, id="SQLAlchemy")])
def test_what_may_fail_is_passed_over_and_nothing_else_is(wrap: Callable[[Exception], Exception]) -> None:
    def fail(sqlstate: str) -> None:
        raise wrap(of_state(sqlstate))

    with suppress_sqlstates(NO_RIGHT):
        fail(NO_RIGHT)

    with pytest.raises((psycopg.Error, DBAPIError)), suppress_sqlstates(NO_RIGHT):
        fail(NO_LOCK)


@pytest.mark.parametrize("state", ["22001", "23505", "54000"])
def test_rows_that_a_table_will_never_take_speak_against_the_backup_that_holds_them(state: str) -> None:
    refused = pytest.raises(InputFileError, match=r"messages.copy holds what .* \(it failed\): take another backup")
    with refused, translate_refusals(Path("messages.copy"), "messages"):
        raise of_state(state)


def test_what_the_server_said_is_one_line_without_what_somebody_said() -> None:
    assert server_message(ours(of_state("22001"))) == "it failed"


def test_what_is_ours_already_stays_what_it_is() -> None:
    refused = RefusedRowError("no")
    with pytest.raises(RefusedRowError) as raised, translated_errors():
        raise refused
    assert raised.value is refused
