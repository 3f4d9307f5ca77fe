"""What is learnt of places is written down behind whoever learns it, and messages from before learn of it too."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from db.databases import Database
from db.engines import transaction
from errors import DatabaseUnavailableError
from memory.embedding.embedder import Embedder
from memory.filters import UNBOUNDED
from memory.message import Message
from memory.places import resolve, store, writer
from memory.places.state import PlaceKind, PlaceState
from memory.places.writer import PlaceWriter, open_place_writer
from memory.search import rows
from memory.search.memory import Memory
from tests.builders import message, minute, remember
from tests.integration.test_places_store import GUILD, place, read, thread

PATIENCE = timedelta(seconds=30)
CHANNEL, POST, SECRET = 1, 70, 80


async def settled(places: PlaceWriter) -> None:
    assert await places.settle(timeout=PATIENCE)


async def ids_in(database: Database, *place_ids: int) -> set[int]:
    """Return the ids of the messages that a reader of some channels and private threads may read."""
    async with transaction(database.reading) as session:
        found = await rows.by_id(session, message_ids=range(100), places=frozenset(place_ids), bounds=UNBOUNDED)
    return {one.message_id for one in found}


async def test_states_are_written_and_the_newest_of_a_place_wins(long_term: Database) -> None:
    async with open_place_writer(long_term.sessions) as places:
        for number in range(1, 2 * store.MOST_AT_ONCE):
            places.note(place(number, at=1, name="old"))
        places.note(place(7, at=2, name="new"))
        places.note(place(7, at=1.5, name="late"))
        await settled(places)

    last = 2 * store.MOST_AT_ONCE - 1
    assert [state.name for state in await read(long_term, 7, last)] == ["new", "old"]


async def test_what_waits_at_the_end_is_written_before_it(long_term: Database) -> None:
    async with open_place_writer(long_term.sessions) as places:
        places.note(place(1))

    assert await read(long_term, 1) == [place(1)]


async def test_guilds_and_lists_of_channels_are_noted_after_what_was_said_of_each(long_term: Database) -> None:
    async with open_place_writer(long_term.sessions) as places:
        for number in (1, 2, 3):
            places.note(place(number, at=1))
        places.note(thread(4, at=1))
        await settled(places)
        places.note_channels(GUILD, [1, 3], at=minute(2))
        places.note_active_threads(GUILD, [], parents=None, at=minute(2))
        places.note_guild_gone(9, at=minute(2))
        await settled(places)
        one, two, four = await read(long_term, 1, 2, 4)
        places.note_guild_gone(GUILD, at=minute(3))

    assert [one.gone_at, two.gone_at, four.archived] == [None, minute(2), True]
    assert [state.gone_at for state in await read(long_term, 1, 2, 4)] == [minute(3), minute(2), None]


async def test_states_wait_for_a_database_that_is_away_and_are_said_to_once(
    long_term: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0

    @asynccontextmanager
    async def away_at_first(sessions: Any) -> AsyncGenerator[Any]:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise DatabaseUnavailableError("away")
        async with transaction(sessions) as session:
            yield session

    monkeypatch.setattr(writer, "transaction", away_at_first)
    monkeypatch.setattr(writer, "_PAUSE", timedelta(0))

    async with open_place_writer(long_term.sessions) as places:
        places.note(place(1))
        await settled(places)

    assert await read(long_term, 1) == [place(1)]
    assert sum("channels cannot be noted just now" in line for line in caplog.messages) == 1


async def test_a_row_that_the_database_will_never_take_costs_no_other(long_term: Database) -> None:
    async with open_place_writer(long_term.sessions) as places:
        places.note(place(1))
        places.note(place(2, name="a\0b"))
        places.note(place(3))
        await settled(places)

    assert [state.place_id for state in await read(long_term, 1, 2, 3)] == [1, 3]


async def test_no_more_places_wait_than_memory_has_room_for(
    long_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 3)
    places = PlaceWriter(long_term.sessions)

    for number in range(1, 6):
        places.note(place(number))

    assert places.waiting == 3


def fail(_: object) -> None:
    raise ValueError("nobody foresaw this")


async def test_news_are_told_once_they_are_written(long_term: Database) -> None:
    told: list[tuple[int, bool, bool, bool]] = []

    async with open_place_writer(long_term.sessions) as places:
        places.on_changes.append(fail)
        places.on_changes.append(
            lambda changes: told.extend(
                (one.now.place_id, one.has_new_name, one.became_hidden, one.became_visible) for one in changes
            )
        )
        for state in (place(1, at=1), place(1, at=2, name="", hidden_since=minute(2)), place(1, at=3)):
            places.note(state)
            await settled(places)

    assert told == [(1, True, False, False), (1, False, True, False), (1, False, False, True)]


# ---- messages from before


def in_post(number: int, **changes: Any) -> Message:
    """Return a message of POST, stored when nobody knew what sort of thread that is."""
    return message(number, f"note {number}", **{"guild_id": GUILD, "thread_id": POST} | changes)


def post(**changes: Any) -> PlaceState:
    return thread(POST, name="how to", **changes)


async def test_messages_from_before_their_thread_was_known_are_found_once_it_is(
    short_term: Database, long_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "MESSAGES_AT_ONCE", 2)
    orphans = [in_post(number, channel_id=POST, thread_id=None) for number in (4, 5)]
    same = [in_post(6, channel_id=POST)]
    await remember(long_term, embedder, [*map(in_post, (1, 2, 3)), *orphans, *same, message(9, guild_id=GUILD)])
    await remember(short_term, embedder, [in_post(7)])
    assert await ids_in(long_term, CHANNEL) == {9}

    async with open_place_writer(long_term.sessions, short_term.sessions) as places:
        places.note(post())
        await settled(places)

    assert await ids_in(long_term, CHANNEL) == {1, 2, 3, 4, 5, 6, 9}
    assert await ids_in(short_term, CHANNEL) == {7}
    assert await ids_in(long_term, POST) == set()
    async with transaction(long_term.reading) as session:
        (orphan,) = await rows.by_id(session, message_ids=[4], places=frozenset({CHANNEL}), bounds=UNBOUNDED)
    assert (orphan.channel_id, orphan.thread_id, orphan.in_public_thread) == (CHANNEL, POST, True)


async def test_messages_that_are_stored_later_without_a_word_of_their_thread_are_found_too(
    short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    later = [in_post(7), in_post(8, channel_id=POST, thread_id=None, channel_name="")]

    async with open_place_writer(long_term.sessions, short_term.sessions) as places:
        places.note(post())
        places.note(thread(SECRET, kind=PlaceKind.PRIVATE_THREAD))
        await settled(places)
        await remember(short_term, embedder, [*later, in_post(9, thread_id=SECRET)])
        places.note_stored([*later, in_post(9, thread_id=SECRET)])
        await settled(places)

    assert await ids_in(short_term, CHANNEL) == {7, 8}


async def test_a_private_thread_stays_closed_and_gets_its_channel(long_term: Database, embedder: Embedder) -> None:
    await remember(long_term, embedder, [in_post(1, thread_id=None, channel_id=SECRET), in_post(2, thread_id=SECRET)])

    async with open_place_writer(long_term.sessions) as places:
        places.note(thread(SECRET, kind=PlaceKind.PRIVATE_THREAD))
        await settled(places)

    assert await ids_in(long_term, CHANNEL) == set()
    assert await ids_in(long_term, SECRET) == {1, 2}


async def test_a_file_that_calls_a_private_thread_public_opens_it_no_longer_than_discord_is_silent(
    long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [in_post(1, thread_id=SECRET, in_public_thread=True)])

    async with open_place_writer(long_term.sessions) as places:
        places.note(thread(SECRET, kind=PlaceKind.PRIVATE_THREAD))
        await settled(places)

    assert await ids_in(long_term, CHANNEL) == set()
    assert await ids_in(long_term, SECRET) == {1}


async def test_a_file_alone_opens_no_thread(long_term: Database, embedder: Embedder) -> None:
    await remember(long_term, embedder, [in_post(1)])
    async with transaction(long_term.sessions) as session:
        await store.upsert(session, [post()], promotion_id=1)

    async with open_place_writer(long_term.sessions) as places:
        await settled(places)
    assert await ids_in(long_term, CHANNEL) == set()

    async with open_place_writer(long_term.sessions) as places:
        places.note(post())
        await settled(places)
    assert await ids_in(long_term, CHANNEL) == {1}


async def test_a_run_that_was_stopped_before_all_was_resolved_is_gone_on_with_by_the_next(
    long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [in_post(1)])
    async with transaction(long_term.sessions) as session:
        await store.upsert(session, [post()])

    async with open_place_writer(long_term.sessions) as places:
        await settled(places)

    assert await ids_in(long_term, CHANNEL) == {1}


async def test_the_names_in_a_thread_are_known_to_the_readers_of_its_channel_once_it_is_known(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    orphan = in_post(1, channel_id=POST, thread_id=None, author_name="ana", channel_name="")
    await remember(long_term, embedder, [orphan, in_post(2, author_name="ben", channel_name="")])
    before = await memory.known_names(places=frozenset({CHANNEL}))
    assert [set(before.people(key)) for key in ("ana", "ben")] == [set(), set()]

    async with open_place_writer(long_term.sessions) as places:
        places.on_changes.append(lambda changes: memory.note_places(change.now for change in changes))
        places.on_resolved.append(memory.note_resolved)
        places.note(place(CHANNEL, name="help-forum"))
        places.note(post())
        await settled(places)

    afresh = Memory(memory.short_term, memory.long_term, embedder)
    for asked in (memory, afresh):
        known = await asked.known_names(places=frozenset({CHANNEL}))
        assert [set(known.people(key)) for key in ("ana", "ben")] == [{"ana"}, {"ben"}]
        assert known.channel_places("how to") == {POST}
        assert known.channel_name(POST) == "how to"
        assert POST in known.mentioned_places(CHANNEL)


@pytest.mark.parametrize("is_restarted", [False, True], ids=["at once", "after a restart"])
async def test_a_question_in_a_renamed_channel_finds_what_was_stored_under_its_former_name(
    memory: Memory, long_term: Database, embedder: Embedder, is_restarted: bool
) -> None:
    await remember(long_term, embedder, [message(1, guild_id=GUILD, channel_name="ops", sent_at=minute(50))])
    assert (await memory.known_names(places=frozenset({CHANNEL}))).channel_places("ops") == {CHANNEL}

    async with open_place_writer(long_term.sessions) as places:
        places.on_changes.append(lambda changes: memory.note_places(change.now for change in changes))
        places.note(place(CHANNEL, at=60, name="war-room"))
        places.note(place(CHANNEL, at=61, name="", hidden_since=minute(61)))
        await settled(places)

    asked = Memory(memory.short_term, memory.long_term, embedder) if is_restarted else memory
    known = await asked.known_names(places=frozenset({CHANNEL}))
    assert [known.channel_places(key) for key in ("war room", "ops")] == [{CHANNEL}, {CHANNEL}]
    assert known.channel_names(frozenset({CHANNEL})) == ("war-room",)
    assert not (await asked.known_names(places=frozenset({2}))).channel_places("war room")
