"""Make every connection to PostgreSQL in one way, whatever defaults servers, databases and shells have."""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.pq import Conninfo
from psycopg.types.json import set_json_loads
from sqlalchemy import URL

from db.addresses import Keywords, address_of, keywords_of

_SHORTEST = 2  # seconds; libpq takes no shorter time to connect

_SETTINGS: Keywords = MappingProxyType(
    {
        "datestyle": "ISO",
        "intervalstyle": "postgres",
        "timezone": "UTC",
        "bytea_output": "hex",
        "extra_float_digits": "1",
        "standard_conforming_strings": "on",
        "jit": "off",  # to compile a statement of ours takes longer than to run it
    }
)
"""What a database or a user may have other defaults for, which would change what we read."""

_NO_SETTINGS: Keywords = MappingProxyType({})
_ALWAYS_OURS = frozenset({"client_encoding", "options", "application_name", "connect_timeout"})
_SENT_BY_LIBPQ = frozenset({"PGTZ", "PGDATESTYLE", "PGGEQO"})  # in its first packet; no keyword comes before them


async def connect(
    keywords: Keywords,
    *,
    timeout: timedelta,
    settings: Keywords = _NO_SETTINGS,
    name: str = "backscroll",
    **more: Any,
) -> psycopg.AsyncConnection[Any]:
    """Return a connection, to be closed by the caller; to connect may take no longer than `timeout`.

    `settings` are PostgreSQL's own, for this connection; `more` is what `psycopg.AsyncConnection.connect` takes beside
    libpq's keywords. Text comes and goes as UTF-8, times in UTC. Raises psycopg.Error.
    """
    options = [keywords.get("options", "")]
    options += [f"-c {setting}={value}" for setting, value in {**_SETTINGS, **settings}.items()]
    milliseconds = int(timeout.total_seconds() * 1000)
    arguments: dict[str, Any] = {
        **keywords,
        "client_encoding": "UTF8",
        "application_name": name,
        "connect_timeout": max(_SHORTEST, milliseconds // 1000),
        "tcp_user_timeout": milliseconds,  # a vanished host is noticed while a statement waits
        "options": " ".join(filter(None, options)),
        **more,
    }
    with _without_libpq_variables():
        connection = await psycopg.AsyncConnection.connect(**arguments)
    set_json_loads(read_json, connection)
    return connection


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text: most columns of a message hold an empty list, and a search reads many."""
    return [] if text == b"[]" else json.loads(text)


def completed_by_environment(url: URL) -> URL:
    """Return the address of a server of somebody's own, with what it leaves open and libpq's variables say.

    So PGSSLROOTCERT, PGPASSFILE or PGSERVICE do for it what they do for every client, and nothing for other servers.
    """
    given, environment = keywords_of(url), _environment()
    settled = given.keys() | _ALWAYS_OURS | ({"hostaddr"} if "host" in given else set())
    more = {
        keyword: environment[variable]
        for keyword, variable in _variables().items()
        if keyword not in settled and environment.get(variable)
    }
    return address_of({**given, **more}) if more else url


def environment_for_programs() -> dict[str, str]:
    """Return the environment of PostgreSQL's programs: ours, without what libpq would take out of it."""
    hidden = _hidden_variables()
    return {name: value for name, value in _environment().items() if name not in hidden} | {"LC_ALL": "C"}


@cache
def _variables() -> Mapping[str, str]:
    """Return the environment variable that libpq has for each of its keywords."""
    return {
        option.keyword.decode(): option.envvar.decode()
        for option in Conninfo.get_defaults()
        if option.envvar is not None
    }


def _hidden_variables() -> frozenset[str]:
    return _SENT_BY_LIBPQ.union(_variables().values())


class _Variables:
    """What is out of the environment for a moment, and how many connections are being made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connecting = 0
        self.hidden: dict[str, str] = {}


_VARIABLES = _Variables()


@contextmanager
def _without_libpq_variables() -> Iterator[None]:
    """Keep libpq from the environment while a connection is made, as some variables come before every keyword."""
    names = _hidden_variables()
    with _VARIABLES.lock:
        _VARIABLES.connecting += 1
        _VARIABLES.hidden |= {name: os.environ.pop(name) for name in names & os.environ.keys()}
    try:
        yield
    finally:
        with _VARIABLES.lock:
            _VARIABLES.connecting -= 1
            if not _VARIABLES.connecting:
                os.environ.update(_VARIABLES.hidden)
                _VARIABLES.hidden = {}


def _environment() -> dict[str, str]:
    """Return the environment, whether or not a connection is being made."""
    with _VARIABLES.lock:
        return {**os.environ, **_VARIABLES.hidden}
