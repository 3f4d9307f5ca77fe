"""Merge the counts of both memories, each message once and in its current state."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from memory.counting import queries
from memory.counting.overlap import find_overlap
from memory.counting.queries import Counted, PersonCount
from memory.counting.results import Example, Matter, Share, Tally
from memory.filters import Filters
from memory.message import MessageKey
from memory.search_session import SearchableDatabase, SearchSession

SHOWN_PEOPLE = 10
"""People of whom the newest message is read, those with the largest shares."""


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
    overlap = await find_overlap(search_session, databases, windows=filters.windows)

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
