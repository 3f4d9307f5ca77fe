"""What is known of channels and threads is kept as rows, whatever order it comes in and however much it is."""

from dataclasses import replace
from itertools import permutations
from time import perf_counter
from typing import Any

import pytest

from db.databases import Database
from db.engines import transaction
from memory.places import store
from memory.places.state import PlaceKind, PlaceState, merged
from memory.places.store import PlaceChange
from tests.builders import minute

GUILD = 5
MANY = 5_000
QUICK = 30.0
"""Seconds, many times what MANY rows take: what is meant is not one round trip for each."""


def place(number: int = 1, *, at: float = 0, **changes: Any) -> PlaceState:
    """Return channel `number` as it was seen in a minute."""
    fields: dict[str, Any] = {"guild_id": GUILD, "kind": PlaceKind.TEXT, "name": "general"} | changes
    return PlaceState(place_id=number, seen_at=minute(at), **fields)


def thread(number: int, *, at: float = 0, **changes: Any) -> PlaceState:
    """Return a public thread of channel 1."""
    return place(number, at=at, **{"kind": PlaceKind.PUBLIC_THREAD, "parent_id": 1, "name": "a title"} | changes)


async def write(database: Database, *states: PlaceState, promotion_id: int | None = None) -> list[PlaceChange]:
    async with transaction(database.sessions) as session:
        return await store.upsert(session, states, promotion_id=promotion_id)


async def read(database: Database, *numbers: int) -> list[PlaceState]:
    async with transaction(database.reading) as session:
        found = await store.by_id(session, numbers)
    return [found[number] for number in numbers if number in found]


async def test_a_place_comes_back_as_it_was_written(long_term: Database) -> None:
    states = [
        place(1, age_restricted=True, spoiler=True, tags=("solved", 'a, "b" {c}')),
        thread(2, archived=True, locked=True, tags=("bug \N{BUG}",)),
        place(3, guild_id=None, kind=PlaceKind.DM, gone_at=minute(3), name=""),
    ]

    await write(long_term, *states)

    assert await read(long_term, 1, 2, 3, 4) == states


STATES = [
    place(at=0, name="general"),
    place(at=1, name="talk", age_restricted=True),
    place(at=2, kind=PlaceKind.OTHER, name="", hidden_since=minute(2)),
    place(at=3, name="", hidden_since=minute(3)),
    place(at=4, name="chat"),
    place(at=5, name="", gone_at=minute(5)),
]


@pytest.mark.parametrize("last", range(2, len(STATES) + 1))
async def test_states_add_up_in_the_database_as_they_do_in_memory(long_term: Database, last: int) -> None:
    known = STATES[0]
    await write(long_term, known)
    for state in STATES[1:last]:
        known = merged(known, state)
        await write(long_term, state)

    assert await read(long_term, 1) == [known]


async def test_the_newest_state_wins_in_whatever_order_they_come(long_term: Database) -> None:
    first, second, third = place(at=1, name="one"), place(at=2, name="two"), place(at=3, name="three")
    orders = list(permutations([first, second, third]))
    for number, order in enumerate(orders, 1):
        for state in order:
            await write(long_term, replace(state, place_id=number))

    found = await read(long_term, *range(1, len(orders) + 1))
    assert {state.name for state in found} == {"three"}


async def test_a_hidden_channel_keeps_its_name_and_the_time_when_it_was_lost(long_term: Database) -> None:
    await write(long_term, place(at=1, name="ops", tags=("a",)))

    (lost,) = await write(long_term, place(at=2, name="___hidden___", hidden_since=minute(2)))
    (still_lost,) = await write(long_term, place(at=3, name="", hidden_since=minute(3)))
    (hidden,) = await read(long_term, 1)
    (back,) = await write(long_term, place(at=4, name="ops"))

    assert (hidden.name, hidden.tags, hidden.hidden_since) == ("ops", ("a",), minute(2))
    assert (lost.became_hidden, lost.has_new_name) == (True, False)
    assert not still_lost.became_hidden
    assert (back.became_visible, back.has_new_name) == (True, False)


async def test_what_is_new_of_a_place_is_told_to_whoever_writes_it(long_term: Database) -> None:
    (first,) = await write(long_term, place(at=1, name="ops"))
    (renamed,) = await write(long_term, place(at=2, name="operations"))
    too_late = await write(long_term, place(at=1.5, name="ops"))

    assert (first.is_new, first.has_new_name) == (True, True)
    assert (renamed.is_new, renamed.has_new_name, renamed.name_before) == (False, True, "ops")
    assert too_late == []


async def test_what_discord_says_wins_over_a_file_whenever_both_come(long_term: Database) -> None:
    await write(long_term, place(1, at=1, name="said"))
    await write(long_term, place(1, at=9, name="filed"), place(2, at=9, name="filed"), promotion_id=3)
    await write(long_term, place(2, at=10, name="filed later"), promotion_id=4)
    assert [state.name for state in await read(long_term, 1, 2)] == ["said", "filed later"]

    await write(long_term, place(2, at=2, name="said"))
    assert [state.name for state in await read(long_term, 1, 2)] == ["said", "said"]


async def test_a_thread_is_to_be_resolved_once_discord_tells_of_it_and_when_it_tells_otherwise(
    long_term: Database,
) -> None:
    async def unresolved() -> list[int]:
        async with transaction(long_term.sessions) as session:
            threads = await store.unresolved_threads(session, limit=10)
            await store.mark_resolved(session, threads)
        return [one.place_id for one in threads]

    await write(long_term, place(1), thread(2), thread(3))
    await write(long_term, thread(4), promotion_id=1)
    assert await unresolved() == [3, 2]

    await write(long_term, thread(2, at=2, name="renamed"), thread(3, at=2, gone_at=minute(2)))
    assert await unresolved() == []

    await write(long_term, thread(2, at=3, parent_id=9), thread(4, at=1))
    assert await unresolved() == [4, 2]


async def test_channels_that_a_guild_no_longer_has_are_gone_and_its_threads_with_them_alone(
    long_term: Database,
) -> None:
    await write(long_term, place(1), place(2), thread(3), place(9, guild_id=6), thread(4, parent_id=2))
    await write(long_term, place(8), promotion_id=1)

    async with transaction(long_term.sessions) as session:
        await store.mark_unlisted_channels_gone(session, guild_id=GUILD, listed={1}, at=minute(1))
        await store.mark_unlisted_threads_archived(session, guild_id=GUILD, parents={1}, listed=(), at=minute(1))
    one, two, three, four, eight, nine = await read(long_term, 1, 2, 3, 4, 8, 9)
    assert [state.gone_at for state in (one, two, three, eight, nine)] == [None, minute(1), None, None, None]
    assert (three.archived, four.archived) == (True, False)

    async with transaction(long_term.sessions) as session:
        await store.mark_guild_gone(session, guild_id=GUILD, at=minute(2))
    assert [state.gone_at for state in await read(long_term, 1, 2, 9)] == [minute(2), minute(1), None]


async def test_places_are_read_by_guild_and_threads_by_their_channels(long_term: Database) -> None:
    await write(long_term, place(1), place(2), thread(3), thread(4), thread(5, parent_id=2), place(6, guild_id=9))
    await write(long_term, place(7, parent_id=1, kind=PlaceKind.VOICE))  # of a category with that number

    async with transaction(long_term.reading) as session:
        of_guild = await store.of_guild(session, guild_id=GUILD)
        threads = await store.threads_of(session, channel_ids={1}, limit=10)
        newest = await store.threads_of(session, channel_ids={1, 2}, limit=1)
        following = await store.some_places(session, after=4, limit=2)

    assert [state.place_id for state in of_guild] == [1, 2, 3, 4, 5, 7]
    assert [state.place_id for state in threads] == [4, 3]
    assert [state.place_id for state in newest] == [5]
    assert [state.place_id for state in following] == [5, 6]


async def test_tens_of_thousands_of_threads_are_written_in_seconds(long_term: Database) -> None:
    threads = [thread(number, name=f"title {number}", tags=("solved",)) for number in range(10, 10 + MANY)]

    start = perf_counter()
    await write(long_term, *threads)
    await write(long_term, *(replace(one, archived=True, seen_at=minute(1)) for one in threads))
    took = perf_counter() - start

    assert took < QUICK
    (last,) = await read(long_term, 10 + MANY - 1)
    assert last.archived
