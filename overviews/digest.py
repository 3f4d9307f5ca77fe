"""Tell the readers of a channel what happened in a week: most discussed, decisions, most reactions, links.

What nobody answered is left out, as a digest is for everybody: a list of open questions would show people up. The
titles of decisions are left out as well: a digest has no words but those of the messages by which it is checked later.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from errors import DatabaseUnavailableError
from memory.filters import Bounds
from memory.message import Message
from memory.names.places import channel_of
from memory.search.interface import MemoryReader
from memory.search_session import SearchableDatabase, open_search_session
from overviews.decided import decided_lines
from overviews.decisions import DecisionList
from overviews.overview import Line, Overview, Section, Shown, Viewer
from overviews.traces import MOST_TRACES, Trace, Traces, read_traces

DISCUSSED, DECISIONS, REACTED, LINKS = 5, 5, 3, 3
"""Lines of each section at most."""

FEWEST_MESSAGES = 3
"""Messages of a channel that was discussed in."""

FEWEST_REACTIONS = 2


@dataclass(frozen=True, slots=True)
class _Discussed:
    """A channel with what was said in it; `first` is its first message."""

    first: Trace
    messages: int
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Makes digests, each from what its viewer, who is nobody in particular, may read."""

    memory: MemoryReader
    databases: Sequence[SearchableDatabase]
    decisions: DecisionList | None = None

    async def overview(self, viewer: Viewer, *, start: datetime, end: datetime) -> Overview:
        """Return what happened from `start` to before `end`; the same messages give the same digest.

        Raises DatabaseUnavailableError when a memory does not answer: a digest is not to lack half of a week.
        """
        async with open_search_session(viewer.places) as search_session:
            traces = await read_traces(
                search_session,
                self.databases,
                places=viewer.places,
                bounds=Bounds(guild=viewer.guild),
                start=start,
                end=end,
            )
            if search_session.unreachable:
                raise DatabaseUnavailableError(f"{search_session.unreachable[0]} memory did not answer")
        said = [trace for trace in traces.traces if not trace.is_answer]
        discussed = await asyncio.to_thread(_discussed, said)
        reacted = sorted(
            (trace for trace in said if trace.reactions >= FEWEST_REACTIONS), key=lambda trace: -trace.reactions
        )
        links = [trace for trace in reversed(said) if trace.has_link]
        wanted = [*(channel.first for channel in discussed), *reacted[: 2 * REACTED], *links[: 2 * LINKS]]
        found = await self.memory.in_guild(viewer.guild).lookup(
            [trace.message_id for trace in wanted], places=viewer.places
        )
        decided = await decided_lines(self.decisions, viewer, start=start, end=end, limit=DECISIONS)
        return Overview(
            title=f"What happened from {_day(start, viewer)} to {_day(end, viewer)}",
            sections=(
                Section(heading="Most discussed", lines=tuple(_discussed_lines(discussed, found))),
                Section(heading="Decisions", lines=tuple(Line(message=line.message) for line in decided)),
                Section(heading="Most reactions", lines=tuple(_reacted_lines(reacted, found))[:REACTED]),
                Section(heading="Links", lines=tuple(_lines(links, found))[:LINKS]),
            ),
            notes=tuple(_notes(traces)),
            empty="Nothing happened that everybody who sees this channel may read.",
        )


def _discussed(said: Sequence[Trace]) -> list[_Discussed]:
    """Return the channels in which most people said most, the most discussed first."""
    by_channel: dict[int, list[Trace]] = defaultdict(list)
    for trace in said:
        by_channel[trace.channel_id].append(trace)
    channels = [
        _Discussed(first=traces[0], messages=len(traces), people=len({trace.author for trace in traces}))
        for traces in by_channel.values()
        if len(traces) >= FEWEST_MESSAGES
    ]
    return sorted(channels, key=lambda channel: (-channel.messages, -channel.people, channel.first.channel_id))[
        :DISCUSSED
    ]


def _discussed_lines(channels: Sequence[_Discussed], found: Mapping[int, Message]) -> Iterator[Line]:
    for channel in channels:
        message = found.get(channel.first.message_id)
        if message is not None:
            people = f"{channel.people} {'person' if channel.people == 1 else 'people'}"
            words = f"#{channel_of(message.channel_name)}, {channel.messages:,} messages from {people}"
            yield Line(words=words, message=message, shown=Shown.NOTHING)


def _reacted_lines(traces: Sequence[Trace], found: Mapping[int, Message]) -> Iterator[Line]:
    for trace in traces:
        message = found.get(trace.message_id)
        if message is not None:
            yield Line(words=f"{trace.reactions:,} reactions", message=message)


def _lines(traces: Sequence[Trace], found: Mapping[int, Message]) -> Iterator[Line]:
    messages = (found.get(trace.message_id) for trace in traces)
    return (Line(message=message) for message in messages if message is not None)


def _notes(traces: Traces) -> Iterator[str]:
    yield "Made from what everybody who sees this channel can read."
    if not traces.complete:
        yield f"More than {MOST_TRACES:,} messages came in that week; only the newest of them are counted."


def _day(moment: datetime, viewer: Viewer) -> str:
    local = moment.astimezone(viewer.time_zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def shortened(overview: Overview) -> Overview:
    """Return an overview without the last line of its longest section; it has at least one line."""
    longest = max(overview.sections, key=lambda section: len(section.lines))
    sections = tuple(
        Section(heading=section.heading, lines=section.lines[:-1]) if section is longest else section
        for section in overview.sections
    )
    return Overview(title=overview.title, sections=sections, notes=overview.notes, empty=overview.empty)
