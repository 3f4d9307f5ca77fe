"""Search both memories as one: generate candidates, rank them by fused scores, add neighbours."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from errors import DatabaseUnavailableError
from memory import discussions
from memory.authors import Authors
from memory.counting.activity import count_activity
from memory.counting.results import Activity, Matter, Tally
from memory.counting.tally import tally
from memory.embedding.embedder import Embedder
from memory.filters import UNBOUNDED, Bounds, Filters, Guild
from memory.former_texts import as_it_was
from memory.holding import Holding, holds
from memory.index.index_text import said
from memory.index.neighbours import find_beside
from memory.mentions import NameOf, has_bare, named, nobody, people_named
from memory.message import Kind, Message, MessageKey, Revision, merged, sanitize
from memory.message_text import Words, rewritten
from memory.names.known import KnownNames
from memory.places.state import PlaceState
from memory.search import rows
from memory.search.candidates import Candidate, find_candidates
from memory.search.names import RememberedNames
from memory.search.occurrence import containing, words_in_none
from memory.search.planner import SearchPlan, logged
from memory.search.ranking import RANKING, Ranking, rank
from memory.search.replies import asks
from memory.search.results import RankedMessage, Scope, SearchResult, by_place, stitch
from memory.search.terms import (
    Weighed,
    all_stems,
    corrected,
    corrections,
    keywords_of,
    stems_in,
    weighed,
    with_other_words,
    without_words,
)
from memory.search_session import Query, SearchableDatabase, SearchSession, open_search_session
from time_expressions.window import FIRST_MOMENT, Window
from tracing import span
from util_async import background_task

T = TypeVar("T")

_MOST_WINDOWS = 4  # that a trace names

Vector = NDArray[np.float32]

NEIGHBOURS = 1
"""Messages before and after a hit that an excerpt shows."""

FOLLOWING = 4
"""Messages shown after a hit that asks a question, which may answer it."""

REPLIES = 5
"""Replies to a hit that an excerpt shows at most, the first ones."""

EMBEDDER_PATIENCE = timedelta(seconds=2)
"""How long a search waits for an embedding model that is still loading, before it searches by words alone."""

_MOST_COMPARED = 8  # hits, the best ones: a text takes longer to embed than to find
_MOST_UNSAID = 8  # words that are looked for in every message
_MOST_FORMER = 16  # messages with a former text, of which each is embedded anew
_COMPARED = 500  # characters of a message that are compared once more: a model reads little more of it

Supplied = Mapping[str, Collection[Message]]
"""Messages under the name of the memory that they were found in."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Short-term and long-term memory, with the embedder that both were made with.

    Every method takes the places that may be read, and finds nothing in none. Each raises
    DatabaseUnavailableError when no memory that it asks answers; when one of two does not, the result says so.
    """

    short_term: SearchableDatabase
    long_term: SearchableDatabase
    embedder: Embedder
    ranking: Ranking = RANKING
    names: RememberedNames = field(default_factory=RememberedNames, repr=False)
    bounds: Bounds = UNBOUNDED

    def in_guild(self, guild: Guild) -> Self:
        """Return this memory as far as a guild may know of it."""
        return replace(self, bounds=replace(self.bounds, guild=guild))

    def in_conversations(self, conversations: frozenset[int]) -> Self:
        """Return this memory as far as it was said in some channels, with all of their threads, or threads."""
        return replace(self, bounds=replace(self.bounds, conversations=conversations))

    def as_of(self, moment: datetime) -> Self:
        """Return this memory as it was at a moment: without what was said later, and with edited messages as they were.

        Deleted messages stay deleted, and an edited one is left out where its former text is not known or may not be
        shown (`memory.former_texts`).
        """
        return replace(self, bounds=replace(self.bounds, sent_before=moment, version_of=moment))

    def before_edits(self) -> Self:
        """Return this memory with every edited message as it was sent; left out are those as in `as_of`."""
        return replace(self, bounds=replace(self.bounds, version_of=FIRST_MOMENT))

    async def search(
        self,
        text: str,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        kinds: frozenset[Kind] = frozenset({Kind.MESSAGE}),
        holding: frozenset[Holding] = frozenset(),
        scope: Scope = Scope.BOTH,
        limit: int = 8,
        with_context: bool = True,
    ) -> SearchResult:
        """Return the excerpts with the `limit` best messages, or as many as match, the best excerpt first.

        Without context each is a message alone, and a long list of them takes hardly longer than a short one. A message
        that both memories hold is found once. The bot's own answers are never found. While the embedding model is
        loading only words are compared, and messages without any of them are not found. A word that no message has, and
        that is nearly one that some have, is searched for as that.
        """
        if not places:
            return SearchResult()
        filters = Filters(
            places=places,
            windows=tuple(windows),
            authors=authors,
            kinds=kinds,
            bounds=self.bounds,
            holding=holding,
        )
        search = partial(self._search, filters=filters, scope=scope, limit=limit, with_context=with_context)
        with span("search memory", query=text, places=len(places), windows=_spoken(windows)) as searched:
            found, meant = await search(sanitize(text))
            searched.note(excerpts=len(found.excerpts), misspelt=len(meant))
        if not meant:
            return found
        with span("search memory for corrected words"):
            again, _ = await search(corrected(sanitize(text), meant))
        return replace(again, read_as=tuple(meant.items()))

    async def _search(
        self, text: str, *, filters: Filters, scope: Scope, limit: int, with_context: bool
    ) -> tuple[SearchResult, dict[str, str]]:
        """Return what is found, and for which other words those of the text may be misspelt."""
        plans: list[SearchPlan] = []
        async with background_task(self._vector(text)) as vector, open_search_session(filters.places) as search_session:

            async def query(wanted: int, session: AsyncSession, database: SearchableDatabase) -> list[Candidate]:
                with span(f"{database.name} memory") as asked:
                    found, plan = await find_candidates(
                        session,
                        text=with_other_words(text),
                        vector=vector,
                        filters=filters,
                        wanted=wanted,
                        bm25=database.bm25,
                        hypertable=database.hypertable,
                    )
                    found = await self._with_former(session, found, text=text, filters=filters)
                    asked.note(**plan.facts(), found=len(found))
                plans.append(logged(plan, memory=database.name))
                if not plan.size.in_use:
                    search_session.leave_out(database)
                return found

            with span("candidates") as proposed:
                candidates, current = await self._ask_for(
                    search_session, limit, scope, query, lambda candidate: candidate.message, holding=filters.holding
                )
                proposed.note(candidates=len(current))
            with span("rank"):
                candidates = await self._scored_as_they_were(text, candidates, current, search_session.former)
                hits = self._best(text, candidates, current)[:limit]
            with span("read around"):
                around = await self._around(search_session, [hit.message for hit in hits]) if with_context else {}
        excerpts = stitch([hit, *map(RankedMessage, around.get(hit.message.message_id, ()))] for hit in hits)
        # To cut hundreds of messages into words takes longer than the event loop may stand still.
        with span("weigh words"):
            words, meant = await asyncio.to_thread(_weighed_and_meant, text, tuple(current.values()))
        if filters.windows or filters.authors:  # what these messages lack may stand in many others
            words = tuple(Weighed(word.keyword) for word in words)
        result = SearchResult(
            tuple(excerpts),
            search_session.unreachable,
            tuple(plans),
            by_words_alone=vector.done() and not vector.cancelled() and vector.result() is None,
            words=words,
        )
        return result, meant

    async def compare_own_words(
        self, text: str, lines: Sequence[RankedMessage], *, only: Collection[MessageKey] | None = None
    ) -> list[RankedMessage]:
        """Return lines, the best hits with the likeness of their own words when the text names the author of one.

        A vector stands for who said a message as well: all that Ana says is like a question about Ana. Ana herself
        says "I", so that her name is left out of the question too. A text takes longer to embed than to find, so that
        `only` some hits may be asked for. While the embedding model is loading the lines stay as they are.
        """
        hits = sorted((line for line in lines if line.hit), key=lambda line: -line.score)[:_MOST_COMPARED]
        authors = all_stems(" ".join({hit.message.author_name for hit in hits}))
        names = frozenset[str]().union(*(word.stems & authors for word in keywords_of(text)))
        hits = [hit for hit in hits if only is None or hit.message.key in only]
        if not hits or not names or not await self.embedder.ready_within(EMBEDDER_PATIENCE):
            return list(lines)
        (of_question,) = await self.embedder.embed_questions([without_words(sanitize(text), names)])
        own = await self.embedder.embed_again([sanitize(said(hit.message)[:_COMPARED]) for hit in hits])
        likeness = {hit.message.key: float(vector @ of_question) for hit, vector in zip(hits, own, strict=True)}
        return [replace(line, likeness=likeness.get(line.message.key)) for line in lines]

    async def unsaid_words(
        self, words: Collection[str], *, places: frozenset[int], windows: Sequence[Window] = ()
    ) -> frozenset[str]:
        """Return those of some words, folded, that no message has, nor the name of whoever wrote one.

        Every message is looked at, not those alone that a search proposes. While one of the memories does not answer
        it may have any of them, and none is taken for unsaid; nor is one that stands within very many other words.
        """
        wanted = list(dict.fromkeys(words))[:_MOST_UNSAID]
        if not wanted or not places:
            return frozenset(wanted)
        filters = Filters(places=places, windows=tuple(windows), bounds=self.bounds)

        async def query(session: AsyncSession, _: SearchableDatabase) -> list[Message]:
            return await containing(session, words=wanted, filters=filters)

        async with open_search_session(places) as search_session:
            supplied = await search_session.ask(self._databases(), query)
            current = await self._current(search_session, supplied)
            if search_session.unreachable:
                return frozenset()
        return await asyncio.to_thread(words_in_none, wanted, current.values())

    async def list_messages(
        self,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        holding: frozenset[Holding] = frozenset(),
        scope: Scope = Scope.BOTH,
        limit: int = 50,
        newest: bool = False,
    ) -> SearchResult:
        """Return the first `limit` messages of the windows, or the `newest`, an excerpt for each run in a place.

        They come in time order.
        """
        filters = Filters(places=places, windows=tuple(windows), authors=authors, bounds=self.bounds, holding=holding)

        async def query(wanted: int, session: AsyncSession, _: SearchableDatabase) -> list[Message]:
            return await rows.in_order(session, filters=filters, limit=wanted, newest=newest)

        async with open_search_session(places) as search_session:
            _, current = await self._ask_for(
                search_session, limit, scope, query, lambda message: message, holding=holding
            )
        ordered = sorted(current.values(), key=_in_time, reverse=newest)[:limit]
        return SearchResult(
            tuple(by_place(RankedMessage(message, hit=True) for message in ordered)), search_session.unreachable
        )

    async def tally(
        self,
        matter: Matter,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        newest_first: bool = True,
        limit: int = 3,
        last: int = 0,
    ) -> Tally:
        """Return how many messages, links or files there are, by whom, and the first `limit` and the `last` of them.

        A message that both memories hold counts once, and as it is now. Of memory as of a moment, messages that were
        edited later are not counted where words, links or files are sought: these may be in the edit alone.
        """
        if not places:
            return Tally()
        filters = Filters(places=places, windows=tuple(windows), authors=authors, bounds=self.bounds)
        async with open_search_session() as search_session:
            counted = await tally(
                search_session,
                self._databases(),
                matter=matter,
                filters=filters,
                newest_first=newest_first,
                limit=limit,
                last=last,
            )
            messages = {example.message.message_id: example.message for example in counted.shown}
            were = await self._as_they_were(search_session, messages)
            return counted if were == messages else counted.showing(were)

    async def activity(
        self,
        matter: Matter,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
    ) -> Activity:
        """Return when there was how much of a matter, by quarters of an hour; each message counts once."""
        if not places:
            return Activity()
        filters = Filters(places=places, windows=tuple(windows), authors=authors, bounds=self.bounds)
        async with open_search_session() as search_session:
            return await count_activity(search_session, self._databases(), matter=matter, filters=filters)

    async def read_around(
        self, message_id: int, *, places: frozenset[int], before: int = 5, after: int = 5
    ) -> SearchResult:
        """Return a message with those around it; nothing when it may not be read or is not stored."""
        async with open_search_session(places) as search_session:
            found = await self._by_id(search_session, {message_id}, places)
            if message_id not in found:
                return SearchResult(unreachable=search_session.unreachable)
            around = await self._beside(search_session, [found[message_id]], before=before, after=after)
        hit = RankedMessage(found[message_id], hit=True)
        return SearchResult(tuple(stitch([[hit, *map(RankedMessage, around[message_id])]])), search_session.unreachable)

    async def lookup(self, message_ids: Iterable[int], *, places: frozenset[int]) -> dict[int, Message]:
        """Return the current state of those messages that are stored, not deleted, and may be read."""
        ids = set(message_ids)
        if not ids or not places:
            return {}

        async with open_search_session(places) as search_session:
            return await self._by_id(search_session, ids, places)

    async def all_places(self) -> frozenset[int]:
        """Return every channel, and thread that may be private, that has messages: for whoever owns the memory."""

        async def query(session: AsyncSession, _: SearchableDatabase) -> list[int]:
            return await rows.places(session)

        found = await self._all(query)
        return frozenset(found)

    async def _vector(self, text: str) -> Vector | None:
        """Return the vector of a text; None when the embedding model is not ready soon enough."""
        with span("embed"):
            if not await self.embedder.ready_within(EMBEDDER_PATIENCE):
                return None
            vector: Vector = (await self.embedder.embed_questions([text]))[0]
        return vector

    async def discussions(self, *, places: frozenset[int]) -> list[Window]:
        """Return the discussions held in these places, in time order."""

        async def query(session: AsyncSession, _: SearchableDatabase) -> list[discussions.Island]:
            return await discussions.islands(session, places=places, bounds=self.bounds)

        found = await self._all(query)
        return discussions.joined(found)

    async def known_names(self, *, places: frozenset[int]) -> KnownNames:
        """Return the names of the people and channels of these places, as far as they are known by now."""
        with span("names"):
            return await self.names.known(self._databases(), places=places) if places else KnownNames(places)

    async def load_names(self) -> None:
        """Read the names of all people and channels, for a task in the background."""
        await self.names.load(self._databases())

    def note_places(self, states: Iterable[PlaceState]) -> None:
        """Know what channels and threads are called by now."""
        self.names.note_places(self.long_term.name, states)

    def note_resolved(self, threads: Iterable[PlaceState]) -> None:
        """Know whose names whoever reads a channel may know from its threads, which are public ones."""
        parents = {
            thread.place_id: thread.parent_id
            for thread in threads
            if thread.parent_id is not None and thread.kind.is_public_thread
        }
        self.names.open_threads(parents)

    def note_stored(self, messages: Iterable[Message]) -> None:
        """Know the names in messages that were just stored in short-term memory."""
        self.names.note(self.short_term.name, messages)

    def _best(self, text: str, candidates: Sequence[Candidate], current: dict[int, Message]) -> list[RankedMessage]:
        """Return the candidates as lines, each message once and as it is now, the best first."""
        # Of a message in both memories the candidate of short-term memory, which stands first, is kept: it gets edits.
        unique = {candidate.message.message_id: candidate for candidate in reversed(candidates)}
        live = [replace(candidate, message=current[key]) for key, candidate in unique.items() if key in current]
        scores = rank(text, live, ranking=self.ranking)
        lines = [
            RankedMessage(
                candidate.message,
                hit=True,
                similarity=candidate.similarity,
                lexical=candidate.lexical,
                score=float(score),
            )
            for candidate, score in zip(live, scores, strict=True)
        ]
        return sorted(lines, key=lambda line: (-line.score, -line.message.message_id))

    async def _around(self, search_session: SearchSession, hits: Sequence[Message]) -> dict[int, list[Message]]:
        """Return what stands beside each hit, what it replies to, and the replies to it, in time order."""

        stand_beside: set[tuple[int, int]] = set()
        are_linked: set[tuple[int, int]] = set()

        async def query(session: AsyncSession, _: SearchableDatabase) -> list[tuple[int, Message]]:
            beside = await find_beside(session, messages=hits, before=NEIGHBOURS, after=FOLLOWING)
            linked = await rows.linked(session, messages=hits)
            stand_beside.update((of_id, message.message_id) for of_id, message in beside)
            are_linked.update((of_id, message.message_id) for of_id, message in linked)
            return [*beside, *linked]

        found = await self._by_hit(search_session, hits, query)  # asked at once, what has changed is asked for once
        around: dict[int, list[Message]] = {}
        for hit in hits:
            of_hit = [((hit.message_id, message.message_id), message) for message in found[hit.message_id]]
            later = FOLLOWING if asks(hit) else NEIGHBOURS
            near = _nearest(hit, [message for pair, message in of_hit if pair in stand_beside], NEIGHBOURS, later)
            linked = [message for pair, message in of_hit if pair in are_linked]
            replies = [message for message in linked if message.reply_to == hit.message_id]
            parents = [message for message in linked if message.message_id == hit.reply_to]
            shown = (*near, *sorted(replies, key=_in_time)[:REPLIES], *parents)
            by_id = {message.message_id: message for message in shown}
            around[hit.message_id] = sorted(by_id.values(), key=_in_time)
        return around

    async def _by_id(self, search_session: SearchSession, ids: set[int], places: frozenset[int]) -> dict[int, Message]:
        async def query(session: AsyncSession, _: SearchableDatabase) -> list[Message]:
            return await rows.by_id(session, message_ids=ids, places=places, bounds=self.bounds)

        return await self._current(search_session, await search_session.ask(self._databases(), query))

    async def _beside(
        self, search_session: SearchSession, messages: Sequence[Message], *, before: int, after: int
    ) -> dict[int, list[Message]]:
        """Return the nearest messages on either side of each, wherever they are kept, in time order."""

        async def query(session: AsyncSession, _: SearchableDatabase) -> list[tuple[int, Message]]:
            return await find_beside(session, messages=messages, before=before, after=after)

        around = await self._by_hit(search_session, messages, query)
        return {
            message.message_id: _nearest(message, around[message.message_id], before, after) for message in messages
        }

    async def _by_hit(
        self, search_session: SearchSession, messages: Sequence[Message], query: Query[tuple[int, Message]]
    ) -> dict[int, list[Message]]:
        """Return what the memories give for each of the messages, by its id, as it is now."""
        found = await search_session.ask(self._databases() if messages else (), query)
        current = await self._current(
            search_session, {name: [message for _, message in pairs] for name, pairs in found.items()}
        )
        given: dict[int, set[int]] = {message.message_id: set() for message in messages}
        for message_id, message in (pair for pairs in found.values() for pair in pairs):
            if message.message_id in current:
                given[message_id].add(message.message_id)
        return {message_id: [current[found_id] for found_id in ids] for message_id, ids in given.items()}

    async def _with_former(
        self, session: AsyncSession, found: list[Candidate], *, text: str, filters: Filters
    ) -> list[Candidate]:
        """Return candidates with those that had the words of a text at the moment that memory is read as of."""
        moment = self.bounds.version_of
        if moment is None:
            return found
        known = {candidate.message.key for candidate in found}
        edited = await rows.edited_since(session, text=text, filters=filters, moment=moment)
        return [*found, *(Candidate(message, None, 0.0) for message in edited if message.key not in known)]

    async def _scored_as_they_were(
        self, text: str, candidates: list[Candidate], current: dict[int, Message], former: Collection[int]
    ) -> list[Candidate]:
        """Return candidates in which messages with a former text have the scores of that: no index knows it."""
        of_former = [candidate for candidate in candidates if candidate.message.message_id in former & current.keys()]
        if not of_former:
            return candidates
        messages = {candidate.message.message_id: current[candidate.message.message_id] for candidate in of_former}
        similar = await self._similarities(text, list(messages.values())[:_MOST_FORMER])
        words = keywords_of(text)
        highest = max((candidate.lexical for candidate in candidates), default=0.0) or 1.0

        def scored(candidate: Candidate) -> Candidate:
            message = messages.get(candidate.message.message_id)
            if message is None:
                return candidate
            stems = stems_in(message)
            share = sum(not word.stems.isdisjoint(stems) for word in words) / max(1, len(words))
            return replace(candidate, similarity=similar.get(message.message_id), lexical=highest * share)

        return [scored(candidate) for candidate in candidates]

    async def _similarities(self, text: str, messages: Sequence[Message]) -> dict[int, float]:
        """Return how like a text messages are that no index knows as they are; nothing while the model is loading."""
        if not messages or not await self.embedder.ready_within(EMBEDDER_PATIENCE):
            return {}
        texts = [text, *(said(message)[:_COMPARED] for message in messages)]
        of_text, *vectors = await self.embedder.embed([sanitize(text) for text in texts])
        return {message.message_id: float(vector @ of_text) for message, vector in zip(messages, vectors, strict=True)}

    async def _as_they_were(self, search_session: SearchSession, messages: dict[int, Message]) -> dict[int, Message]:
        """Return messages as they were at the moment that memory is read as of, without those that may not be shown."""
        moment = self.bounds.version_of
        edited = {
            key for key, message in messages.items() if moment and message.edited_at and message.edited_at > moment
        }
        if moment is None or not edited:
            return messages

        async def query(session: AsyncSession, _: SearchableDatabase) -> list[Revision]:
            return await rows.revisions(session, message_ids=edited)

        found = await search_session.ask(self._databases(), query)
        revisions = [revision for of_memory in found.values() for revision in of_memory]
        were = {key: as_it_was(messages[key], revisions, moment=moment) for key in edited}
        search_session.former |= were.keys()
        return {
            key: shown
            for key, message in messages.items()
            if (shown := were.get(key) if key in edited else message) is not None
        }

    async def _current(self, search_session: SearchSession, supplied: Supplied) -> dict[int, Message]:
        """Return messages by id as they are now, without the deleted ones.

        An edit or a deletion may be stored in one memory alone: in short-term memory when it is new, in long-term
        memory when it came in another session than this one. Each memory is asked only about messages that it did not
        supply itself.
        """
        messages: dict[int, Message] = {}
        for message in (message for found in supplied.values() for message in found):
            known = messages.get(message.message_id)
            messages[message.message_id] = merged(known, message) if known else message
        unasked = {
            database.name: messages.keys() - {message.message_id for message in supplied.get(database.name, ())}
            for database in self._databases()
        }

        async def query(session: AsyncSession, database: SearchableDatabase) -> list[Message]:
            return await rows.changed(session, message_ids=unasked[database.name])

        try:
            changes = await search_session.ask(
                [database for database in self._databases() if unasked[database.name]], query
            )
        except DatabaseUnavailableError:
            changes = {}
        for change in (change for found in changes.values() for change in found):
            messages[change.message_id] = merged(messages[change.message_id], change)
        live = {
            key: message
            for key, message in messages.items()
            if message.deleted_at is None and self.bounds.admits(message)  # neighbours and replies come by their place
        }
        live = await self._as_they_were(search_session, live)
        name_of = (
            await self._name_of(search_session.places)
            if any(has_bare(message.content) for message in live.values())
            else nobody
        )
        return {key: _as_read(message, name_of) for key, message in live.items()}

    async def _name_of(self, places: frozenset[int]) -> NameOf:
        """Return how mentions that were kept without a name are named to those who may read these places."""
        try:
            known = await self.known_names(places=places)
        except DatabaseUnavailableError:
            return nobody

        def name_of(sign: str, mentioned: int) -> str | None:
            if sign == "#":
                return known.channel_name(mentioned)
            return known.name_of(mentioned) if sign == "@" else None

        return name_of

    async def _ask_for(
        self,
        search_session: SearchSession,
        limit: int,
        scope: Scope,
        query: Callable[[int, AsyncSession, SearchableDatabase], Awaitable[Sequence[T]]],
        message_of: Callable[[T], Message],
        *,
        holding: frozenset[Holding],
    ) -> tuple[list[T], dict[int, Message]]:
        """Ask for `limit` items, and for more where messages were among them that are deleted, or hold no more.

        Beside them stand their messages as they are now. `query` gives at least min(its first argument, all) items.
        """
        wanted = limit
        while True:
            answers = await search_session.ask(self._databases(scope), partial(query, wanted))
            supplied = {name: [message_of(item) for item in items] for name, items in answers.items()}
            current = await self._current(search_session, supplied)
            current = {key: message for key, message in current.items() if holds(message, holding)}
            found = len({message.message_id for messages in supplied.values() for message in messages})
            if len(current) >= limit or found < wanted:
                return [item for items in answers.values() for item in items], current
            wanted = 2 * (limit + found - len(current))

    async def _all(self, query: Query[T]) -> list[T]:
        """Return all that both memories say."""
        async with open_search_session() as search_session:
            answers = await search_session.ask(self._databases(), query)
        return [item for items in answers.values() for item in items]

    def _databases(self, scope: Scope = Scope.BOTH) -> tuple[SearchableDatabase, ...]:
        both = self.short_term, self.long_term
        return {Scope.SHORT: both[:1], Scope.LONG: both[1:], Scope.BOTH: both}[scope]


def _weighed_and_meant(text: str, messages: Sequence[Message]) -> tuple[tuple[Weighed, ...], dict[str, str]]:
    """Return the keywords of a text with their weights, and for which words of messages they may be misspelt."""
    words = weighed(text, messages)
    return words, corrections(words, messages)


def _as_read(message: Message, name_of: NameOf) -> Message:
    """Return a message whose mentions are written as names: the one stored with the mention, or else a known one."""
    if "<" not in message.content:
        return message
    words = rewritten(Words(message.content, message.parts), lambda text: people_named(named(text, name_of)))
    return replace(message, content=words.text, parts=words.parts)


def _nearest(message: Message, around: Sequence[Message], before: int, after: int) -> list[Message]:
    ordered = sorted(around, key=_in_time)
    earlier = [neighbour for neighbour in ordered if _in_time(neighbour) < _in_time(message)]
    later = [neighbour for neighbour in ordered if _in_time(neighbour) > _in_time(message)]
    return [*earlier[len(earlier) - min(before, len(earlier)) :], *later[:after]]


def _in_time(message: Message) -> tuple[object, int]:
    return message.sent_at, message.message_id


def _spoken(windows: Sequence[Window]) -> tuple[str, ...]:
    """Return windows as a trace has them, the first few of many; none are all time."""
    return tuple(f"{window.start or ''}/{window.end or ''}" for window in windows[:_MOST_WINDOWS])
