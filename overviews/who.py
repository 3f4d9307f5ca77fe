"""Find who knows about a topic: the people who wrote most and best about it, with their best messages."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from memory.authors import Authors
from memory.counting import queries
from memory.counting.overlap import find_overlap
from memory.counting.queries import PersonsBest
from memory.counting.results import Matter
from memory.filters import EVERY_GUILD, Bounds, Filters, Guild
from memory.message import Message
from memory.search.interface import MemoryReader
from memory.search.replies import asks
from memory.search.results import RankedMessage
from memory.search.terms import Weighed, keywords_of
from memory.search_session import SearchableDatabase, open_search_session
from overviews.overview import Line, Overview, Section, Shown, Viewer
from overviews.search import BY_WORDS_ALONE, UNREACHABLE, matches_of, share_of

LONGEST_TOPIC = 200
"""Characters of a topic."""

MOST_SEARCHED = 150
"""Messages that are like the topic and are looked at, the best ones."""

MOST_COUNTED, EACH = 60, 8
"""People whose messages with the words of the topic are looked at, and how many messages of each."""

MOST_LISTED, MOST_SHOWN = 10, 3
"""People who are listed, and messages that are shown of each."""

MOST_CONSIDERED = 25
"""People of whom it is looked up whether they may be listed, the best first."""

LEAST_SHARE = 0.5
"""Share of a topic that a message needs to be about it."""

WORDS_OF_A_FULL_MESSAGE = 10
"""Words of its own, beyond those of the topic, from which on a message says as much as one can."""

OF_A_QUESTION = 0.25
"""What a message is worth that asks, of what it were worth if it told: who asks does not know."""

MOST_THANKS, OF_THANKS = 10, 0.5
"""Reactions from which on more of them add nothing, and what so many add to what a message is worth."""

LEAST_WORTH = 0.15
"""What somebody's messages have to be worth together: what one message is that has two words of its own."""

NAME_A_TOPIC = "Name a topic, for example: postgres backups."
TOO_LONG = "Your topic has {} characters: name it in {} or fewer."
NOBODY = "I found nobody who wrote about that in the channels that I may use here."

MayBeListed = Callable[[Collection[int]], Awaitable[frozenset[int]]]
"""Returns which of some people, by their author ids, may be listed: those who are here and no bots."""


NotListed = Callable[[], frozenset[int]]
"""Returns the ids of those who have chosen not to be listed."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message about a topic, and what it tells about what its author knows, see `worth_of`."""

    message: Message
    worth: float


@dataclass(frozen=True, slots=True)
class Knower:
    """Somebody who wrote about a topic: their messages, those worth most first, how many there are, and the newest."""

    person: str
    written: tuple[Written, ...]
    messages: int
    newest_at: datetime

    @property
    def worth(self) -> float:
        """What their messages are worth together.

        Each further one counts for less, the n-th for its worth divided by the square root of n: five messages that
        say much are worth more than fifty that say nothing but that somebody agrees.
        """
        return sum(one.worth / math.sqrt(number) for number, one in enumerate(self.written, 1))


def worth_of(line: RankedMessage, words: Sequence[Weighed]) -> float:
    """Return what a message about a topic tells about what its author knows, from 0 to 1.5.

    It is the share of the topic that the message has, times how much it says: the share of WORDS_OF_A_FULL_MESSAGE that
    it has in words of its own. A question is worth a quarter of that, and reactions add up to half of it.
    """
    return share_of(line, words) * _says(line, words)


def _says(line: RankedMessage, words: Sequence[Weighed]) -> float:
    """Return how much a message says beyond the words of a topic, and how much of that counts."""
    topic = frozenset[str]().union(*(word.keyword.stems for word in words))
    own = [word for word in keywords_of(line.message.content) if word.stems.isdisjoint(topic)]
    says = min(1.0, len(own) / WORDS_OF_A_FULL_MESSAGE)
    thanks = min(sum(reaction.count for reaction in line.message.reactions), MOST_THANKS) / MOST_THANKS
    return says * (OF_A_QUESTION if asks(line.message) else 1.0) * (1 + OF_THANKS * thanks)


def ranked(
    lines: Iterable[RankedMessage], counted: Mapping[str, tuple[int, datetime]], words: Sequence[Weighed]
) -> list[Knower]:
    """Return who wrote these messages about a topic, those first who know most; `counted` says how many each wrote.

    It takes a tenth of a second for some hundreds of messages, so it is to be called beside the event loop.
    """
    by_person: dict[str, list[Written]] = defaultdict(list)
    for line in lines:
        share = share_of(line, words)
        if share >= LEAST_SHARE:
            by_person[_person(line.message)].append(Written(line.message, share * _says(line, words)))
    knowers = []
    for person, written in by_person.items():
        best = sorted(written, key=lambda one: (-one.worth, -one.message.message_id))
        newest = max(one.message.sent_at for one in written)
        messages, newest_at = counted.get(person, (0, newest))
        knowers.append(Knower(person, tuple(best), max(messages, len(written)), max(newest, newest_at)))
    known = [knower for knower in knowers if knower.worth >= LEAST_WORTH]
    return sorted(known, key=lambda knower: (-knower.worth, knower.person))


@dataclass(frozen=True, slots=True)
class Knowers:
    """Who knows about a topic, those first who know most, and what whoever reads it should be told besides."""

    knowers: Sequence[Knower] = ()
    notes: tuple[str, ...] = ()


@runtime_checkable  # the argument schemas of the agent's tools check that the context holds one
class KnowerFinder(Protocol):
    """Finds who knows about a topic; `WhoKnows` does."""

    async def find(self, viewer: Viewer, topic: str, *, may_be_listed: MayBeListed | None = None) -> Knowers:
        """Return those who may be listed.

        Raises ValueError for what is no topic, and DatabaseUnavailableError.
        """
        ...


@dataclass(frozen=True, slots=True)
class WhoKnows:
    """Finds who knows about a topic; people who chose not to be listed are not looked at."""

    memory: MemoryReader
    databases: tuple[SearchableDatabase, SearchableDatabase]
    not_listed: NotListed = frozenset

    async def of_typed(self, viewer: Viewer, text: str) -> Overview:
        """Return who knows about what stands behind "knows", if that word is there; raise ValueError for no topic."""
        first, _, rest = text.strip().partition(" ")
        return await self.about(viewer, rest if first.lower() == "knows" else text)

    async def about(self, viewer: Viewer, topic: str, *, may_be_listed: MayBeListed | None = None) -> Overview:
        """Return who knows about a topic, from what the viewer may read.

        Raises ValueError, in one sentence, for what is no topic, and DatabaseUnavailableError when no memory answers.
        """
        topic = _plain(topic)
        found = await self.find(viewer, topic, may_be_listed=may_be_listed)
        sections = tuple(_section(knower, viewer) for knower in found.knowers[:MOST_LISTED])
        return Overview(title=f"Who knows about {topic}", sections=sections, notes=found.notes, empty=NOBODY)

    async def find(self, viewer: Viewer, topic: str, *, may_be_listed: MayBeListed | None = None) -> Knowers:
        """Return who knows about a topic, from what the viewer may read.

        Raises ValueError, in one sentence, for what is no topic, and DatabaseUnavailableError when no memory answers.
        """
        topic = _plain(topic)
        if not viewer.places:
            return Knowers()
        hidden = self.not_listed()
        authors = Authors(ids=hidden, excluded=True) if hidden else None
        memory = self.memory.in_guild(viewer.guild)
        found = await memory.search(
            topic, places=viewer.places, authors=authors, limit=MOST_SEARCHED, with_context=False
        )
        filters = Filters(places=viewer.places, authors=authors, bounds=Bounds(guild=viewer.guild))
        counted = await self._counted(topic, filters)
        matches = await asyncio.to_thread(matches_of, found)
        hits = {match.line.message.message_id: match.line for match in matches}
        others = {message_id for best in counted for message_id in best.message_ids} - hits.keys()
        read = await memory.lookup(others, places=viewer.places) if others else {}
        lines = [*hits.values(), *(RankedMessage(message, hit=True) for message in read.values())]
        counting = [line for line in lines if _may_count(line.message, viewer.guild)]
        knowers = await asyncio.to_thread(ranked, counting, _amounts(counted), found.words)
        listed = await _listed(knowers, may_be_listed)
        notes = [BY_WORDS_ALONE] if found.by_words_alone else []
        notes += [UNREACHABLE.format(" and ".join(found.unreachable))] if found.unreachable else []
        return Knowers(listed, tuple(notes))

    async def _counted(self, topic: str, filters: Filters) -> list[PersonsBest]:
        """Return who wrote all words of a topic, how often, and their longest messages, in both memories."""
        terms = " ".join(keyword.text for keyword in keywords_of(topic))
        if not terms:
            return []
        matter = Matter(terms=terms)
        async with open_search_session() as session:
            overlap = await find_overlap(session, self.databases)

            async def query(reading: AsyncSession, database: SearchableDatabase) -> list[PersonsBest]:
                return await queries.best_of_people(
                    reading,
                    matter=matter,
                    filters=filters,
                    excluded=overlap.of(database),
                    people=MOST_COUNTED,
                    each=EACH,
                )

            answers = await session.ask(self.databases, query)
        return [best for answer in answers.values() for best in answer]


def _plain(topic: str) -> str:
    """Return a topic on one line; raise ValueError, in one sentence, for what is none."""
    topic = " ".join(topic.replace("\x00", " ").split())
    if not topic:
        raise ValueError(NAME_A_TOPIC)
    if len(topic) > LONGEST_TOPIC:
        raise ValueError(TOO_LONG.format(len(topic), LONGEST_TOPIC))
    return topic


def _person(message: Message) -> str:
    """Return by what somebody is known who wrote a message, as the statements of `memory.counting` know them."""
    return message.author_name.lower() if message.author_id is None else str(message.author_id)


def _may_count(message: Message, guild: Guild) -> bool:
    """Return whether the author of a message may be listed at all.

    A webhook is nobody. Somebody without an id cannot have chosen not to be listed, so only whoever owns the memory
    sees them.
    """
    if message.author_id is None:
        return guild is EVERY_GUILD
    return message.author_id >= 0


def _amounts(counted: Iterable[PersonsBest]) -> dict[str, tuple[int, datetime]]:
    """Return how many messages each person wrote according to both memories, and when the newest."""
    amounts: dict[str, tuple[int, datetime]] = {}
    for best in counted:
        messages, newest_at = amounts.get(best.person, (0, best.newest_at))
        amounts[best.person] = messages + best.messages, max(newest_at, best.newest_at)
    return amounts


async def _listed(knowers: Sequence[Knower], may_be_listed: MayBeListed | None) -> Sequence[Knower]:
    """Return those of the first people who may be listed; all of them where nobody is asked."""
    considered = knowers[:MOST_CONSIDERED]
    if may_be_listed is None:
        return considered
    ids = {int(knower.person) for knower in considered}
    allowed = await may_be_listed(ids)
    return [knower for knower in considered if int(knower.person) in allowed]


def _section(knower: Knower, viewer: Viewer) -> Section:
    """Return how much somebody wrote, when last, and the messages that are worth most."""
    shown = [one.message for one in knower.written[:MOST_SHOWN]]
    newest = max(knower.written, key=lambda one: one.message.sent_at).message
    day = knower.newest_at.astimezone(viewer.time_zone)
    messages = "1 message" if knower.messages == 1 else f"{knower.messages:,} messages"
    return Section(
        heading=f"{newest.author_name}: {messages}, last on {day.day} {day:%b %Y}",
        lines=tuple(Line(message=message, shown=Shown.PLACE | Shown.TIME | Shown.QUOTE) for message in shown),
    )
