"""Say what happened in some time, channel by channel: how much was said by how many, and what stood out."""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from memory.counting.overlap import Overlap, find_overlap
from memory.filters import Bounds, Filters
from memory.message import Message
from memory.names.places import channel_of
from memory.search.interface import MemoryReader
from memory.search_session import SearchableDatabase, SearchSession, open_search_session
from overviews import timeline_rows as rows
from overviews.decisions import DecisionList, Marked
from overviews.overview import Line, Overview, Section, Shown, Viewer
from overviews.timeline_rows import NewThread, Noted, Talk, ThreadStart
from overviews.times import spoken, windows_in

MOST_CHANNELS = 15
"""Channels that are shown one by one, those with most messages; the others are counted."""

MOST_DECISIONS = 10
"""Decisions that are shown, the newest."""

MOST_LINKS = 2
"""Messages with links that are shown of a channel, the newest."""

MOST_NEW_THREADS = 5
"""New threads of a channel that are shown."""

NOTHING = "Nothing was said then in the channels that I may use here."
NAME_A_TIME = "Name a time, for example: last week, or 3 to 5 November."
NOT_EXACT = "So much of this stands in both memories that some of it may be counted twice."
UNREACHABLE = "{} memory did not answer, so messages may be missing."

_BESIDE = Shown.AUTHOR | Shown.TIME | Shown.QUOTE
"""What is shown of a message under its channel."""

T = TypeVar("T")
Statement = Callable[..., Coroutine[Any, Any, list[T]]]
Noteworthy = Mapping[int, Sequence[Noted]]
"""Messages by their channel, those with most replies, reactions or whatever was counted first."""


@dataclass(frozen=True, slots=True)
class _Happened:
    """What both memories say of some time, by channel."""

    talks: Sequence[Talk]
    replied_to: Noteworthy
    reacted_to: Noteworthy
    links: Noteworthy
    ends: Mapping[tuple[int, datetime], int]
    threads: Mapping[int, Sequence[tuple[NewThread, int]]]
    decisions: Sequence[Marked]
    notes: tuple[str, ...]

    @property
    def message_ids(self) -> set[int]:
        """The messages that may be shown."""
        noteworthy = (*self.replied_to.values(), *self.reacted_to.values(), *self.links.values())
        noted = (one.message_id for of_channel in noteworthy for one in of_channel)
        opened = (message_id for of_channel in self.threads.values() for _, message_id in of_channel)
        return {*noted, *self.ends.values(), *opened}


@dataclass(frozen=True, slots=True)
class Timeline:
    """Says what happened, from both memories; with `decisions` also what was decided."""

    memory: MemoryReader
    databases: tuple[SearchableDatabase, SearchableDatabase]
    decisions: DecisionList | None = None

    async def of_typed(self, viewer: Viewer, text: str) -> Overview:
        """Return what happened in the time that a text means; raise ValueError, in one sentence, for another text."""
        return await self.of(viewer, when=text)

    async def of(self, viewer: Viewer, *, when: str, conversations: frozenset[int] | None = None) -> Overview:
        """Return what happened in a time, in all channels or in some channels and threads.

        Raises ValueError, in one sentence, for a text without a time, and DatabaseUnavailableError when no memory
        answers.
        """
        windows = await windows_in(when, viewer)
        if not windows:
            raise ValueError(NAME_A_TIME)
        title = spoken(windows, viewer)
        if not viewer.places:
            return Overview(title=title, empty=NOTHING)
        bounds = Bounds(guild=viewer.guild, conversations=conversations)
        happened = await self._read(Filters(places=viewer.places, windows=windows, bounds=bounds), viewer)
        memory = self.memory.in_guild(viewer.guild)
        messages = await memory.lookup(happened.message_ids, places=viewer.places) if happened.talks else {}
        return _overview(happened, messages, title=title)

    async def _read(self, filters: Filters, viewer: Viewer) -> _Happened:
        async with open_search_session() as session:
            overlap = await find_overlap(session, self.databases, windows=filters.windows)
            reading = _Reading(session, self.databases, filters, overlap)
            talks = _added(await reading.all(rows.talks))
            moments = [(talk.channel_id, moment) for talk in talks for moment in (talk.first_at, talk.last_at)]
            ends = await reading.all(rows.sent_at, moments=moments[: 2 * MOST_CHANNELS])
            return _Happened(
                talks,
                replied_to=_most_first(await reading.all(rows.replied_to)),
                reacted_to=_most_first(await reading.all(rows.reacted_to)),
                links=_by_channel(await reading.all(rows.with_links)),
                ends={(end.channel_id, end.sent_at): end.message_id for end in ends},
                threads=await reading.threads(),
                decisions=await self._decided(viewer, filters),
                notes=reading.notes,
            )

    async def _decided(self, viewer: Viewer, filters: Filters) -> list[Marked]:
        """Return the decisions of the time that count by now, the newest first."""
        if self.decisions is None:
            return []
        return [
            marked
            for marked in await self.decisions.readable(viewer)
            if marked.decision.counts_at(viewer.now)
            and any(marked.decision.sent_at in window for window in filters.windows)
            and filters.bounds.admits(marked.message)
        ]


@dataclass(frozen=True, slots=True)
class _Reading:
    """Both memories, asked for what passes some filters, each message once."""

    session: SearchSession
    databases: tuple[SearchableDatabase, SearchableDatabase]
    filters: Filters
    overlap: Overlap

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of how it was read."""
        lost = self.session.unreachable
        return (
            *([] if self.overlap.exact else [NOT_EXACT]),
            *([UNREACHABLE.format(" and ".join(lost))] if lost else []),
        )

    async def all(self, statement: Statement[T], **values: Any) -> list[T]:
        """Return what a statement gives in both memories."""

        async def query(session: AsyncSession, database: SearchableDatabase) -> list[T]:
            return await statement(session, filters=self.filters, excluded=self.overlap.of(database), **values)

        answers = await self.session.ask(self.databases, query)
        return [row for answer in answers.values() for row in answer]

    async def threads(self) -> dict[int, list[tuple[NewThread, int]]]:
        """Return the threads that were opened, by channel, each with its first message; long-term memory knows them."""
        _, long_term = self.databases
        if long_term.name in self.session.unreachable:
            return {}

        async def opened(session: AsyncSession, _: SearchableDatabase) -> list[NewThread]:
            return await rows.new_threads(session, filters=self.filters)

        threads = [thread for answer in (await self.session.ask([long_term], opened)).values() for thread in answer]
        starts = await self.all(rows.starts, thread_ids=[thread.thread_id for thread in threads]) if threads else []
        first: dict[int, ThreadStart] = {}
        for start in sorted(starts, key=lambda start: (start.sent_at, start.message_id)):
            first.setdefault(start.thread_id, start)
        by_channel: dict[int, list[tuple[NewThread, int]]] = defaultdict(list)
        for thread in threads:
            if thread.thread_id in first:
                by_channel[thread.channel_id].append((thread, first[thread.thread_id].message_id))
        return by_channel


def _added(talks: Iterable[Talk]) -> list[Talk]:
    """Return how much was said in each channel according to both memories, most first."""
    sums: dict[int, Talk] = {}
    for talk in talks:
        sums[talk.channel_id] = sums[talk.channel_id] + talk if talk.channel_id in sums else talk
    return sorted(sums.values(), key=lambda talk: (-talk.messages, talk.channel_id))


def _most_first(noted: Iterable[Noted]) -> Noteworthy:
    """Return what was counted of each message in both memories, by channel."""
    sums: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for one in noted:
        sums[one.channel_id][one.message_id] += one.amount
    return {
        channel_id: [Noted(channel_id, message_id, amount) for message_id, amount in _largest(amounts)]
        for channel_id, amounts in sums.items()
    }


def _largest(amounts: Mapping[int, int]) -> list[tuple[int, int]]:
    return sorted(amounts.items(), key=lambda pair: (-pair[1], -pair[0]))


def _by_channel(noted: Iterable[Noted]) -> Noteworthy:
    """Return the messages of each channel, and with each how many there are in both memories."""
    by_channel: dict[int, list[Noted]] = defaultdict(list)
    for one in noted:
        by_channel[one.channel_id].append(one)
    return by_channel


def _overview(happened: _Happened, messages: Mapping[int, Message], *, title: str) -> Overview:
    shown, others = happened.talks[:MOST_CHANNELS], happened.talks[MOST_CHANNELS:]
    sections = [_section(talk, happened, messages) for talk in shown]
    decided = [Line(words=marked.decision.title, message=marked.message) for marked in happened.decisions]
    if decided:
        left = len(decided) - MOST_DECISIONS
        is_more = f"and {_count(left, 'more decision')}" if left > 0 else ""
        sections.insert(0, Section(heading="Decisions", lines=tuple(decided[:MOST_DECISIONS]), is_more=is_more))
    if others:
        more = sum(talk.messages for talk in others)
        sections.append(Section(is_more=f"and {_count(more, 'message')} in {_count(len(others), 'more channel')}"))
    return Overview(
        title=f"{title}: {_sum_of(happened.talks)}" if happened.talks else title,
        sections=tuple(sections),
        notes=happened.notes,
        empty=NOTHING,
    )


def _sum_of(talks: Sequence[Talk]) -> str:
    people = frozenset[str]().union(*(talk.people for talk in talks))
    messages = _count(sum(talk.messages for talk in talks), "message")
    return f"{messages} by {_people(len(people))} in {_count(len(talks), 'channel')}"


def _section(talk: Talk, happened: _Happened, messages: Mapping[int, Message]) -> Section:
    lines = tuple(_lines(talk, happened, messages))
    names = [line.message.channel_name for line in lines if line.message is not None]
    name = channel_of(names[0]) if names else ""
    return Section(heading=f"#{name}: {_count(talk.messages, 'message')} by {_people(len(talk.people))}", lines=lines)


def _lines(talk: Talk, happened: _Happened, messages: Mapping[int, Message]) -> Iterator[Line]:
    """Yield the first and the last message of a channel, and what stood out between them."""
    channel_id = talk.channel_id
    first = messages.get(happened.ends.get((channel_id, talk.first_at), 0))
    last = messages.get(happened.ends.get((channel_id, talk.last_at), 0))
    if first is not None:
        yield Line(words="first" if last and last != first else "", message=first, shown=_BESIDE)
    if last is not None and last != first:
        yield Line(words="last", message=last, shown=_BESIDE)
    for one in _shown(happened.replied_to, channel_id, messages)[:1]:
        yield Line(words=_count(one.amount, "reply"), message=messages[one.message_id], shown=_BESIDE)
    reacted = [messages[one.message_id] for one in _shown(happened.reacted_to, channel_id, messages)]
    for message in sorted(reacted, key=_reactions, reverse=True)[:1]:
        yield Line(words=_count(_reactions(message), "reaction"), message=message, shown=_BESIDE)
    opened = [(thread, messages[key]) for thread, key in happened.threads.get(channel_id, ()) if key in messages]
    for thread, message in opened[:MOST_NEW_THREADS]:
        yield Line(words=f"new thread “{thread.title}”", message=message, shown=_BESIDE)
    links = [messages[one.message_id] for one in _shown(happened.links, channel_id, messages)]
    for message in sorted(links, key=lambda message: message.sent_at, reverse=True)[:MOST_LINKS]:
        yield Line(words="link", message=message, shown=_BESIDE)


def _shown(noteworthy: Noteworthy, channel_id: int, messages: Mapping[int, Message]) -> list[Noted]:
    return [one for one in noteworthy.get(channel_id, ()) if one.message_id in messages]


def _reactions(message: Message) -> int:
    return sum(reaction.count for reaction in message.reactions)


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _count(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
