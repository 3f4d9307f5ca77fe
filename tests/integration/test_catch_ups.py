"""When people caught up is kept for each guild, and a digest is claimed once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from db.databases import Database
from errors import DatabaseUnavailableError
from memory.catch_ups import CatchUps
from memory.digests import KEPT_FOR, Digests, Sources
from tests.builders import minute

pytestmark = pytest.mark.server

ANA, BEN, GUILD, OTHER_GUILD = 11, 12, 5, 6


async def test_a_catch_up_counts_for_that_person_in_that_guild_and_never_goes_back(long_term: Database) -> None:
    catch_ups = CatchUps(long_term.sessions)
    assert await catch_ups.last_shown(ANA, GUILD) is None

    await catch_ups.note_shown(ANA, GUILD, at=minute(5))
    await catch_ups.note_shown(ANA, GUILD, at=minute(3))

    assert await catch_ups.last_shown(ANA, GUILD) == minute(5)
    assert await catch_ups.last_shown(ANA, OTHER_GUILD) is None
    assert await catch_ups.last_shown(BEN, GUILD) is None


async def test_a_digest_is_claimed_once_and_kept_for_thirty_days(long_term: Database) -> None:
    digests = Digests(long_term.sessions)
    first = await digests.claim(GUILD, 1, starts_at=minute(0), due_at=minute(9), now=minute(10))
    assert first is not None

    assert await digests.claim(GUILD, 1, starts_at=minute(0), due_at=minute(9), now=minute(11)) is None
    await digests.note_posted(first, 77, Sources(ids=(1, 2), checksum="x"), at=minute(10))

    (stored,) = await digests.recent([GUILD], now=minute(12))
    assert not stored.is_open
    assert (stored.message_id, stored.sources) == (77, Sources(ids=(1, 2), checksum="x"))
    assert await digests.recent([OTHER_GUILD], now=minute(12)) == []
    await digests.note_rewritten(first, Sources(ids=(2,), checksum="y"))
    (stored,) = await digests.recent([GUILD], now=minute(12))
    assert stored.sources == Sources(ids=(2,), checksum="y")
    await digests.forget_old(now=minute(9) + KEPT_FOR)
    assert await digests.recent([GUILD], now=minute(12)) == []


async def test_there_is_no_second_digest_of_a_channel_within_six_days(long_term: Database) -> None:
    digests = Digests(long_term.sessions)
    due = minute(0)

    async def claimed(channel_id: int, later: timedelta) -> bool:
        end = due + later
        week = timedelta(days=7)
        return await digests.claim(GUILD, channel_id, starts_at=end - week, due_at=end, now=end) is not None

    assert await claimed(1, timedelta())
    assert not await claimed(1, timedelta(hours=-1))  # the server has another clock now
    assert not await claimed(1, timedelta(days=2))
    assert await claimed(2, timedelta(days=2))
    assert await claimed(1, timedelta(days=7))


async def test_of_two_who_claim_a_digest_at_once_one_gets_it(long_term: Database) -> None:
    digests = Digests(long_term.sessions)
    claims = (digests.claim(GUILD, 1, starts_at=minute(0), due_at=minute(9), now=minute(9)) for _ in range(3))

    assert sum(claim is not None for claim in await asyncio.gather(*claims)) == 1


async def test_what_cannot_be_looked_up_is_said_to_be_away(long_term: Database) -> None:
    async with long_term.engine.begin() as connection:
        await connection.execute(text("DROP TABLE catch_ups, digests"))

    with pytest.raises(DatabaseUnavailableError):
        await CatchUps(long_term.sessions).last_shown(ANA, GUILD)
    with pytest.raises(DatabaseUnavailableError):
        await Digests(long_term.sessions).recent([GUILD], now=minute(1))
