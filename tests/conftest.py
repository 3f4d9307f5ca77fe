"""What many tests share: one PostgreSQL and one embedding model for the whole run, new databases for each test."""

import asyncio
import gc
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.models import export_shared_model, shared_model
from db.config import LONG_TERM_LAYOUT, SHORT_TERM_LAYOUT
from db.databases import LONG_TERM, SHORT_TERM, Database, open_database
from db.embedded import EmbeddedServer, control, open_embedded
from db.engines import parse_dsn
from errors import DatabaseSetupError
from memory.embedding.embedder import Embedder
from memory.index.reembed import prepare
from memory.search.memory import Memory
from memory.search_session import searchable_database
from tests import in_memory, reporting
from tests.servers import Server, embedded_server, timescale_server
from tests.timescale import find_address, find_place

if TYPE_CHECKING:
    from tests.fake_discord import FakeDiscord

INDEX_TAKEN = "could not read blocks"
"""What pg_textsearch says when it takes one database's index for another's; the Makefile has the same words."""

_PATIENCE = timedelta(seconds=60)
_SERVER_MARKER = "server: what the test looks at differs between plain PostgreSQL and TimescaleDB"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose its server."""
    parser.addoption(
        "--server",
        choices=("embedded", "timescale"),
        default="embedded",
        help="PostgreSQL of the tests: an embedded one, or the TimescaleDB of `python -m tests.timescale start`",
    )
    parser.addoption("--timescale-dir", type=Path, help="where that TimescaleDB is, if not in the user's cache")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a server that does not run, write to memory, and have the summary say which server each suite ran on."""
    # A shell that runs the suite in the background has it ignore Ctrl+C, and so would every program that it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("server") == "timescale":
        try:
            find_address(find_place(config.getoption("timescale_dir")))
        except DatabaseSetupError as error:
            raise pytest.UsageError(str(error)) from error
    if not hasattr(config, "workerinput"):  # which the processes of a run that is shared out have
        export_shared_model()
    if (folder := in_memory.use_memory()) is not None:
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    config.addinivalue_line("markers", reporting.MARKER)
    config.addinivalue_line("markers", _SERVER_MARKER)
    config.pluginmanager.register(reporting, "servers")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """Look for no garbage among what stays: ten thousand tests, all modules and their classes."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Let two tests more run at once than there are processors: most wait for a database or a process."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Let an error that the Makefile has tried again be seen where it comes in a group, which hides its words."""
    try:
        yield
    except BaseExceptionGroup as group:
        taken, _ = group.split(lambda error: INDEX_TAKEN in str(error) and not isinstance(error, BaseExceptionGroup))
        if taken is not None:
            raise RuntimeError(INDEX_TAKEN) from group
        raise


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """Write half a letter, which tests put into logs, so that the worker of a test can send its report."""
    return _encodable((yield))


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _encodable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_encodable, value))
    return value


@contextmanager
def _open_embedded() -> Iterator[EmbeddedServer]:
    folder = Path(tempfile.mkdtemp(prefix="backscroll-tests-"))
    folder.chmod(0o755)  # else root's server, which runs as another user, would live in /var/lib/backscroll
    opening = open_embedded(folder / "postgres", start_timeout=_PATIENCE, durable=False)
    with asyncio.Runner() as runner:
        running = runner.run(opening.__aenter__())
        try:
            yield running
        finally:
            runner.run(opening.__aexit__(None, None, None))
            shutil.rmtree(running.home, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _servers_are_counted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that starts an embedded server while the summary would say otherwise."""

    async def refuse(*_: object, **__: object) -> None:
        pytest.fail("mark this test own_server: it starts an embedded server of its own")

    if not reporting.has_own_server(request.node):
        monkeypatch.setattr(control, "start", refuse)


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedServer]:
    """An embedded PostgreSQL of the tests' own, whichever server the run is on; forgotten at the end."""
    with _open_embedded() as running:
        yield running


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[Server]:
    """The real PostgreSQL that the run is on; what is made there is forgotten at the end."""
    if pytestconfig.getoption("server") == "embedded":
        chosen = embedded_server(request.getfixturevalue("embedded"))
    else:
        chosen = timescale_server(find_place(pytestconfig.getoption("timescale_dir")))
    try:
        yield chosen
    finally:
        chosen.forget()


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder that the server's user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="backscroll-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def embedder() -> Iterator[Embedder]:
    """The real embedding model, loaded once."""
    embedder = Embedder(shared_model())
    embedder.begin().result()  # a search would not wait for it long
    yield embedder
    embedder.close()


@asynccontextmanager
async def open_existing_database(server: Server, database: str, *, name: str) -> AsyncGenerator[Database]:
    """Yield a database of the tests' server, as it is."""
    url = parse_dsn(server.dsn(database), name="DSN")
    layout = SHORT_TERM_LAYOUT if name == SHORT_TERM else LONG_TERM_LAYOUT
    async with open_database(url, name=name, pool_size=3, timeout=_PATIENCE, layout=layout) as opened:
        yield opened


@asynccontextmanager
async def open_new_database(server: Server, name: str, *, width: int | None = None) -> AsyncGenerator[Database]:
    """Yield a database that nobody has used before, which is dropped on exit.

    It is empty, or with a `width` it has our tables, and its next migration has little to make.
    """
    database = await asyncio.to_thread(server.create_database, name, width=width)
    try:
        async with open_existing_database(server, database, name=name) as opened:
            yield opened
    finally:
        await asyncio.to_thread(server.drop_database, database)


@pytest.fixture
async def blank(server: Server) -> AsyncGenerator[Database]:
    """A database without any of our tables."""
    async with open_new_database(server, "blank") as database:
        yield database


@pytest.fixture
async def short_term(server: Server, embedder: Embedder) -> AsyncGenerator[Database]:
    """An empty short-term memory."""
    async with open_new_database(server, SHORT_TERM, width=await embedder.dimensions()) as database:
        await prepare(database, embedder)
        yield database


@pytest.fixture
async def long_term(server: Server, embedder: Embedder) -> AsyncGenerator[Database]:
    """An empty long-term memory."""
    async with open_new_database(server, LONG_TERM, width=await embedder.dimensions()) as database:
        await prepare(database, embedder)
        yield database


@pytest.fixture
def memory(short_term: Database, long_term: Database, embedder: Embedder) -> Memory:
    """Both memories, as the agent sees them."""
    return Memory(searchable_database(short_term), searchable_database(long_term), embedder)


@pytest.fixture
async def fake() -> AsyncGenerator["FakeDiscord"]:
    """An empty Discord on the loopback, whose limits are never reached."""
    from tests.fake_discord import open_fake_discord, unlimited  # heavy, and most tests have no Discord

    async with open_fake_discord(limits=unlimited()) as fake:
        yield fake
