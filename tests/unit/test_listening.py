"""The ledger is told of what is heard: all of every place that the bot sees, and never more."""

from datetime import timedelta
from typing import Any

import pytest

from bot.history.listening import CERTAIN_AFTER, Listening
from memory.coverage.intervals import Interval, first_id_at
from memory.coverage.writer import CoverageWriter
from memory.message import Message
from tests.fakes_discord import NOW
from tests.fakes_missed import CREATED, GUILD_ID, FakeStretches, ago, sent

OTHER = CREATED + 1000
BEGUN = first_id_at(NOW)


class Ear:
    """A bot that has begun to listen now, and what the ledger has of it."""

    def __init__(self) -> None:
        self.ledger = FakeStretches()
        self.writer = CoverageWriter(self.ledger, self.ledger, clock=lambda: NOW)  # type: ignore[arg-type]
        self.listening = Listening(self.writer)
        self.listening.began(GUILD_ID, from_id=BEGUN)

    async def written(self, place_id: int = CREATED) -> list[Interval]:
        assert await self.writer.flush()
        return self.ledger.of(place_id)

    def after(self, minutes: float, **fields: Any) -> Message:
        return sent(NOW + timedelta(minutes=minutes), **fields)


@pytest.fixture
def ear() -> Ear:
    return Ear()


async def test_a_place_in_which_something_is_said_is_heard_from_when_the_bot_began_to_listen(ear: Ear) -> None:
    message = ear.after(9)

    ear.listening.heard(message)

    assert await ear.written() == [Interval(BEGUN, message.message_id)]
    assert await ear.written(OTHER) == []


async def test_silence_is_known_too_once_it_is_certain(ear: Ear) -> None:
    ear.listening.see(GUILD_ID, [CREATED])

    ear.listening.certain_until(NOW + timedelta(hours=1))

    assert await ear.written() == [Interval(BEGUN, first_id_at(NOW + timedelta(hours=1) - CERTAIN_AFTER) - 1)]


async def test_nothing_is_certain_while_the_connection_is_lost(ear: Ear) -> None:
    message = ear.after(1)
    ear.listening.heard(message)

    ear.listening.paused(GUILD_ID)
    ear.listening.heard(ear.after(2))
    ear.listening.certain_until(NOW + timedelta(hours=1))

    assert await ear.written() == [Interval(BEGUN, message.message_id)]


async def test_a_connection_that_is_resumed_leaves_no_gap(ear: Ear) -> None:
    ear.listening.heard(ear.after(1))
    ear.listening.paused(GUILD_ID)
    await ear.written()

    ear.listening.resumed(GUILD_ID)
    later = ear.after(30)
    ear.listening.heard(later)

    assert await ear.written() == [Interval(BEGUN, later.message_id)]


async def test_a_connection_that_begins_anew_leaves_a_gap(ear: Ear) -> None:
    heard = ear.after(1)
    ear.listening.heard(heard)
    ear.listening.paused(GUILD_ID)

    again = first_id_at(NOW + timedelta(minutes=20))
    ear.listening.began(GUILD_ID, from_id=again)
    later = ear.after(30)
    ear.listening.heard(later)

    assert await ear.written() == [Interval(BEGUN, heard.message_id), Interval(again, later.message_id)]


async def test_a_place_that_is_hidden_ends_there_and_goes_on_where_it_is_seen_again(ear: Ear) -> None:
    heard = ear.after(1)
    ear.listening.heard(heard)
    ear.listening.hidden(GUILD_ID, [CREATED, OTHER])
    assert not ear.listening.sees(GUILD_ID, CREATED)
    ear.listening.certain_until(NOW + timedelta(hours=1))
    seen_again = first_id_at(NOW + timedelta(hours=2))

    ear.listening.opened(GUILD_ID, CREATED, from_id=seen_again)
    later = ear.after(180)
    ear.listening.heard(later)

    assert await ear.written() == [Interval(BEGUN, heard.message_id), Interval(seen_again, later.message_id)]


async def test_a_message_from_before_the_bot_listened_says_nothing_of_what_came_after_it(ear: Ear) -> None:
    ear.listening.heard(sent(ago(days=1)))

    assert await ear.written() == []


async def test_a_guild_that_the_bot_does_not_listen_to_is_in_no_ledger(ear: Ear) -> None:
    ear.listening.heard(ear.after(1, guild_id=99, channel_id=OTHER))
    ear.listening.heard(ear.after(1, guild_id=None, channel_id=OTHER))

    assert await ear.written(OTHER) == []
