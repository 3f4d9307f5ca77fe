"""Ask both memories, over one connection to each for as long as one search takes."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import Sessions, transaction
from db.errors import DATABASE_ERRORS, translated_errors
from errors import DatabaseUnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SearchableDatabase:
    """One of the two databases, as search sees it."""

    name: str
    reading: Sessions
    bm25: bool
    hypertable: bool


def searchable_database(database: Database) -> SearchableDatabase:
    """Return an open database as search sees it."""
    offered = database.capabilities
    return SearchableDatabase(database.name, database.reading, bm25=offered.bm25, hypertable=offered.hypertables)


Query = Callable[[AsyncSession, SearchableDatabase], Awaitable[Sequence[T]]]
Answers = Mapping[str, Sequence[T]]
"""What each memory that answered says, under its name."""


class SearchSession:
    """Connections to the memories, opened when first needed; a memory that fails in any way is not asked again."""

    def __init__(self, stack: AsyncExitStack, places: frozenset[int]) -> None:
        self._stack = stack
        self.places = places
        """What may be read by whoever asks, and so may be named to them."""
        self.former: set[int] = set()
        """The ids of messages of which a former text was read."""
        self._sessions: dict[str, AsyncSession] = {}
        self._lost: dict[str, None] = {}
        self._left_out: set[str] = set()

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The names of the memories that did not answer."""
        return tuple(self._lost)

    def leave_out(self, database: SearchableDatabase) -> None:
        """Ask a memory no more, as it has no messages in the places of the search."""
        self._left_out.add(database.name)

    async def ask(self, databases: Collection[SearchableDatabase], query: Query[T]) -> Answers[T]:
        """Return what these memories say, asked side by side.

        Raises DatabaseUnavailableError when none of them answers.
        """
        databases = [database for database in databases if database.name not in self._left_out]
        await self._connect(databases)
        # All are awaited even when a query raises: connections are given back only when nobody uses them.
        results = await asyncio.gather(
            *(self._ask_one(database, query) for database in databases), return_exceptions=True
        )
        for answer in results:
            if isinstance(answer, BaseException):
                raise answer
        answers = {
            database.name: answer
            for database, answer in zip(databases, results, strict=True)
            if answer is not None and not isinstance(answer, BaseException)
        }
        if databases and not answers:
            raise DatabaseUnavailableError(
                f"{' and '.join(database.name for database in databases)} memory did not answer"
            )
        return answers

    async def _connect(self, databases: Collection[SearchableDatabase]) -> None:
        """Take a connection to each, always in the same order: or two searches might wait for each other's for ever."""
        for database in sorted(databases, key=lambda database: database.name):
            if database.name not in self._lost:
                await self._ask_one(database, _nothing)

    async def _ask_one(self, database: SearchableDatabase, query: Query[T]) -> Sequence[T] | None:
        if database.name in self._lost:
            return None
        try:
            with translated_errors():
                return await query(await self._session(database), database)
        except DATABASE_ERRORS as error:  # its server, a right, an index: the other memory can do without
            logger.warning("%s memory did not answer: %s", database.name, error)
            self._lost[database.name] = None
            return None

    async def _session(self, database: SearchableDatabase) -> AsyncSession:
        if database.name not in self._sessions:
            session = await self._stack.enter_async_context(_reading(database))
            await session.connection()  # not only when something is asked
            self._sessions[database.name] = session
        return self._sessions[database.name]


async def _nothing(_: AsyncSession, __: SearchableDatabase) -> Sequence[object]:
    """Ask nothing over a connection."""
    return ()


@asynccontextmanager
async def open_search_session(places: frozenset[int] = frozenset()) -> AsyncGenerator[SearchSession]:
    """Yield a search session whose connections are given back on exit; without places, mentions stay without names."""
    async with AsyncExitStack() as stack:
        yield SearchSession(stack, places)


@asynccontextmanager
async def _reading(database: SearchableDatabase) -> AsyncGenerator[AsyncSession]:
    """Yield a session for reading; a connection that is lost was noticed by whoever asked over it."""
    stack = AsyncExitStack()
    session = await stack.enter_async_context(transaction(database.reading))
    try:
        yield session
    finally:
        with suppress(*DATABASE_ERRORS):
            await stack.__aexit__(*sys.exc_info())
