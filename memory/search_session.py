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
    """Connections to the memories, opened when they are first needed; one that fails in any way is not asked again."""

    def __init__(self, stack: AsyncExitStack, places: frozenset[int]) -> None:
        self._stack = stack
        self.places = places
        """What may be read by whoever asks, and so may be named to them."""
        self._sessions: dict[str, AsyncSession] = {}
        self._lost: dict[str, None] = {}
        self._left_out: set[str] = set()

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The names of the memories that did not answer."""
        return tuple(self._lost)

    def leave_out(self, shelf: SearchableDatabase) -> None:
        """Ask no more of a memory that holds nothing of what is looked for."""
        self._left_out.add(shelf.name)

    async def ask(self, shelves: Collection[SearchableDatabase], look: Query[T]) -> Answers[T]:
        """Return what these memories say, asked side by side.

        Raises DatabaseUnavailableError when none of them answers.
        """
        shelves = [shelf for shelf in shelves if shelf.name not in self._left_out]
        # All are waited for, also when one raises: the connections are given back only when nobody uses them.
        given = await asyncio.gather(*(self._ask_one(shelf, look) for shelf in shelves), return_exceptions=True)
        for answer in given:
            if isinstance(answer, BaseException):
                raise answer
        answers = {
            shelf.name: answer
            for shelf, answer in zip(shelves, given, strict=True)
            if answer is not None and not isinstance(answer, BaseException)
        }
        if shelves and not answers:
            raise DatabaseUnavailableError(f"{' and '.join(shelf.name for shelf in shelves)} memory did not answer")
        return answers

    async def _ask_one(self, shelf: SearchableDatabase, look: Query[T]) -> Sequence[T] | None:
        if shelf.name in self._lost:
            return None
        try:
            with translated_errors():
                return await look(await self._session(shelf), shelf)
        except DATABASE_ERRORS as error:  # its server, a right, an index: the other memory can do without
            logger.warning("%s memory did not answer: %s", shelf.name, error)
            self._lost[shelf.name] = None
            return None

    async def _session(self, shelf: SearchableDatabase) -> AsyncSession:
        if shelf.name not in self._sessions:
            self._sessions[shelf.name] = await self._stack.enter_async_context(_reading(shelf))
        return self._sessions[shelf.name]


@asynccontextmanager
async def open_search_session(places: frozenset[int] = frozenset()) -> AsyncGenerator[SearchSession]:
    """Yield a visit whose connections are given back on exit; to whoever may read no places nothing is named."""
    async with AsyncExitStack() as stack:
        yield SearchSession(stack, places)


@asynccontextmanager
async def _reading(shelf: SearchableDatabase) -> AsyncGenerator[AsyncSession]:
    """Yield a session for reading; a connection that is lost was noticed by whoever asked over it."""
    stack = AsyncExitStack()
    session = await stack.enter_async_context(transaction(shelf.reading))
    try:
        yield session
    finally:
        with suppress(*DATABASE_ERRORS):
            await stack.__aexit__(*sys.exc_info())
