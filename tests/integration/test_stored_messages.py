"""What both memories hold of a stretch of a place is read as one: ids, edits and deletions."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from db.databases import Database
from db.engines import open_engine, parse_dsn, sessions_of, transaction
from errors import DatabaseUnavailableError
from memory.coverage.intervals import Interval, first_id_at
from memory.index import store
from memory.index.store import Indexed
from memory.message import Attachment, Kind, Message
from memory.search.memory import Memory
from memory.search.stored import StoredMessages, StoredState
from tests.builders import START, closed_port, message, minute

pytestmark = pytest.mark.server

GUILD_ID = 2


def id_at(number: float) -> int:
    return first_id_at(minute(number))


def sent(number: int, content: str = "hello", **changes: Any) -> Message:
    """Return a message of the guild, whose id tells its minute as those of Discord do."""
    fields: dict[str, Any] = {"message_id": id_at(number), "guild_id": GUILD_ID}
    return message(number, content, **{**fields, **changes})


async def write(database: Database, *messages: Message) -> None:
    async with transaction(database.sessions) as session:
        batch = [Indexed(one, one.content, None, None) for one in messages]
        await store.write(session, batch=batch, revisions=(), journal="demo", position=0)


async def states(memory: Memory, place_id: int, interval: Interval, **options: int) -> list[StoredState]:
    stored = StoredMessages(memory.short_term, memory.long_term, **options)
    return list((await stored.stored_in(GUILD_ID, place_id, interval)).states.values())


ALL = Interval(id_at(0), id_at(1000))


async def test_what_either_memory_holds_of_a_place_is_found_as_it_is_now(
    short_term: Database, long_term: Database, memory: Memory
) -> None:
    await write(long_term, sent(1), sent(2), sent(3), sent(4, "", attachments=(Attachment(name="a", url="u"),)))
    await write(
        short_term,
        sent(2, "changed", edited_at=minute(50)),
        sent(3, "", deleted_at=minute(60)),
        sent(5, ""),
    )

    assert await states(memory, 1, ALL) == [
        StoredState(message_id=id_at(1)),
        StoredState(message_id=id_at(2), edited_at=minute(50), of_this_session=True),
        StoredState(message_id=id_at(3), deleted_at=minute(60), of_this_session=True),
        StoredState(message_id=id_at(4)),
        StoredState(message_id=id_at(5), is_empty=True, of_this_session=True),
    ]


async def test_only_what_discord_may_show_in_that_place_and_stretch_is_found(
    short_term: Database, memory: Memory
) -> None:
    await write(
        short_term,
        sent(1),
        sent(5),
        sent(9),
        sent(6, guild_id=3),
        sent(6, guild_id=None, message_id=id_at(6) + 1),
        sent(6, channel_id=4, message_id=id_at(6) + 2),
        sent(6, thread_id=4, message_id=id_at(6) + 3),
        sent(6, "/chat when?", kind=Kind.COMMAND, message_id=id_at(6) + 4),
        sent(6, kind=Kind.ANSWER, message_id=id_at(6) + 5),
        sent(6, kind=Kind.SYSTEM, message_id=id_at(6) + 6),
        sent(6, "<@Backscroll:5> when?", kind=Kind.COMMAND, message_id=id_at(6) + 7),
    )

    found = await states(memory, 1, Interval(id_at(5), id_at(8)))

    assert [state.message_id for state in found] == [id_at(5), id_at(6) + 6, id_at(6) + 7]


async def test_a_message_whose_time_an_import_has_rounded_is_found_by_its_id(
    long_term: Database, memory: Memory
) -> None:
    await write(long_term, sent(5, sent_at=START - timedelta(hours=9)))

    found = await states(memory, 1, Interval(id_at(5), id_at(5)))

    assert [state.message_id for state in found] == [id_at(5)]


async def test_a_long_stretch_is_read_up_to_where_both_memories_have_given_all(
    short_term: Database, long_term: Database, memory: Memory
) -> None:
    await write(short_term, *(sent(number) for number in (1, 2, 3)))
    await write(long_term, *(sent(number) for number in (4, 5, 6)))
    stored = StoredMessages(memory.short_term, memory.long_term, limit=2)

    first = await stored.stored_in(GUILD_ID, 1, ALL)
    rest = await stored.stored_in(GUILD_ID, 1, Interval(first.newest_id + 1, ALL.newest_id))

    assert (list(first.states), first.newest_id) == ([id_at(1), id_at(2)], id_at(2))
    assert (list(rest.states), rest.newest_id) == ([id_at(3), id_at(4), id_at(5)], id_at(5))


async def test_no_answer_of_one_memory_is_taken_for_all(short_term: Database, memory: Memory) -> None:
    await write(short_term, sent(1))
    url = parse_dsn(f"postgresql://ana@127.0.0.1:{closed_port()}/memory", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=5)) as engine:
        away = replace(memory.long_term, reading=sessions_of(engine))

        with pytest.raises(DatabaseUnavailableError, match="long-term memory did not answer"):
            await StoredMessages(memory.short_term, away).stored_in(GUILD_ID, 1, ALL)


async def test_the_messages_of_a_place_are_counted_once_in_both_memories(
    short_term: Database, long_term: Database, memory: Memory
) -> None:
    await write(short_term, sent(1), sent(2), sent(3, "", deleted_at=minute(60)), sent(4, kind=Kind.COMMAND))
    await write(long_term, sent(1), sent(5, session="earlier"), sent(6, session="earlier", channel_id=4))
    await write(long_term, sent(7, session="earlier", guild_id=3), sent(8, session="earlier", thread_id=9))
    stored = StoredMessages(memory.short_term, memory.long_term)

    assert await stored.count(GUILD_ID, [1, 4, 5], session="demo") == {1: 3, 4: 1}
