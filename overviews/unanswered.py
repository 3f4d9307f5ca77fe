"""List the questions that nobody has answered for some hours, for those who help."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from memory.filters import Bounds
from memory.message import Message
from memory.question.channels import channels_in
from memory.search.interface import MemoryReader
from memory.search_session import SearchableDatabase, open_search_session
from overviews.open_questions import is_worth_asking, open_questions
from overviews.overview import Line, Overview, Section, Shown, Viewer
from overviews.traces import MOST_TRACES, Trace, Traces, read_traces
from time_expressions.folding import FoldedText

HOURS = 6
"""For how long a question has to be open, where nobody says otherwise."""

MOST_HOURS = 168

LOOKS_BACK = timedelta(days=14)
"""How old it is at most."""

SHOWN = 25
"""Questions of each section at most, the newest ones."""

_READ = 200  # newest candidates of either kind whose words are looked at
_HOURS = re.compile(r"(\d{1,4})\s*(?:h|hours?)?(?:\s+|$)")
_UNKNOWN_HOURS = "Say after how many hours, 1 to 168, and in which channel, as in: 12 #help."
_UNKNOWN_CHANNEL = "There is no channel of that name that you can read."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Finds questions that are open: without reply, without an answer that follows, without reaction."""

    memory: MemoryReader
    databases: Sequence[SearchableDatabase]

    async def command(self, viewer: Viewer, text: str) -> Overview:
        """Make the list from the text behind a command, "12 #help"; raise ValueError for what is neither."""
        text = text.strip()
        found = _HOURS.match(text)
        name = text[found.end() :].strip() if found else text
        among = await self._channels_named(viewer, name) if name else None
        return await self.overview(viewer, hours=int(found[1]) if found else HOURS, among=among)

    async def overview(self, viewer: Viewer, *, hours: int = HOURS, among: frozenset[int] | None = None) -> Overview:
        """Return the questions that have been open for so long, of some channels and threads or of all.

        Raises ValueError, with one sentence, for a time out of bounds, and DatabaseUnavailableError.
        """
        if not 1 <= hours <= MOST_HOURS:
            raise ValueError(_UNKNOWN_HOURS)
        async with open_search_session(viewer.places) as search_session:
            traces = await read_traces(
                search_session,
                self.databases,
                places=viewer.places,
                bounds=Bounds(guild=viewer.guild),
                start=viewer.now - LOOKS_BACK,
                end=viewer.now,
            )
            unreachable = search_session.unreachable
        found = [
            trace
            for trace in await asyncio.to_thread(open_questions, traces.traces)
            if _is_meant(trace, viewer.now - timedelta(hours=hours), among)
        ]
        posts = await self._section("Posts without an answer", viewer, [trace for trace in found if trace.is_post])
        others = await self._section("Questions", viewer, [trace for trace in found if not trace.is_post])
        return Overview(
            title=f"Unanswered for {hours} {'hour' if hours == 1 else 'hours'} or longer",
            sections=(posts, others),
            notes=tuple(_notes(traces, unreachable)),
            empty="No question is open that I could tell: each has a reply, a reaction, or a message that follows it.",
        )

    async def _section(self, heading: str, viewer: Viewer, traces: Sequence[Trace]) -> Section:
        memory = self.memory.in_guild(viewer.guild)
        newest = list(reversed(traces))[:_READ]
        messages = await memory.lookup([trace.message_id for trace in newest], places=viewer.places)
        found = [messages[trace.message_id] for trace in newest if trace.message_id in messages]
        asking = [message for message in found if is_worth_asking(message)]
        lines = tuple(_line(message, viewer.now) for message in asking[:SHOWN])
        more = len(asking) - SHOWN
        return Section(heading=heading, lines=lines, is_more=f"and {more} older ones" if more > 0 else "")

    async def _channels_named(self, viewer: Viewer, name: str) -> frozenset[int]:
        """Return the channels and threads that a name stands for; raise ValueError when it stands for none."""
        names = await self.memory.in_guild(viewer.guild).known_names(places=viewer.places)
        found = channels_in(FoldedText(f"in #{name.removeprefix('#')}"), names, here=viewer.channel_id).places
        if not found:
            raise ValueError(_UNKNOWN_CHANNEL)
        return found


def _is_meant(trace: Trace, until: datetime, among: frozenset[int] | None) -> bool:
    return trace.sent_at <= until and (among is None or not among.isdisjoint({trace.channel_id, trace.place_id}))


def _line(message: Message, now: datetime) -> Line:
    return Line(words=age(now - message.sent_at), message=message, shown=Shown.ALL)


def age(passed: timedelta) -> str:
    """Return how old something is, as in "7 hours old" or "3 days old"."""
    hours = int(passed.total_seconds() // 3600)
    if hours < 48:
        return f"{hours} {'hour' if hours == 1 else 'hours'} old"
    return f"{hours // 24} days old"


def _notes(traces: Traces, unreachable: Sequence[str]) -> Iterator[str]:
    yield (
        f"Looked at the last {LOOKS_BACK.days} days. What has no question mark and begins with no asking word is not "
        "taken for a question; a forum post is one."
    )
    if not traces.complete:
        yield f"There were more than {MOST_TRACES:,} messages; only the newest of them were looked at."
    if unreachable:
        yield f"{' and '.join(unreachable).capitalize()} memory did not answer, so something may be missing."
