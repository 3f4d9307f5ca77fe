"""What the tests of whole processes start from."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from bench.models import shared_model
from bench.processes import Workplace, open_workplace
from bench.servers import WIDTH as CARRIED_WIDTH
from memory.embedding.exported_model import open_export
from tests.fake_discord import FakeDiscord
from tests.harbours import Harbour, new_harbour
from tests.servers import Server
from tests.slow_callbacks import watched
from tests.small_models import WIDTH as SMALL_WIDTH
from tests.small_models import small_model
from util_async import no_progress


class NewPlace(Protocol):
    """What makes workplaces."""

    def __call__(self, *, has_tables: bool = True, understands: bool = False) -> Workplace:
        """Return a storage folder with two databases, which have our tables and no row, or are empty.

        The embedding model is a real one, tiny and untrained, which a process loads in no time; where a test is about
        what is found by its meaning, the place `understands`: it has the model that is carried along.
        """


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
    """Makes storage folders, each with two databases on the tests' server; all are removed at the end."""
    small = small_model()
    open_export(small, report=no_progress, stopped=threading.Event())  # else the first process would wait for it
    with ExitStack() as stack:

        def make(*, has_tables: bool = True, understands: bool = False) -> Workplace:
            model, model_width = (shared_model(), CARRIED_WIDTH) if understands else (small, SMALL_WIDTH)
            width = model_width if has_tables else None
            names = {"SHORT_TERM_DSN": "process_short", "LONG_TERM_DSN": "process_long"}
            dsns = {setting: server.dsn(server.create_database(name, width=width)) for setting, name in names.items()}
            return stack.enter_context(open_workplace(EMBEDDING_MODEL=model.name, **dsns))

        yield make


@pytest.fixture
def place(new_place: NewPlace) -> Workplace:
    """An empty storage folder, and two databases with our tables and no row."""
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
