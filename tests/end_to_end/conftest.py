"""What the tests of whole processes start from."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import psycopg
import pytest

from bench.processes import Workplace, open_workplace
from db.embedded import EmbeddedServer

_numbers = count(1)

NewPlace = Callable[[], Workplace]


@pytest.fixture(scope="session")
def new_place(server: EmbeddedServer) -> Iterator[NewPlace]:
    """Makes storage folders, each with two empty databases on the tests' server; all are removed at the end."""
    with ExitStack() as stack:

        def make() -> Workplace:
            names = {
                "SHORT_TERM_DSN": f"process_short_{next(_numbers)}",
                "LONG_TERM_DSN": f"process_long_{next(_numbers)}",
            }
            with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
                for name in names.values():
                    connection.execute(f"CREATE DATABASE {name}".encode())
            dsns = {setting: server.dsn(name) for setting, name in names.items()}
            return stack.enter_context(open_workplace(**dsns))

        yield make


@pytest.fixture
def place(new_place: NewPlace) -> Workplace:
    """An empty storage folder with two empty databases."""
    return new_place()
