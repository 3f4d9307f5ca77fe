"""What the tests of whole processes start from."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.processes import Workplace, open_workplace
from tests.fake_discord import FakeDiscord
from tests.harbours import Harbour, new_harbour
from tests.servers import Server
from tests.slow_callbacks import watched

NewPlace = Callable[[], Workplace]

_HERE = Path(__file__).parent
_LIMIT = 600  # seconds: on a busy machine a process takes half a minute to load its libraries, and a test starts some


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests of whole processes more time than others."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(_LIMIT))


@pytest.fixture
def harbour(fake: FakeDiscord) -> Harbour:
    """A server with two members and a channel."""
    return new_harbour(fake)


@pytest.fixture(scope="session")
def new_place(server: Server) -> Iterator[NewPlace]:
    """Makes storage folders, each with two empty databases on the tests' server; all are removed at the end."""
    with ExitStack() as stack:

        def make() -> Workplace:
            names = {"SHORT_TERM_DSN": "process_short", "LONG_TERM_DSN": "process_long"}
            dsns = {setting: server.dsn(server.create_database(name)) for setting, name in names.items()}
            return stack.enter_context(open_workplace(**dsns))

        yield make


@pytest.fixture
def place(new_place: NewPlace) -> Workplace:
    """An empty storage folder with two empty databases."""
    return new_place()


@pytest.fixture
async def watched_loop() -> AsyncGenerator[None]:
    """The event loop of a test, which fails when something has blocked it."""
    with watched(asyncio.get_running_loop()) as slow:
        yield
    assert slow == []


@pytest.fixture(autouse=True)
def _nothing_blocks_the_bot(request: pytest.FixtureRequest) -> None:
    """Watch the event loop of every test whose bot runs in it, once the simulated Discord is there."""
    if "simcord_env" in request.fixturenames:
        request.getfixturevalue("simcord_env")
        request.getfixturevalue("watched_loop")
