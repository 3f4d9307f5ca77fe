"""Count what was said in both memories, each message once and as it is now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from memory import count_queries
from memory.count_queries import MOST_STATES, PersonCount, State
from memory.findings import Filters
from memory.tallies import Example, Matter, Share, Tally
from memory.visit import Shelf, Visit

SHOWN_PEOPLE = 10
"""People of whom the newest message is read, those with the largest shares."""

_SLACK = timedelta(minutes=1)  # between the times that two exports give to one message


@dataclass(frozen=True, slots=True)
class _Overlap:
    """Messages by the memory that shall not count them, for the other knows them as they are now, or they are gone."""

    excluded: Mapping[str, Collection[int]] = field(default_factory=dict)
    exact: bool = True

    def of(self, shelf: Shelf) -> Collection[int]:
        return self.excluded.get(shelf.name, ())


async def tally(
    visit: Visit,
    shelves: Sequence[Shelf],
    *,
    matter: Matter,
    filters: Filters,
    newest_first: bool,
    limit: int,
) -> Tally:
    """Return how much of a matter there is, by whom, and `limit` of the messages that were counted.

    Raises DatabaseUnavailableError when no memory answers.
    """
    overlap = await _overlap(visit, shelves)

    async def count(session: AsyncSession, shelf: Shelf) -> list[PersonCount]:
        return await count_queries.by_person(session, matter=matter, filters=filters, excluded=overlap.of(shelf))

    async def read(session: AsyncSession, shelf: Shelf) -> list[Example]:
        return await count_queries.examples(
            session,
            matter=matter,
            filters=filters,
            excluded=overlap.of(shelf),
            newest_first=newest_first,
            limit=limit,
        )

    counted = await visit.ask(shelves, count)
    shares = _added(counted.values())
    shown = list(shares)[:SHOWN_PEOPLE]

    async def read_newest(session: AsyncSession, shelf: Shelf) -> list[tuple[str, Example]]:
        return await count_queries.newest_of_people(
            session, matter=matter, filters=filters, excluded=overlap.of(shelf), people=shown
        )

    found = [one for some in (await visit.ask(shelves, read)).values() for one in some] if shares else []
    newest = (await visit.ask(shelves, read_newest)).values() if shares else ()
    latest = _latest([pair for pairs in newest for pair in pairs])
    return Tally(
        messages=sum(people[0].all_messages for people in counted.values() if people),
        items=sum(people[0].all_items for people in counted.values() if people),
        shares=tuple(Share(*numbers, latest.get(person)) for person, numbers in shares.items()),
        examples=tuple(sorted(found, key=_in_time, reverse=newest_first)[:limit]),
        unreachable=visit.unreachable,
        exact=overlap.exact,
    )


async def _overlap(visit: Visit, shelves: Sequence[Shelf]) -> _Overlap:
    """Return which messages stand in both memories, and which of them shall not count each."""

    async def look(session: AsyncSession, _: Shelf) -> list[tuple[datetime, datetime]]:
        found = await count_queries.span(session)
        return [found] if found else []

    spans = [answer[0] for answer in (await visit.ask(shelves, look)).values() if answer]
    if len(spans) < len(shelves) or len(spans) == 1:
        return _Overlap()
    first, last = max(start for start, _ in spans) - _SLACK, min(end for _, end in spans) + _SLACK
    if first > last:
        return _Overlap()

    async def read(session: AsyncSession, _: Shelf) -> list[State]:
        return await count_queries.states(session, first=first, last=last)

    answers = await visit.ask(shelves, read)
    known = {name: {state.message_id: state for state in states} for name, states in answers.items()}
    return _Overlap(_not_counted(known), exact=all(len(states) < MOST_STATES for states in answers.values()))


def _not_counted(known: Mapping[str, Mapping[int, State]]) -> dict[str, list[int]]:
    """Return by memory the messages that it shall not count; of two states the one that was edited later counts."""
    if len(known) < 2:  # the other memory did not answer
        return {}
    (one, ours), (other, theirs) = known.items()
    excluded: dict[str, list[int]] = {one: [], other: []}
    for message_id in ours.keys() & theirs.keys():
        mine, yours = ours[message_id], theirs[message_id]
        is_gone = any(state.deleted or state.is_answer for state in (mine, yours))
        is_edited = yours.edited_at is not None and (mine.edited_at is None or mine.edited_at < yours.edited_at)
        for name, counts in ((one, not is_edited), (other, is_edited)):
            if is_gone or not counts:
                excluded[name].append(message_id)
    return excluded


def _added(counted: Collection[Sequence[PersonCount]]) -> dict[str, tuple[int, int]]:
    """Return the messages and items of each person in all memories, those with most first."""
    sums: dict[str, tuple[int, int]] = {}
    for person in (person for people in counted for person in people):
        messages, items = sums.get(person.key, (0, 0))
        sums[person.key] = messages + person.messages, items + person.items
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1][1], -pair[1][0], pair[0])))


def _latest(pairs: Sequence[tuple[str, Example]]) -> dict[str, Example]:
    return dict(sorted(pairs, key=lambda pair: _in_time(pair[1])))


def _in_time(example: Example) -> tuple[object, int]:
    return example.message.sent_at, example.message.message_id
