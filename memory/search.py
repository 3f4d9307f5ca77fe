"""Search both memories as one: rank, fuse, add neighbours."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, transaction
from errors import DatabaseUnavailableError
from memory import queries
from memory.embedder import Embedder
from memory.findings import Filters, Findings, Line, Scope, Window, by_place, stitch
from memory.fusion import fused
from memory.messages import Kind, Message, merged, storable
from memory.queries import Candidate

T = TypeVar("T")

NEIGHBOURS = 1
"""Messages before and after a hit that an excerpt shows."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One of the two databases, as search sees it."""

    name: str
    sessions: Sessions
    bm25: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """Short-term and long-term memory, with the embedder that both were made with.

    Every method takes the places that may be read, and finds nothing in none. Each raises
    DatabaseUnavailableError when no memory that it asks answers; when one of two does, the findings say so.
    """

    short_term: Shelf
    long_term: Shelf
    embedder: Embedder

    async def search(
        self,
        text: str,
        *,
        places: frozenset[int],
        window: Window | None = None,
        authors: frozenset[str] = frozenset(),
        kinds: frozenset[Kind] = frozenset({Kind.MESSAGE}),
        scope: Scope = Scope.BOTH,
        limit: int = 8,
    ) -> Findings:
        """Return the excerpts with the `limit` best messages, or as many as match, the best excerpt first.

        A message that both memories hold is found once. The bot's own answers are never found.
        """
        if not places:
            return Findings()
        text = storable(text)
        names = frozenset(map(storable, authors))
        filters = Filters(places=places, window=window or Window(), authors=names, kinds=kinds)
        vector = (await self.embedder.embed([text]))[0]

        async def look(wanted: int, session: AsyncSession, shelf: Shelf) -> list[Candidate]:
            return await queries.candidates(
                session, text=text, vector=vector, filters=filters, wanted=wanted, bm25=shelf.bm25
            )

        candidates, current, unreachable = await self._ask_for(limit, scope, look, lambda one: one.message)
        hits = _best(candidates, current, limit)
        around = await self._beside([hit.message for hit in hits], before=NEIGHBOURS, after=NEIGHBOURS)
        excerpts = stitch([hit, *map(Line, around[hit.message.message_id])] for hit in hits)
        return Findings(tuple(excerpts), unreachable)

    async def list_messages(
        self, *, places: frozenset[int], window: Window, scope: Scope = Scope.BOTH, limit: int = 50
    ) -> Findings:
        """Return the first `limit` messages of a window in time order, an excerpt for each run in a place."""
        filters = Filters(places=places, window=window)

        async def look(wanted: int, session: AsyncSession, _: Shelf) -> list[Message]:
            return await queries.in_order(session, filters=filters, limit=wanted)

        _, current, unreachable = await self._ask_for(limit, scope, look, lambda one: one)
        first = sorted(current.values(), key=_in_time)[:limit]
        return Findings(tuple(by_place(Line(message, hit=True) for message in first)), unreachable)

    async def read_around(
        self, message_id: int, *, places: frozenset[int], before: int = 5, after: int = 5
    ) -> Findings:
        """Return a message with those around it; nothing when it may not be read or is not there."""
        found = await self.lookup([message_id], places=places)
        if message_id not in found:
            return Findings()
        around = await self._beside([found[message_id]], before=before, after=after)
        hit = Line(found[message_id], hit=True)
        return Findings(tuple(stitch([[hit, *map(Line, around[message_id])]])))

    async def lookup(self, message_ids: Iterable[int], *, places: frozenset[int]) -> dict[int, Message]:
        """Return the current state of those messages that are there, not deleted, and may be read."""
        ids = set(message_ids)
        if not ids or not places:
            return {}

        async def look(session: AsyncSession, _: Shelf) -> list[Message]:
            return await queries.by_id(session, message_ids=ids, places=places)

        found, _ = await self._ask(Scope.BOTH, look)
        return await self._current(found)

    async def all_places(self) -> frozenset[int]:
        """Return every channel and thread that something was said in, for whoever owns the memory."""

        async def look(session: AsyncSession, _: Shelf) -> list[int]:
            return await queries.places(session)

        found, _ = await self._ask(Scope.BOTH, look)
        return frozenset(found)

    async def _beside(self, messages: Sequence[Message], *, before: int, after: int) -> dict[int, list[Message]]:
        """Return the nearest messages on either side of each, wherever they are kept, in time order."""

        async def look(session: AsyncSession, _: Shelf) -> list[tuple[int, Message]]:
            return await queries.beside(session, messages=messages, before=before, after=after)

        found, _ = await self._ask(Scope.BOTH, look) if messages else ([], ())
        current = await self._current([neighbour for _, neighbour in found])
        around: dict[int, set[int]] = {message.message_id: set() for message in messages}
        for message_id, neighbour in found:
            if neighbour.message_id in current:
                around[message_id].add(neighbour.message_id)
        return {
            message.message_id: _nearest(message, [current[i] for i in around[message.message_id]], before, after)
            for message in messages
        }

    async def _current(self, found: Iterable[Message]) -> dict[int, Message]:
        """Return messages by id as they are now, without the deleted ones.

        An edit or a deletion may be known to one memory alone: short-term memory hears of it, and long-term memory
        keeps what was heard in later sessions than the one that goes on now.
        """
        messages: dict[int, Message] = {}
        for message in found:
            other = messages.get(message.message_id)
            messages[message.message_id] = merged(other, message) if other else message

        async def look(session: AsyncSession, _: Shelf) -> list[Message]:
            return await queries.changed(session, message_ids=messages.keys())

        try:
            changes, _ = await self._ask(Scope.BOTH, look) if messages else ([], ())
        except DatabaseUnavailableError:
            changes = []
        for change in changes:
            messages[change.message_id] = merged(messages[change.message_id], change)
        return {key: message for key, message in messages.items() if message.deleted_at is None}

    async def _ask_for(
        self,
        limit: int,
        scope: Scope,
        look: Callable[[int, AsyncSession, Shelf], Awaitable[Sequence[T]]],
        message_of: Callable[[T], Message],
    ) -> tuple[list[T], dict[int, Message], tuple[str, ...]]:
        """Ask for `limit` items, and for more where deleted messages were among them; return what `_ask` does.

        In between stand the messages as they are now. `look` gives at least min(its first argument, all) items.
        """
        wanted = limit
        while True:
            items, unreachable = await self._ask(scope, partial(look, wanted))
            messages = [message_of(item) for item in items]
            current = await self._current(messages)
            found = len({message.message_id for message in messages})
            if len(current) >= limit or found < wanted:
                return items, current, unreachable
            wanted = 2 * (limit + found - len(current))

    async def _ask(
        self, scope: Scope, look: Callable[[AsyncSession, Shelf], Awaitable[Sequence[T]]]
    ) -> tuple[list[T], tuple[str, ...]]:
        """Ask the memories in a scope side by side; return all they say, and who did not answer."""
        shelves = {
            Scope.SHORT: (self.short_term,),
            Scope.LONG: (self.long_term,),
            Scope.BOTH: (self.short_term, self.long_term),
        }[scope]
        answers = await asyncio.gather(*(_ask_one(shelf, look) for shelf in shelves))
        unreachable = tuple(shelf.name for shelf, answer in zip(shelves, answers, strict=True) if answer is None)
        if len(unreachable) == len(shelves):
            raise DatabaseUnavailableError(f"{' and '.join(unreachable)} memory did not answer")
        return [item for answer in answers for item in answer or ()], unreachable


async def _ask_one(shelf: Shelf, look: Callable[[AsyncSession, Shelf], Awaitable[Sequence[T]]]) -> Sequence[T] | None:
    try:
        async with transaction(shelf.sessions) as session:
            return await look(session, shelf)
    except DatabaseUnavailableError:
        return None


def _best(candidates: Sequence[Candidate], current: dict[int, Message], limit: int) -> list[Line]:
    """Return the best candidates as lines, each message once, with its fused score."""
    # Where both memories know a message, the one that stands first is short-term memory, and it hears of edits.
    unique = {candidate.message.message_id: candidate for candidate in reversed(candidates)}
    live = [candidate for key, candidate in unique.items() if key in current]
    scores = fused([candidate.similarity for candidate in live], [candidate.lexical for candidate in live])
    lines = [
        Line(current[one.message.message_id], True, one.similarity or 0.0, one.lexical, float(score))
        for one, score in zip(live, scores, strict=True)
    ]
    return sorted(lines, key=lambda line: (-line.score, -line.message.message_id))[:limit]


def _nearest(message: Message, others: Sequence[Message], before: int, after: int) -> list[Message]:
    ordered = sorted(others, key=_in_time)
    earlier = [other for other in ordered if _in_time(other) < _in_time(message)]
    later = [other for other in ordered if _in_time(other) > _in_time(message)]
    return [*earlier[len(earlier) - min(before, len(earlier)) :], *later[:after]]


def _in_time(message: Message) -> tuple[object, int]:
    return message.sent_at, message.message_id
