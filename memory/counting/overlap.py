"""Find what stands in both memories, so that statements over many messages count each of them once."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from memory.counting import queries
from memory.counting.queries import MOST_STATES, States
from memory.search_session import SearchableDatabase, SearchSession
from time_expressions.window import Windows

_SLACK = timedelta(minutes=1)  # between the times that two exports give to one message


@dataclass(frozen=True, slots=True)
class Overlap:
    """Messages by the memory that shall not count them: the other has a newer state of them, or they are gone.

    It is not `exact` when so much stands in both that some of it may be counted twice.
    """

    excluded: Mapping[str, Collection[int]] = field(default_factory=dict)
    exact: bool = True

    def of(self, database: SearchableDatabase) -> Collection[int]:
        """Return the ids of the messages that a memory shall not count."""
        return self.excluded.get(database.name, ())


async def find_overlap(
    search_session: SearchSession, databases: Sequence[SearchableDatabase], *, windows: Windows = ()
) -> Overlap:
    """Return which messages stand in both memories, and which of them shall not count each; no windows are all time.

    Raises DatabaseUnavailableError when no memory answers.
    """

    async def query(session: AsyncSession, _: SearchableDatabase) -> list[tuple[datetime, datetime]]:
        found = await queries.span(session)
        return [found] if found else []

    spans = [answer[0] for answer in (await search_session.ask(databases, query)).values() if answer]
    if len(spans) < len(databases) or len(spans) == 1:
        return Overlap()
    starts, ends = _bounds(windows)
    first = max(*(start for start, _ in spans), *starts) - _SLACK
    last = min(*(end for _, end in spans), *ends) + _SLACK
    if first > last:
        return Overlap()

    async def read(session: AsyncSession, _: SearchableDatabase) -> list[States]:
        return [await queries.states(session, first=first, last=last)]

    known = {name: answer[0] for name, answer in (await search_session.ask(databases, read)).items()}
    excluded = await asyncio.to_thread(_not_counted, known)  # of hundreds of thousands
    return Overlap(excluded, exact=all(len(states.ids) < MOST_STATES for states in known.values()))


def _bounds(windows: Windows) -> tuple[list[datetime], list[datetime]]:
    """Return the first start and the last end of windows, each in a list that is empty where one is open."""
    starts = [window.start for window in windows if window.start is not None]
    ends = [window.end for window in windows if window.end is not None]
    complete = len(windows) if windows else -1
    return [min(starts)] if len(starts) == complete else [], [max(ends)] if len(ends) == complete else []


def _not_counted(known: Mapping[str, States]) -> dict[str, list[int]]:
    """Return by memory the messages that it shall not count; of two states the later edited counts."""
    if len(known) < 2:  # the other memory did not answer
        return {}
    (name, ours), (other_name, theirs) = known.items()
    both = ours.ids & theirs.ids
    gone = both & (ours.gone | theirs.gone)
    newer = {
        message_id
        for message_id in both & theirs.edited.keys()
        if message_id not in ours.edited or ours.edited[message_id] < theirs.edited[message_id]
    }
    return {name: [*(newer | gone)], other_name: [*((both - newer) | gone)]}
