"""Translate the errors of the PostgreSQL driver and of SQLAlchemy: no other module knows their classes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import psycopg
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, PendingRollbackError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from db.addresses import shown_address
from errors import (
    BackscrollError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    RefusedRowError,
    StatementFailedError,
    first_line,
)

_NO_ROUTE = "cannot be reached, there is no way to its host: look at the network, or correct the host in .env"
_NO_POSTGRESQL = "is no PostgreSQL server: correct its host and port in .env"
_NO_SUCH_HOST = "has a host whose name is not known here: correct the host in .env, or see that names can be looked up"
_NO_TIME = (
    "did not answer in time: see that its computer runs and that no firewall stands in between, or correct the address "
    "in .env"
)
_NO_SSL = (
    "has no SSL, which its address or PGSSLMODE asks for: switch SSL on there (ssl in postgresql.conf), or write "
    "sslmode=prefer into the address in .env"
)
_OTHER_CERTIFICATE = (
    "shows a certificate that is not trusted here: name its authority's with sslrootcert in the address in .env, or "
    "correct the host"
)
_OTHER_KIND = (
    "is not of the kind that target_session_attrs in its address, or PGTARGETSESSIONATTRS, asks for: correct it, or "
    "name another server"
)
_OTHER_LOGIN = (
    "does not offer the way to log in that require_auth or channel_binding in its address, or PGREQUIREAUTH or "
    "PGCHANNELBINDING, asks for: correct it, or change pg_hba.conf there"
)
_OWN_CERTIFICATE = (
    "is not shown our own certificate, which cannot be read with its key: correct sslcert and sslkey in the address in "
    ".env, and their permissions"
)
_UNKNOWN_SERVICE = "has a service that no file describes: correct service in its address in .env, or PGSERVICE"

_REASONS = (
    ("server does not support SSL", _NO_SSL),
    ("root certificate file", _OTHER_CERTIFICATE),
    ("certificate verify failed", _OTHER_CERTIFICATE),
    ("does not match host name", _OTHER_CERTIFICATE),
    ("certificate file", _OWN_CERTIFICATE),
    ("private key file", _OWN_CERTIFICATE),
    ("failed to resolve host", _NO_SUCH_HOST),
    ("could not translate host name", _NO_SUCH_HOST),
    ("No route to host", _NO_ROUTE),
    ("Network is unreachable", _NO_ROUTE),
    ("Host is down", _NO_ROUTE),
    ("timeout expired", _NO_TIME),
    ("Connection timed out", _NO_TIME),
    ("invalid response to SSL negotiation", _NO_POSTGRESQL),
    ("expected authentication request from server", _NO_POSTGRESQL),
    ("definition of service", _UNKNOWN_SERVICE),
    ("service file", _UNKNOWN_SERVICE),
    ("authentication method requirement", _OTHER_LOGIN),
    ("channel binding", _OTHER_LOGIN),
    ("session is read-only", _OTHER_KIND),
    ("session is not read-only", _OTHER_KIND),
    ("hot standby mode", _OTHER_KIND),
    ("the database system is", "is starting, stopping or recovering from a crash: try again in a moment"),
    ("Permission denied", "has a socket that this account may not use: start Backscroll as another user, or grant it"),
    (
        "server closed the connection unexpectedly",
        "has broken the connection off: look into its log, and at the room on its disk",
    ),
)
_NOT_READY = (
    "the database system is",  # starting up, shutting down, recovering
    "Connection refused",
    "No such file or directory",
    "server closed the connection",
    "timeout expired",
    "too many clients",
    "remaining connection slots",
)
_NO_ANSWER_ADVICE = "does not answer: start it, or correct the address in .env"
_BAD_VALUE = "connection is bad: "


def why_unreachable(words: str) -> str:
    """Return the end of a sentence that begins with a database, from what libpq says of a connection to it."""
    for sign, reason in _REASONS:
        if sign in words:
            return reason
    if words.startswith(f"{_BAD_VALUE}invalid "):
        value = words.removeprefix(_BAD_VALUE).splitlines()[0]
        return f"has an address that cannot be used ({value}): correct it in .env"
    return _NO_ANSWER_ADVICE


DATABASE_ERRORS = (DatabaseUnavailableError, RefusedRowError)
"""All that a database error becomes."""

WHAT_FAILS: Mapping[str, str] = MappingProxyType(
    {
        "25006": "is read-only: make it writable again (default_transaction_read_only, a full disk, or a standby)",
        "28000": "refuses the user: correct the address in .env, or allow this user in pg_hba.conf",
        "28P01": "refuses the password: correct it in .env",
        "3D000": "has no database of that name: create it with createdb, or correct the address in .env",
        "42501": "does not let this user do that: grant it, or use the database's owner",
        "42703": "lacks a column: run the version of Backscroll that last migrated it, or restore a backup",
        "42P01": "lacks a table: give it back its name, or restore a backup",
        "53100": "has no disk space left: free some on its server",
        "53200": "is out of memory: free some on its server",
        "53300": "has no connection left: lower DB_POOL_SIZE or raise max_connections",
        "55P03": "waits for a lock in vain: end the program that holds it (pg_locks)",
        "57014": "takes longer than it may: see what it is busy with (pg_stat_activity)",
        "58030": "cannot read or write its files: look at the disk of its server",
        "XX000": "reports an internal error: look into its log",
        "XX001": "reports damaged data: look into its log, and restore a backup where that is right",
        "XX002": "reports a damaged index: look into its log, and REINDEX what it names",
    }
)
"""What PostgreSQL says of itself, and what to do: the end of a sentence that begins with its name."""

NO_RIGHT = "42501"
NO_LOCK = "55P03"
DATABASE_EXISTS = "42P04"
UNIQUE_VIOLATION = "23505"

NO_SPACE_OR_CONNECTION = frozenset({"53100", "53300"})
"""SQLSTATEs that a row cannot be blamed for, even when a smaller one passes."""

MAY_PASS = frozenset({"40001", "40P01", NO_LOCK, "57014"})
"""SQLSTATEs of a statement that collides with others, or takes long: the same one may pass later."""

_OF_THE_ROW = ("22", "23", "54")  # classes: data, constraints, and limits such as the length of a tsvector
_CONNECTION_IS_LOST = ("08", "57P")  # classes: the connection, and the server going down or coming up

_NO_ANSWER = "PostgreSQL did not answer"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn whatever goes wrong with a database into DatabaseUnavailableError or RefusedRowError.

    That it answered, with an error, is a StatementFailedError, which is the former as well.
    """
    with driver_errors():
        try:
            yield
        except OSError as error:
            raise DatabaseUnavailableError(_NO_ANSWER) from error


@contextmanager
def driver_errors() -> Iterator[None]:
    """Do what `translated_errors` does, and leave alone what the system says, of a file for example."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        raise _translated(error) from error
    except StatementError as error:  # the value of a parameter is none for its column
        raise RefusedRowError(first_line(error.orig or error)) from error
    except UnicodeEncodeError as error:  # half a letter, of which the driver makes nothing
        raise RefusedRowError(f"a text holds what no encoding has ({error.reason})") from error
    except (PoolTimeoutError, PendingRollbackError) as error:
        raise DatabaseUnavailableError(_NO_ANSWER) from error


@contextmanager
def operator_errors(url: URL, *, name: str) -> Iterator[None]:
    """Turn what goes wrong while a database is opened or migrated into one sentence: DatabaseSetupError."""
    try:
        yield
    except (DBAPIError, psycopg.Error, OSError) as error:
        raise DatabaseSetupError(f"The {name} database ({shown_address(url)}) {_advice(error)}.") from error


@contextmanager
def setup_error_for(sqlstate: str, sentence: str) -> Iterator[None]:
    """Turn the failure with this SQLSTATE into a DatabaseSetupError; do what `driver_errors` does with all others."""
    try:
        with driver_errors():
            yield
    except StatementFailedError as error:
        if error.sqlstate != sqlstate:
            raise
        raise DatabaseSetupError(sentence) from error


@contextmanager
def suppress_sqlstates(*sqlstates: str) -> Iterator[None]:
    """Go on behind the block when a statement in it fails with one of these SQLSTATEs."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        if _sqlstate_of(error) not in sqlstates:
            raise


def server_message(error: BackscrollError) -> str:
    """Return the first line of what PostgreSQL or the driver says in an error that was translated, without a stop."""
    return first_line(_cause_of(error.__cause__ or error)).rstrip(".")


def may_answer_later(error: DatabaseUnavailableError) -> bool:
    """Return whether a connection failed only because the server is not ready yet, or has too many clients."""
    return any(sign in str(error.__cause__) for sign in _NOT_READY)


def _sqlstate_of(error: BaseException) -> str | None:
    """Return the SQLSTATE of an error of the driver; None when it has none, as when a value was refused unsent."""
    cause = _cause_of(error)
    if not isinstance(cause, psycopg.Error):
        return None
    if cause.sqlstate is None and isinstance(cause, psycopg.OperationalError):
        return _state_in_words(str(cause))
    return cause.sqlstate


def _cause_of(error: BaseException) -> BaseException:
    """Return the driver's own error where SQLAlchemy has wrapped one."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _advice(error: DBAPIError | psycopg.Error | OSError) -> str:
    """Return the end of a sentence that begins with a database: what failed, and what to do."""
    cause = _cause_of(error)
    known = WHAT_FAILS.get(_sqlstate_of(error) or "")
    if known is None and isinstance(cause, (psycopg.OperationalError, OSError)):
        known = why_unreachable(str(cause))
    return known or f"failed: {first_line(cause)}"


def _translated(error: DBAPIError | psycopg.Error) -> DatabaseUnavailableError | RefusedRowError:
    cause, state = _cause_of(error), _sqlstate_of(error)
    said = first_line(cause).rstrip(".")
    if isinstance(cause, (psycopg.DataError, psycopg.IntegrityError)) or (state or "").startswith(_OF_THE_ROW):
        return RefusedRowError(f"{said} (SQLSTATE {state})" if state else said)
    if _is_lost(error, cause):
        return DatabaseUnavailableError(_why_lost(cause, state, said))
    state = state or "unknown"
    sentence = WHAT_FAILS.get(state, "refuses a statement")
    return StatementFailedError(f"PostgreSQL {sentence} (SQLSTATE {state}: {said})", sqlstate=state)


def _is_lost(error: DBAPIError | psycopg.Error, cause: BaseException) -> bool:
    """Return whether there is no connection any more, or never was one."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:
        return isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))
    return cause.sqlstate.startswith(_CONNECTION_IS_LOST)


def _why_lost(cause: BaseException, state: str | None, said: str) -> str:
    if state is not None and state in WHAT_FAILS:
        return f"PostgreSQL {WHAT_FAILS[state]}"
    has_spoken = isinstance(cause, psycopg.Error) and cause.sqlstate is not None
    return f"PostgreSQL gave up: {said}" if has_spoken else _NO_ANSWER


def _state_in_words(sentence: str) -> str | None:
    """Return the SQLSTATE behind a refused connection, which libpq reports in words only."""
    for words, state in (
        ("password authentication failed", "28P01"),
        ("no password supplied", "28P01"),
        ("no pg_hba.conf entry", "28000"),
        ("Peer authentication failed", "28000"),
        ('role "', "28000"),
        ('database "', "3D000"),
        ("too many clients", "53300"),
        ("remaining connection slots", "53300"),
    ):
        if words in sentence:
            return state
    return None
