"""Merge the counts of both memories, each message once and in its current state."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from memory.counting import queries
from memory.counting.queries import MOST_STATES, Counted, PersonCount, States
from memory.counting.results import Example, Matter, Share, Tally
from memory.filters import Filters
from memory.message import MessageKey
from memory.search_session import SearchableDatabase, SearchSession

SHOWN_PEOPLE = 10
"""People of whom the newest message is read, those with the largest shares."""

_SLACK = timedelta(minutes=1)  # between the times that two exports give to one message


@dataclass(frozen=True, slots=True)
class _Overlap:
    """Messages by the memory that shall not count them: the other has a newer state of them, or they are gone."""

    excluded: Mapping[str, Collection[int]] = field(default_factory=dict)
    exact: bool = True

    def of(self, database: SearchableDatabase) -> Collection[int]:
        return self.excluded.get(database.name, ())


async def tally(
    search_session: SearchSession,
    databases: Sequence[SearchableDatabase],
    *,
    matter: Matter,
    filters: Filters,
    newest_first: bool,
    limit: int,
    last: int,
) -> Tally:
    """Return how much of a matter there is, by whom, and the first `limit` and the `last` of the messages.

    Raises DatabaseUnavailableError when no memory answers.
    """
    overlap = await _overlap(search_session, databases)

    async def count(session: AsyncSession, database: SearchableDatabase) -> list[Counted]:
        counted = await queries.count(
            session,
            matter=matter,
            filters=filters,
            excluded=overlap.of(database),
            oldest=last if newest_first else limit,
            newest=limit if newest_first else last,
        )
        return [counted]

    counted = [found for founds in (await search_session.ask(databases, count)).values() for found in founds]
    shares = _added(counted)
    newest = {share.newest for share in list(shares.values())[:SHOWN_PEOPLE]}
    ends = sorted({key for found in counted for key in found.ends}, key=_in_time, reverse=newest_first)
    first, final = ends[:limit], ends[max(len(ends) - last, 0) :]

    async def read(session: AsyncSession, database: SearchableDatabase) -> list[Example]:
        return await queries.read(
            session, matter=matter, filters=filters, excluded=overlap.of(database), keys=newest.union(first, final)
        )

    found = (await search_session.ask(databases, read)).values() if shares else ()
    examples = {example.message.key: example for some in found for example in some}
    return Tally(
        messages=sum(of_memory.messages for of_memory in counted),
        items=sum(of_memory.items for of_memory in counted),
        shares=tuple(Share(count.messages, count.items, examples.get(count.newest)) for count in shares.values()),
        examples=tuple(examples[key] for key in first if key in examples),
        last=tuple(examples[key] for key in final if key in examples),
        unreachable=search_session.unreachable,
        exact=overlap.exact,
    )


async def _overlap(search_session: SearchSession, databases: Sequence[SearchableDatabase]) -> _Overlap:
    """Return which messages stand in both memories, and which of them shall not count each."""

    async def query(session: AsyncSession, _: SearchableDatabase) -> list[tuple[datetime, datetime]]:
        found = await queries.span(session)
        return [found] if found else []

    spans = [answer[0] for answer in (await search_session.ask(databases, query)).values() if answer]
    if len(spans) < len(databases) or len(spans) == 1:
        return _Overlap()
    first, last = max(start for start, _ in spans) - _SLACK, min(end for _, end in spans) + _SLACK
    if first > last:
        return _Overlap()

    async def read(session: AsyncSession, _: SearchableDatabase) -> list[States]:
        return [await queries.states(session, first=first, last=last)]

    known = {name: answer[0] for name, answer in (await search_session.ask(databases, read)).items()}
    return _Overlap(_not_counted(known), exact=all(len(states.ids) < MOST_STATES for states in known.values()))


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


def _added(counted: Sequence[Counted]) -> dict[str, PersonCount]:
    """Return what each person has in all memories, those with most first."""
    sums: dict[str, PersonCount] = {}
    for count in (count for found in counted for count in found.people):
        known = sums.get(count.person)
        sums[count.person] = _sum(known, count) if known else count
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1].items, -pair[1].messages, pair[0])))


def _sum(first: PersonCount, second: PersonCount) -> PersonCount:
    newest = max(first.newest, second.newest, key=_in_time)
    return PersonCount(first.person, first.messages + second.messages, first.items + second.items, newest)


def _in_time(key: MessageKey) -> tuple[datetime, int]:
    message_id, sent_at = key
    return sent_at, message_id
