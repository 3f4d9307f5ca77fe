"""Reminders are kept until they were delivered, and found by the process of their guild; a person has only so many."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db.databases import LONG_TERM, Database
from db.engines import open_engine, parse_dsn, sessions_of
from db.shards import ShardRange
from errors import DatabaseUnavailableError
from memory.reminders import KEPT_FOR, LONGEST_TEXT, MOST_OF_A_PERSON, Reminder, Reminders
from tests.builders import closed_port
from tests.conftest import open_new_database
from tests.servers import Server
from time_expressions.future import Repeat

NOW = datetime(2026, 11, 18, 13, 30, tzinfo=UTC)
ANA, BEN = 700000000000000001, 700000000000000002
GUILDS = tuple(number << 22 for number in range(4))
"""Guilds of the shards 0 to 3 of 4."""


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    async with open_new_database(server, LONG_TERM, width=12) as database:
        await database.migrate(dimensions=12)
        yield database


@pytest.fixture
def reminders(database: Database) -> Reminders:
    return Reminders(database.sessions)


def reminder(number: int, *, minutes: float = 5, **fields: Any) -> Reminder:
    usual = Reminder(
        reminder_id=number,
        person_id=ANA,
        guild_id=GUILDS[0],
        channel_id=1,
        message_id=9,
        text="look after the kiln",
        due_at=NOW + timedelta(minutes=minutes),
        created_at=NOW,
        time_zone="Europe/Paris",
    )
    return replace(usual, **fields)


def numbers(found: list[Reminder]) -> list[int]:
    return [one.reminder_id for one in found]


async def due(reminders: Reminders, minutes: float, shards: ShardRange | None = None, limit: int = 10) -> list[int]:
    return numbers(await reminders.due(now=NOW + timedelta(minutes=minutes), shards=shards, limit=limit))


async def test_a_reminder_comes_back_as_it_was_kept(reminders: Reminders) -> None:
    kept = reminder(1, repeat=Repeat.WEEKLY, in_channel=True, guild_id=None, message_id=None)

    assert await reminders.add(kept)

    assert await reminders.waiting(ANA) == [kept]


async def test_a_text_is_kept_as_far_as_postgresql_takes_it(reminders: Reminders) -> None:
    await reminders.add(reminder(1, text="a\x00b" + "x" * 1000))

    (kept,) = await reminders.waiting(ANA)
    assert len(kept.text) == LONGEST_TEXT
    assert "\x00" not in kept.text


async def test_people_have_their_own_reminders_the_next_first(reminders: Reminders) -> None:
    for one in (reminder(1, minutes=9), reminder(2, minutes=3), reminder(3, person_id=BEN)):
        await reminders.add(one)

    assert numbers(await reminders.waiting(ANA)) == [2, 1]
    assert numbers(await reminders.waiting(BEN)) == [3]


async def test_a_person_has_only_so_many_waiting(reminders: Reminders) -> None:
    for number in range(MOST_OF_A_PERSON):
        assert await reminders.add(reminder(number))

    assert not await reminders.add(reminder(999))
    assert await reminders.add(reminder(1000, person_id=BEN))
    await reminders.delivered(0, at=NOW)
    assert await reminders.add(reminder(999))


async def test_only_their_own_reminders_can_be_cancelled(reminders: Reminders) -> None:
    await reminders.add(reminder(1))

    assert await reminders.cancel(BEN, 1) is None
    assert await reminders.cancel(ANA, 1) == reminder(1)
    assert await reminders.cancel(ANA, 1) is None
    assert await reminders.waiting(ANA) == []


async def test_what_is_due_is_found_until_it_was_delivered(reminders: Reminders) -> None:
    await reminders.add(reminder(1, minutes=5))
    await reminders.add(reminder(2, minutes=7))

    assert await due(reminders, 4) == []
    assert await due(reminders, 8) == [1, 2]
    assert await due(reminders, 8, limit=1) == [1]
    assert await reminders.next_try(shards=None) == NOW + timedelta(minutes=5)
    await reminders.delivered(1, at=NOW)
    assert await due(reminders, 8) == [2]


async def test_a_delivery_that_failed_is_tried_again_later_and_due_as_before(reminders: Reminders) -> None:
    await reminders.add(reminder(1, minutes=5))

    await reminders.put_off(1, until=NOW + timedelta(minutes=30))

    assert await due(reminders, 29) == []
    assert await due(reminders, 30) == [1]
    (waiting,) = await reminders.waiting(ANA)
    assert (waiting.due_at, waiting.tries) == (NOW + timedelta(minutes=5), 1)


async def test_a_reminder_that_comes_again_waits_for_its_next_time(reminders: Reminders) -> None:
    await reminders.add(reminder(1, minutes=5, repeat=Repeat.DAILY))
    await reminders.put_off(1, until=NOW + timedelta(minutes=6))

    await reminders.repeat(1, due_at=NOW + timedelta(days=1))

    assert await due(reminders, 10) == []
    assert await reminders.waiting(ANA) == [reminder(1, minutes=24 * 60, repeat=Repeat.DAILY)]


async def test_each_process_finds_those_of_its_guilds(reminders: Reminders) -> None:
    for number, guild_id in enumerate(GUILDS):
        await reminders.add(reminder(number, guild_id=guild_id))
    await reminders.add(reminder(9, guild_id=None))

    first, second = ShardRange(0, 1, 4), ShardRange(2, 3, 4)
    assert sorted(await due(reminders, 5, first)) == [0, 1, 9]
    assert await due(reminders, 5, second) == [2, 3]
    assert len(await due(reminders, 5)) == 5


async def test_what_was_delivered_is_dropped_after_some_days(reminders: Reminders, database: Database) -> None:
    for number in (1, 2, 3):
        await reminders.add(reminder(number))
    await reminders.delivered(1, at=NOW)
    await reminders.delivered(2, at=NOW + timedelta(hours=2))

    assert await reminders.drop_delivered(now=NOW + KEPT_FOR + timedelta(hours=1)) == 1

    async with database.engine.connect() as connection:
        assert list(await connection.scalars(text("SELECT reminder_id FROM reminders ORDER BY 1"))) == [2, 3]


async def test_a_database_that_is_away_is_said_to_be() -> None:
    url = parse_dsn(f"postgresql://ana@127.0.0.1:{closed_port()}/memory", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=5)) as engine:
        with pytest.raises(DatabaseUnavailableError):
            await Reminders(sessions_of(engine)).waiting(ANA)
