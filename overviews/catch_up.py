"""Tell a person what they missed since they were last here: what concerns them, and which channels to read."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypedDict

from psycopg.sql import SQL, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import fetch
from memory.catch_ups import NO_GUILD, CatchUps
from memory.filters import IN_PLACES, Bounds, BoundsShape, Guild, in_bounds, shape_of_bounds, values_of_bounds
from memory.message import Message
from memory.names.places import channel_of
from memory.search.interface import MemoryReader
from memory.search_session import SearchableDatabase, SearchSession, open_search_session
from overviews.channel_ranking import RankedChannel, Verdict, concerns, ranked_channels
from overviews.decided import decided_lines
from overviews.decisions import DecisionList
from overviews.moments import day_and_time, past_moment
from overviews.open_questions import is_worth_asking, open_questions
from overviews.overview import Line, Overview, Section, Shown, Viewer
from overviews.traces import MOST_TRACES, Trace, Traces, read_traces

AT_FIRST = timedelta(days=7)
"""How far the first catch-up of somebody goes back who has said nothing yet."""

FAMILIAR_FOR = timedelta(days=14)
"""How long before a catch-up somebody has talked with a person who counts as one whom they talk with."""

CONCERNING, CHANNELS, QUESTIONS, REACTED, LINKS, DECISIONS = 10, 25, 5, 5, 5, 5
"""Lines of each section at most."""

FEWEST_REACTIONS = 2
"""Reactions of what counts as most reacted to."""

_QUESTIONS_READ = 200
_OWN_COUNTED = 500  # newest messages of the person, by which is found with whom they talk

_HEADINGS = {Verdict.READ: "Read", Verdict.SKIM: "Skim", Verdict.SKIP: "Skip"}


@dataclass(frozen=True, slots=True)
class _Person:
    """Who catches up: the messages of theirs that others reply to, and the people whom they talk with."""

    own_ids: frozenset[int] = frozenset()
    familiar: frozenset[str] = frozenset()


class _Lines(TypedDict):
    """The fields of a section that a list of messages gives."""

    lines: tuple[Line, ...]
    is_more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """Makes catch-ups, and knows when each person was last shown one; without `catch_ups` nobody ever was."""

    memory: MemoryReader
    databases: Sequence[SearchableDatabase]
    catch_ups: CatchUps | None = None
    decisions: DecisionList | None = None

    async def command(self, viewer: Viewer, text: str) -> Overview:
        """Make a catch-up from the text behind a command, and note that it was shown; raise ValueError."""
        overview = await self.overview(viewer, text)
        await self.note_shown(viewer)
        return overview

    async def note_shown(self, viewer: Viewer) -> None:
        """Note that a person was shown what was said until they asked."""
        if self.catch_ups is not None:
            await self.catch_ups.note_shown(viewer.person_id, _guild_id(viewer.guild), at=viewer.now)

    async def start(self, viewer: Viewer, since: str = "") -> datetime:
        """Return when a person was last here, or the time that a text says.

        Raises ValueError, with one sentence, for a text that says no past time, and DatabaseUnavailableError.
        """
        if since:
            return past_moment(since, viewer)
        async with open_search_session(viewer.places) as search_session:
            return await self._last_here(search_session, viewer)

    async def overview(self, viewer: Viewer, since: str = "", *, start: datetime | None = None) -> Overview:
        """Return what a person missed since a `start`, or else since they were last here or the time that a text says.

        Raises as `start` does.
        """
        start = start or await self.start(viewer, since)
        bounds = Bounds(guild=viewer.guild)
        async with open_search_session(viewer.places) as search_session:
            traces = await read_traces(
                search_session,
                self.databases,
                places=viewer.places,
                bounds=bounds,
                start=start,
                end=viewer.now,
                person_id=viewer.person_id,
            )
            person = await self._person(search_session, viewer, traces.traces, start)
            unreachable = search_session.unreachable
        sections = await self._sections(viewer, traces.traces, person, start)
        return Overview(
            title=f"What you missed since {day_and_time(start, viewer)}",
            sections=sections,
            notes=tuple(_notes(traces, unreachable)),
            empty="Nobody else has said anything since then in the channels that you can read.",
        )

    async def _sections(
        self, viewer: Viewer, traces: Sequence[Trace], person: _Person, start: datetime
    ) -> tuple[Section, ...]:
        me = str(viewer.person_id)
        others = [trace for trace in traces if trace.author != me and not trace.is_answer]
        asked = [trace for trace in await asyncio.to_thread(open_questions, traces) if trace.author != me]
        asked = asked[-_QUESTIONS_READ:]
        found = await self._lookup(viewer, asked)
        questions = [trace for trace in asked if _is_question(found.get(trace.message_id))]
        channels = await asyncio.to_thread(
            ranked_channels, others, own_ids=person.own_ids, familiar=person.familiar, questions=questions
        )
        concerning = [trace for trace in reversed(others) if concerns(trace, person.own_ids)]
        reacted = sorted(
            (trace for trace in others if trace.reactions >= FEWEST_REACTIONS), key=lambda trace: -trace.reactions
        )
        links = [trace for trace in reversed(others) if trace.has_link]
        firsts = [channel.first for channel in channels[:CHANNELS]]
        decided = await decided_lines(self.decisions, viewer, start=start, end=viewer.now, limit=DECISIONS)
        # Twice as many as are shown: some may have been deleted since.
        found |= await self._lookup(viewer, [*firsts, *concerning[:20], *reacted[:10], *links[:10]])
        return (
            Section(heading="Replies to you and mentions of you", **_lines(found, concerning, CONCERNING)),
            *(_of_channels(verdict, channels, found) for verdict in Verdict),
            Section(heading="Decisions", lines=decided),
            Section(heading="Open questions", **_lines(found, questions[::-1], QUESTIONS)),
            Section(heading="Most reactions", lines=_most_reacted(found, reacted)),
            Section(heading="Links", **_lines(found, links, LINKS)),
        )

    async def _last_here(self, search_session: SearchSession, viewer: Viewer) -> datetime:
        """Return when a person last said something in the places of theirs, or was last shown a catch-up."""
        values = {"places": sorted(viewer.places), "person": viewer.person_id}

        async def query(session: AsyncSession, _: SearchableDatabase) -> list[datetime]:
            return [row["spoke"] for row in await fetch(session, _LAST_SPOKE, values) if row["spoke"] is not None]

        spoke = [moment for found in (await search_session.ask(self.databases, query)).values() for moment in found]
        shown = await self._last_shown(viewer)
        return min(max([*spoke, *shown], default=viewer.now - AT_FIRST), viewer.now)

    async def _last_shown(self, viewer: Viewer) -> list[datetime]:
        if self.catch_ups is None:
            return []
        shown = await self.catch_ups.last_shown(viewer.person_id, _guild_id(viewer.guild))
        return [] if shown is None else [shown]

    async def _person(
        self, search_session: SearchSession, viewer: Viewer, traces: Sequence[Trace], start: datetime
    ) -> _Person:
        """Return what is known of a person beyond the messages of the time: what others reply to, whom they know."""
        me = str(viewer.person_id)
        within = {trace.message_id for trace in traces if trace.author == me}
        answered = {trace.reply_to for trace in traces if trace.reply_to is not None and trace.author != me}
        bounds = Bounds(guild=viewer.guild)
        values = {
            "places": sorted(viewer.places),
            "person": viewer.person_id,
            "from": start - FAMILIAR_FOR,
            "until": start,
            "most": _OWN_COUNTED,
            **values_of_bounds(bounds),
        }

        async def query(session: AsyncSession, _: SearchableDatabase) -> list[_Person]:
            theirs = await fetch(session, _THEIRS, {**values, "ids": sorted(answered - within)})
            said = await fetch(session, _said(shape_of_bounds(bounds)), values)
            ids = [row["message_id"] for row in said]
            targets = [row["reply_to"] for row in said if row["reply_to"] is not None]
            spoken_with = await fetch(session, _SPOKEN_WITH, {**values, "ids": ids, "targets": targets})
            people = {row["author"] for row in spoken_with}
            return [_Person(frozenset(row["message_id"] for row in theirs), frozenset(people))]

        found = [person for some in (await search_session.ask(self.databases, query)).values() for person in some]
        return _Person(
            frozenset(within).union(*(person.own_ids for person in found)),
            frozenset[str]().union(*(person.familiar for person in found)) - {me},
        )

    async def _lookup(self, viewer: Viewer, traces: Collection[Trace]) -> dict[int, Message]:
        """Return the messages as they are now, by their ids; those that are gone are missing."""
        memory = self.memory.in_guild(viewer.guild)
        return await memory.lookup([trace.message_id for trace in traces], places=viewer.places)


def _guild_id(guild: Guild) -> int:
    return guild if isinstance(guild, int) else NO_GUILD


def _is_question(message: Message | None) -> bool:
    return message is not None and is_worth_asking(message)


def _lines(found: Mapping[int, Message], traces: Sequence[Trace], limit: int) -> _Lines:
    """Return the lines of a section: the first messages of these that are there, and how many there are beyond."""
    messages = (found.get(trace.message_id) for trace in traces)
    lines = tuple(Line(message=message) for message in messages if message is not None)[:limit]
    more = len(traces) - limit
    return {"lines": lines, "is_more": f"and {more:,} more" if more > 0 else ""}


def _of_channels(verdict: Verdict, channels: Sequence[RankedChannel], found: Mapping[int, Message]) -> Section:
    """Return the channels of a verdict, each with a link to where to begin."""
    ranked = [channel for channel in channels if channel.verdict is verdict]
    shown = [(channel, found.get(channel.first.message_id)) for channel in ranked]
    lines = [_channel_line(channel, message) for channel, message in shown if message is not None]
    more = sum(channel not in channels[:CHANNELS] for channel in ranked)
    return Section(
        heading=_HEADINGS[verdict],
        lines=tuple(lines),
        is_more=f"and {more} more {'channel' if more == 1 else 'channels'}" if more else "",
    )


def _channel_line(channel: RankedChannel, message: Message) -> Line:
    name = channel_of(message.channel_name)
    return Line(words=f"#{name}, {channel.reason}", message=message, shown=Shown.NOTHING)


def _most_reacted(found: Mapping[int, Message], traces: Sequence[Trace]) -> tuple[Line, ...]:
    pairs = ((trace, found.get(trace.message_id)) for trace in traces)
    lines = (
        Line(words=f"{trace.reactions:,} reactions", message=message) for trace, message in pairs if message is not None
    )
    return tuple(lines)[:REACTED]


def _notes(traces: Traces, unreachable: Sequence[str]) -> Iterator[str]:
    yield 'Say since when to go further back: "since: Monday".'
    if not traces.complete:
        yield f"More than {MOST_TRACES:,} messages came in that time; only the newest of them are counted here."
    if unreachable:
        yield f"{' and '.join(unreachable).capitalize()} memory did not answer, so something may be missing."


_LAST_SPOKE = SQL("""
    SELECT max(last_seen) AS spoke FROM names
    WHERE author_id = %(person)s AND author_name <> ''
        AND CASE WHEN in_public_thread THEN channel_id ELSE place_id END = ANY (%(places)s::bigint[])
""")
_THEIRS = SQL("SELECT message_id FROM messages WHERE message_id = ANY (%(ids)s::bigint[]) AND author_id = %(person)s")
_AUTHOR = SQL("coalesce(author_id::text, lower(author_name)) AS author")
_SPOKEN_WITH = SQL("""
    SELECT {author} FROM messages WHERE message_id = ANY (%(targets)s::bigint[]) AND {in_places}
    UNION SELECT {author} FROM messages
    WHERE reply_to = ANY (%(ids)s::bigint[]) AND sent_at >= %(from)s AND sent_at < %(until)s AND {in_places}
""").format(author=_AUTHOR, in_places=IN_PLACES)


@lru_cache(maxsize=16)
def _said(shape: BoundsShape) -> Composed:
    return SQL("""
        SELECT message_id, reply_to FROM messages
        WHERE author_id = %(person)s AND {in_places} AND {in_bounds} AND kind = 'message' AND deleted_at IS NULL
            AND sent_at >= %(from)s AND sent_at < %(until)s
        ORDER BY sent_at DESC LIMIT %(most)s
    """).format(in_places=IN_PLACES, in_bounds=in_bounds(shape))
